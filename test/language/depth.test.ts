import { describe, expect, it } from "vitest";
import { formatText } from "../../src/language/services/format.ts";
import { compileSources } from "../runtime/support.ts";

const SOURCES: Readonly<Record<string, (depth: number) => string>> = {
  parentheses: (n) => `log ${"(".repeat(n)}1${")".repeat(n)}`,
  calls: (n) => `fn f(a) { return a }\n${"f(".repeat(n)}1${")".repeat(n)}`,
  records: (n) => `log ${"{a:".repeat(n)}1${"}".repeat(n)}`,
  lists: (n) => `log ${"[".repeat(n)}1${"]".repeat(n)}`,
  indexes: (n) => `let a = 1\nlog ${"a[".repeat(n)}0${"]".repeat(n)}`,
  blocks: (n) => `${"{".repeat(n)}${"}".repeat(n)}`,
  "if in if": (n) => `${"if true {".repeat(n)}${"}".repeat(n)}`,
  "else if": (n) => `if true { }${" else if true { }".repeat(n)}`,
  operators: (n) => `log 1${" + 1".repeat(n)}`,
  "unary operators": (n) => `log ${"!".repeat(n)}true`,
  fields: (n) => `let a = 1\nlog a${".a".repeat(n)}`,
};

/** Deeper than this are brackets, or all else, that are refused. */
const BRACKETS = 100;
const LEVELS = 500;

describe.each(Object.entries(SOURCES))("nesting: %s", (name, source) => {
  it("goes deep enough", async () => {
    const most = ["else if", "operators", "unary operators", "fields"].includes(name) ? LEVELS - 10 : BRACKETS - 5;
    const { program, diagnostics } = await compileSources({ "main.tdx": source(most) });
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(program).toBeDefined();
    expect(formatText(source(most))).toBeDefined();
  });

  it.each([
    ["whole", ""],
    ["with a mistake before it", "let = 1\n"],
  ])("has an end, %s", async (_, before) => {
    const { diagnostics } = await compileSources({ "main.tdx": before + source(20_000) });
    expect(diagnostics).toMatchObject([{ file: "main.tdx", severity: "error", code: "nesting" }]);
    expect(diagnostics[0]?.line).toBeLessThanOrEqual(3);
    expect(formatText(before + source(20_000)) === undefined).toBe(true);
  });
});

it("nesting that is noticed behind a text's last character is told at that character", async () => {
  const text = `log 1${" - -1".repeat(LEVELS + 100)}`;
  const { diagnostics } = await compileSources({ "main.tdx": text });
  expect(diagnostics).toMatchObject([{ line: 1, column: text.length, endColumn: text.length + 1, code: "nesting" }]);
});

it("nesting has an end in the expressions of strings too", async () => {
  const { diagnostics } = await compileSources({ "main.tdx": `log "{${"(".repeat(20_000)}1${")".repeat(20_000)}}"` });
  expect(diagnostics).toMatchObject([{ line: 1, column: 107, code: "nesting" }]);
});
