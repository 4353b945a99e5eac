import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import type { AstNode } from "langium";
import { describe, expect, it } from "vitest";
import { DiagnosticSink } from "../../src/language/diagnostics.ts";
import type { Program } from "../../src/language/generated/ast.ts";
import { parseSource } from "../../src/language/parse.ts";
import { propertySpan, spanOf } from "../../src/language/places.ts";
import { languageServices, wholeParser } from "../../src/language/services.ts";
import { reportSyntaxErrors } from "../../src/language/syntax-errors.ts";
import { sentence } from "./sentences.ts";
import { anyText, mutated, TOKENS } from "./sources.ts";

/** Sources tried; FUZZ_RUNS asks for more. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 200);
/** Milliseconds. */
const TIMEOUT = 60_000 + RUNS * 100;

const FUNCTIONS = [
  "fn f ( a , b ) { let r = TDH.MEM.TRACK ( tdr : a ) ; return r . status }",
  'fn g ( ) { if a == 1 { f ( 1 , 2 ) } else { log "x {a}" } }',
  "fn h ( x ) {\n for i in 0 .. 10 step 2 { x [ i ] += 4K }\n // done\n return { a : x , b : [ 1 , 2 ] }\n}",
  "let x = f ( 1 , 2 )\n log x",
  "f ( 1 , 2 ) ; ; log 3 ;",
  'test "t" { expect f ( 1 , 2 ) == 3 }',
  'platform { packages 2 lps 4 }\n import "lib" as l',
];

/** What the compiler sees of a tree: types, properties, their order, and where all that lies. */
function seen(node: AstNode): unknown {
  const { $container, $containerProperty, $containerIndex } = node;
  const properties = Object.entries(node)
    .filter(([name, value]) => !name.startsWith("$") && value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    type: node.$type,
    in: [$container?.$type, $containerProperty, $containerIndex],
    at: spanOf(node),
    properties: properties.map(([name, value]) => {
      const isWord = typeof value === "string" || value === true;
      // Langium keeps no place for the operators of a chain.
      const at = isWord && node.$type !== "BinaryExpression" ? propertySpan(node, name) : undefined;
      return [name, at, plain(value)];
    }),
  };
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  return typeof value === "object" ? seen(value as AstNode) : value;
}

function byLangium(text: string, rule = "Program"): AstNode | undefined {
  const { value, lexerErrors, parserErrors } = languageServices().parser.LangiumParser.parse(text, { rule });
  return lexerErrors.length + parserErrors.length === 0 ? value : undefined;
}

function expectSameTree(text: string): void {
  const whole = wholeParser().parse(text, "Program", 0);
  const langium = byLangium(text);
  if (langium === undefined) expect(whole, text).toBeUndefined();
  // Where two tokens do not decide, a whole source may be left to Langium's parser.
  else if (whole !== undefined && text.trim() !== "") expect(seen(whole), text).toEqual(seen(langium));
}

/** A source with several functions, some words of which are replaced, doubled or left out. */
const mistaken = fc
  .record({
    functions: fc.array(fc.constantFrom(...FUNCTIONS), { minLength: 2, maxLength: 8 }),
    edits: fc.array(
      fc.tuple(fc.nat(), fc.nat(2), fc.oneof(fc.constantFrom(...TOKENS), fc.constantFrom('"', "@", "}"))),
      {
        maxLength: 3,
      },
    ),
  })
  .map(({ functions, edits }) => {
    const words = functions.join("\n").split(" ");
    for (const [at, count, word] of edits) words.splice(at % words.length, count, word);
    return words.join(" ");
  });

function expectSameMistakes(text: string): void {
  const told = new DiagnosticSink();
  const { program, source } = parseSource("main.tdx", text, told);
  const { value, ...errors } = languageServices().parser.LangiumParser.parse(text);
  const expected = new DiagnosticSink();
  const dots = wholeParser().danglingDots(wholeParser().lexer.tokenize(text));
  reportSyntaxErrors([{ result: errors, offset: 0 }], source, expected, dots);
  expect(told.sorted, text).toEqual(expected.sorted);
  if (told.failed) expect(plain(program.statements), text).toEqual(plain((value as Program).statements));
}

const FILES = ["flows", "scenarios"].flatMap((folder) =>
  (readdirSync(folder, { recursive: true }) as string[])
    .filter((name) => name.endsWith(".tdx"))
    .map((name) => `${folder}/${name}`),
);

describe("the parser of whole sources and the one for sources with mistakes", () => {
  it.each(FILES)("make the same tree of %s", (file) => {
    const text = readFileSync(file, "utf8");
    expect(wholeParser().parse(text, "Program", 0)).toBeDefined();
    expectSameTree(text);
  });

  it(
    "make the same tree of any other source, or none",
    () => {
      fc.assert(fc.property(fc.oneof(mutated, sentence), expectSameTree), { numRuns: RUNS });
    },
    TIMEOUT,
  );

  it(
    "say the same of sources with mistakes, together and alone",
    () => {
      fc.assert(fc.property(mistaken, expectSameMistakes), { numRuns: RUNS });
    },
    TIMEOUT,
  );

  it(
    "tell the same words from each other",
    () => {
      const { lexer } = wholeParser();
      fc.assert(
        fc.property(fc.oneof(mutated, anyText(60)), (text) => {
          const { count, kinds, starts, comments } = lexer.tokenize(text);
          const { tokens, hidden } = languageServices().parser.Lexer.tokenize(text);
          const own = Array.from({ length: count }, (_, at) => [lexer.names[kinds[at] ?? 0], starts[at]]);
          expect(own).toEqual(tokens.map(({ tokenType, startOffset }) => [tokenType.name, startOffset]));
          expect(comments.filter((_, at) => at % 2 === 0)).toEqual(hidden.map(({ startOffset }) => startOffset));
        }),
        { numRuns: RUNS },
      );
    },
    TIMEOUT,
  );
});
