/** Sources are unfinished most of the time: the services answer, whatever there is. */
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { completions, describeCompletion } from "../../../src/language/services/completion.ts";
import { formatText } from "../../../src/language/services/format.ts";
import { hoverAt, signatureAt } from "../../../src/language/services/hover.ts";
import { definitionAt } from "../../../src/language/services/navigation.ts";
import { foldings, lenses, outline } from "../../../src/language/services/outline.ts";
import { semanticTokens } from "../../../src/language/services/semantic-tokens.ts";
import { type FlowSource, Sources } from "../../../src/language/services/sources.ts";

const texts = readdirSync("scenarios")
  .filter((name) => name.endsWith(".tdx"))
  .map((name) => readFileSync(`scenarios/${name}`, "utf8"));

const pieces = fc.constantFrom(
  ...[
    "TDH.",
    "TDH.MEM.TRACK(",
    "tdr:",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    '"',
    '"{',
    "//",
    "/*",
    "*/",
    "let ",
    "fn f(",
    ",",
    ".",
    "==",
  ],
  ...[
    "test ",
    "import ",
    "platform {",
    "on lp ",
    "guest ",
    "..",
    "0x",
    "1G",
    "\n",
    " ",
    "é",
    "\u0000",
    "r.",
    "TD_FIELD.",
  ],
);

/** A shipped flow, cut somewhere, with something typed there. */
const unfinished = fc
  .record({ text: fc.constantFrom(...texts), at: fc.nat(), cut: fc.nat(60), typed: fc.array(pieces, { maxLength: 6 }) })
  .map(({ text, at, cut, typed }) => {
    const from = at % text.length;
    const before = text.slice(0, from) + typed.join("");
    return { text: before + text.slice(from + cut), offset: before.length };
  });

async function opened(text: string): Promise<{ sources: Sources; source: FlowSource }> {
  const files = { read: async () => undefined, list: async () => [], flowsFolder: undefined };
  const uri = "file:///main.tdx";
  const sources = new Sources(files, { text: (asked) => (asked === uri ? text : undefined), uris: () => [uri] });
  return { sources, source: (await sources.source(uri)) as FlowSource };
}

describe("the services", () => {
  it("answer in any unfinished source", async () => {
    await fc.assert(
      fc.asyncProperty(unfinished, async ({ text, offset }) => {
        const { sources, source } = await opened(text);
        const items = await completions(sources, source, offset, { snippets: true });
        for (const item of items.slice(0, 5)) describeCompletion(item);
        await hoverAt(sources, source, offset);
        await signatureAt(sources, source, offset);
        await definitionAt(sources, source, offset);
        for (const { startLine, endLine } of foldings(source)) expect(endLine).toBeGreaterThan(startLine);
        outline(source);
        lenses(source);
        const { data } = semanticTokens(source, new Map());
        // Deltas: a token before the one before it would be negative.
        expect(data.every((value) => value >= 0)).toBe(true);
        const formatted = formatText(text);
        if (formatted !== undefined) expect(formatText(formatted)).toBe(formatted);
      }),
      { numRuns: 150 },
    );
  });

  it("answer at once in a flow of 5,000 lines", async () => {
    const body = "    let r = TDH.MEM.PAGE.ADD(gpa: 0, tdr: t, hpa: 4K, source: 4K)\n    log r.status\n";
    const text = Array.from({ length: 1000 }, (_, at) => `fn f${at}(t) {\n${body}    f${at}(1)\n}\n`).join("");
    const { sources, source } = await opened(text);
    const started = performance.now();
    const offset = text.indexOf("r.status", text.length / 2) + 2;
    expect((await completions(sources, source, offset, { snippets: true })).map(({ label }) => label)).toContain("rcx");
    await hoverAt(sources, source, offset);
    semanticTokens(source, new Map());
    expect(performance.now() - started).toBeLessThan(3000);
  });
});
