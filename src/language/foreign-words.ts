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
  include: "import",
  require: "import",
};

/** Words of other languages that are no single word here, and words of this one whose statement looks otherwise. */
const FORMS: Readonly<Record<string, string>> = {
  do: "write while … { … }",
  switch: "write if … { … } else if … { … }",
  match: "write if … { … } else if … { … }",
  try: "look at the result: let r = …, if !r.ok { … }",
  catch: "look at the result: let r = …, if !r.ok { … }",
  lock: "write with lock { … }",
  platform: "a platform block has entries and their values: platform { packages 2 lps 4 }, with neither = nor :",
  test: 'a test has a name: test "what holds" { … }',
  range: "a range is written 0 .. n",
};

/** What a word of another language is here, if it is one. */
export function wordHere(word: string): string | undefined {
  return Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
}

/** How a statement is written that a word begins in other languages, or otherwise in this one. */
export function formOf(word: string): string | undefined {
  return Object.hasOwn(FORMS, word) ? FORMS[word] : undefined;
}

/** Notations that other languages have, and what to write instead; `""` stands for any string. */
const NOTATIONS: readonly (readonly [RegExp, string])[] = [
  [/\bfor\s*\(|^\s*for\s+\w+\s*=/, "write for i in 0 .. n { … }"],
  [/\+\+/, "write x += 1"],
  [/--/, "write x -= 1"],
  [/:=/, "write let x = …"],
  [/\bdo\b/, FORMS.do as string],
  [/\b(switch|match)\b/, FORMS.match as string],
  [/\b(try|catch)\b/, FORMS.try as string],
  [/\?/, "write if … { … } else { … }"],
  [/\.\.=/, "the end of a range is not included: 0 .. n + 1"],
  [/\d\.\d/, "numbers are integers"],
  [/^\s*(log|fail)\b.*,/, 'it takes one value, and text has values in it: "{a} and {b}"'],
  [/^\s*expect\b.*,/, "expect says itself what it found, and takes no text"],
  [/""\s*:/, "field names stand without quotes: { name: 1 }"],
  [/^\s*(import|from)\b/, 'write import "tdx/host"'],
  [/^\s*spawn\b/, "write spawn name on lp 1 { … }"],
  [/^\s*on\b/, "write on lp 1 { … }"],
  [/^\s*with\b/, FORMS.lock as string],
  [/^\s*guest\s*\{/, "write guest tdvpr { … }"],
  [/\bon_exception\b/, "write on_exception (vector, info) { … }"],
  [/^\s*(if|while|for)\b/, "its statements stand in braces: { … }"],
  [/\/\*|\*\//, "a comment that begins with /* ends with */"],
  [/=\s*fn\b|^\s*fn\s*\(/, "a function has a name, and stands at the top level: fn f(a, b) { … }"],
  [/->|=>/, "functions are declared: fn f(a, b) { … }"],
];

/** What only some signs tell of, by the sign that does not fit. */
const BY_SIGN: Readonly<Record<string, readonly (readonly [RegExp, string])[]>> = {
  ":": [
    [/^\s*let\s+\w+\s*:/, "a variable has no type: let x = …"],
    [/^\s*fn\b/, "parameters have no types: fn f(a, b) { … }"],
    [/^\s*[\w.]+\s+\w+\s*:/, "arguments stand in parentheses: f(a: 1)"],
    [/[\w)\]"]\s+\w+\s*:/, "between two arguments, or fields, stands a comma"],
  ],
  "=": [
    [/^\s*fn\b/, "parameters have no default values: fn f(a, b) { … }"],
    [/^\s*(if|while|expect)\b/, "== compares"],
    [/\{\s*\w+\s*=(?!=)/, "behind a field's name stands a colon: { a: 1 }"],
    [/[(,]\s*\w+\s*=(?!=)/, "behind an argument's name stands a colon: f(a: 1)"],
  ],
  ",": [[/^\s*let\s+\w+\s*=[^([{]*,/, "each variable has its own let"]],
};

/** Of a line that nobody wrote by hand, the rest is not looked at. */
const MAX_LINE = 400;

/** A format behind a value in a string. */
const FORMAT = /"[^"]*\{[^}"]*:[^}"]*\}[^"]*"/;

/** What may help with a syntax error, by the code of its line and the word that does not fit. */
export function hintForLine(whole: string, found: string): string | undefined {
  const line = whole.slice(0, MAX_LINE);
  const code = line.replace(/"(\\.|[^"\\])*"/g, '""').replace(/\/\/.*/, "");
  const signs = Object.hasOwn(BY_SIGN, found) ? (BY_SIGN[found] ?? []) : [];
  const bySign = signs.find(([notation]) => notation.test(code))?.[1];
  if (bySign !== undefined) return bySign;
  for (const [word] of code.matchAll(/[A-Za-z_]\w*/g)) {
    const here = wordHere(word);
    if (here !== undefined) return `"${word}" is written ${here} here`;
  }
  if (FORMAT.test(line)) return "hex(x) writes a number in hexadecimal; there are no other formats";
  return NOTATIONS.find(([notation]) => notation.test(code))?.[1];
}
