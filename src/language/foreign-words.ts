/** What people write who come from other languages, and how it is written here. */

/** Words that other languages have. */
const WORDS: Readonly<Record<string, string>> = {
  const: "let",
  var: "let",
  mut: "let",
  u64: "let",
  uint64_t: "let",
  function: "fn",
  func: "fn",
  def: "fn",
  elif: "else if",
  elsif: "else if",
  elseif: "else if",
  foreach: "for",
  not: "!",
  and: "&&",
  or: "||",
  nil: "null",
  None: "null",
  NULL: "null",
  undefined: "null",
  True: "true",
  False: "false",
  print: "log",
  printf: "log",
  println: "log",
  pr_info: "log",
  assert: "expect",
  throw: "fail",
  panic: "fail",
};

/** What a word of another language is here, if it is one. */
export function wordHere(word: string): string | undefined {
  return Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
}

/** Notations that other languages have, and what to write instead; `""` stands for any string. */
const NOTATIONS: readonly (readonly [RegExp, string])[] = [
  [/\+\+/, "write x += 1"],
  [/--/, "write x -= 1"],
  [/:=/, "write let x = …"],
  [/\bfor\s*\(/, "write for i in 0 .. n { … }"],
  [/\bdo\b/, "write while … { … }"],
  [/\b(switch|match)\b/, "write if … { … } else if … { … }"],
  [/\b(try|catch)\b/, "look at the result: let r = …, if !r.ok { … }"],
  [/\?/, "write if … { … } else { … }"],
  [/\.\.=/, "the end of a range is not included: 0 .. n + 1"],
  [/\d\.\d/, "numbers are integers"],
  [/^\s*(log|fail)\b.*,/, 'it takes one value, and text has values in it: "{a} and {b}"'],
  [/^\s*expect\b.*,/, "expect says itself what it found, and takes no text"],
  [/""\s*:/, "field names stand without quotes: { name: 1 }"],
  [/^\s*spawn\b/, "write spawn name on lp 1 { … }"],
  [/^\s*on\b/, "write on lp 1 { … }"],
  [/^\s*with\b/, "write with lock { … }"],
  [/^\s*(if|while|for)\b/, "its statements stand in braces: { … }"],
  [/\/\*/, "a comment that begins with /* ends with */"],
  [/->|=>/, "functions are declared: fn f(a, b) { … }"],
];

/** Of a line that nobody wrote by hand, the rest is not looked at. */
const MAX_LINE = 400;

/** A format behind a value in a string. */
const FORMAT = /"[^"]*\{[^}"]*:[^}"]*\}[^"]*"/;

/** What may help with a syntax error, by the code of its line up to it and somewhat behind. */
export function hintForLine(whole: string): string | undefined {
  const line = whole.slice(0, MAX_LINE);
  const code = line.replace(/"(\\.|[^"\\])*"/g, '""').replace(/\/\/.*/, "");
  for (const [word] of code.matchAll(/[A-Za-z_]\w*/g)) {
    const here = wordHere(word);
    if (here !== undefined) return `"${word}" is written ${here} here`;
  }
  if (FORMAT.test(line)) return "hex(x) writes a number in hexadecimal; there are no other formats";
  return NOTATIONS.find(([notation]) => notation.test(code))?.[1];
}
