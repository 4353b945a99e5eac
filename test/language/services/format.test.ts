import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileFlow } from "../../../src/language/compile.ts";
import { formatText } from "../../../src/language/services/format.ts";

const shipped = ["scenarios", "flows/tdx"].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".tdx"))
    .map((name) => `${folder}/${name}`),
);

describe("formatting", () => {
  it.each([
    ["spaces", "let   a=1+ - 2\nlog f( a ,b )[ 0 ] . x\n", "let a = 1 + -2\nlog f(a, b)[0].x\n"],
    [
      "indentation",
      "fn f(){\nif a{\nlog 1\n}\nelse {\n   log 2 }\n}",
      "fn f() {\n    if a {\n        log 1\n    }\n    else {\n        log 2 }\n}\n",
    ],
    ["operands on lines of their own", "TDH.MEM.TRACK(\ntdr:t,\n)\n", "TDH.MEM.TRACK(\n    tdr: t,\n)\n"],
    [
      "brackets that open together",
      "f({\na:1,\nb:[\n1,\n2],\n})",
      "f({\n    a: 1,\n    b: [\n        1,\n        2],\n})\n",
    ],
    ["a statement that goes on", "let a = 1 +\n2\nlog a", "let a = 1 +\n    2\nlog a\n"],
    ["empty lines", "\n\nlet a = 1\n\n\n\nlet b = 2\n{\n\nlog a\n\n}\n\n", "let a = 1\n\nlet b = 2\n{\n    log a\n}\n"],
    [
      "comments",
      "{\n// one\nlog 1   // two\n  /* three */ log 2\n}",
      "{\n    // one\n    log 1   // two\n    /* three */ log 2\n}\n",
    ],
    ["platforms", "platform{packages 2   lps 4,seed 1}", "platform { packages 2  lps 4, seed 1 }\n"],
    ["guests", "guest v{hlt()}on_exception(a,b){}", "guest v { hlt() } on_exception (a, b) {}\n"],
    [
      "keywords before brackets",
      "if(a){return(1)}\nlog(2)\nfor x in[1]{}",
      "if (a) { return (1) }\nlog (2)\nfor x in [1] {}\n",
    ],
  ])("lays out %s", (_, text, expected) => {
    expect(formatText(text)).toBe(expected);
  });

  it("leaves sources with syntax errors alone", () => {
    expect(formatText("let = 1")).toBeUndefined();
  });

  it("indents as the editor does", () => {
    expect(formatText("{\nlog 1\n}", "\t")).toBe("{\n\tlog 1\n}\n");
  });

  it.each(shipped)("finds %s laid out", (path) => {
    const text = readFileSync(path, "utf8");
    expect(formatText(text)).toBe(text);
  });

  it("formats twice as once, and keeps the flow code, however the source was laid out", async () => {
    const texts = shipped.map((path) => readFileSync(path, "utf8"));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...texts), fc.infiniteStream(fc.nat(8)), async (text, choices) => {
        const scrambled = scramble(text, choices);
        const once = formatText(scrambled) as string;
        expect(formatText(once)).toBe(once);
        expect(await codeOf(once)).toEqual(await codeOf(scrambled));
      }),
      { numRuns: 60 },
    );
  });
});

const GAPS = [" ", " ", " ", "  ", "\n", "\n\n\n", "\t", "\r\n", " /* c */ "];

/** Other blank space between the words; comments to the end of a line keep that end. */
function scramble(text: string, choices: Iterator<number>): string {
  const parts = text.match(/\/\/.*\n|\/\*[\s\S]*?\*\/|"(\\.|[^"\\])*"|\s+|[^\s"/]+|\//g) ?? [];
  return parts.map((part) => (part.trim() === "" ? GAPS[choices.next().value as number] : part)).join("");
}

/** The program without places. */
async function codeOf(text: string): Promise<unknown> {
  const readSource = (path: string) => (path === "flow.tdx" ? text : readFileSync(path, "utf8"));
  const { program, diagnostics } = await compileFlow("flow.tdx", {
    readSource: (path) => tolerant(readSource, path),
    flowsFolder: "flows",
  });
  return {
    code: program?.functions.map(({ name, code }) => ({ name, code: [...code] })),
    constants: program?.constants,
    names: program?.names,
    problems: diagnostics.map(({ message }) => message),
  };
}

function tolerant(read: (path: string) => string, path: string): string | undefined {
  try {
    return read(path);
  } catch {
    return undefined;
  }
}
