/** Words that begin a statement and are nobody's name. */
export const STATEMENT_WORDS: readonly string[] = [
  ...["let", "if", "while", "for", "return", "break", "continue", "fn", "import", "on", "guest", "spawn"],
  ...["join", "yield", "pause", "with", "expect", "log", "fail"],
];
