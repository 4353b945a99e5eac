import { describe, expect, it } from "vitest";
import { analyseFlow } from "../../src/language/compile.ts";
import { completionsAt } from "../../src/language/editor/completion.ts";
import { hoverAt } from "../../src/language/editor/hover.ts";
import { definitionAt, outlineOf, referencesAt, renameAt } from "../../src/language/editor/navigation.ts";
import { signatureAt } from "../../src/language/editor/signature.ts";

const LIB = `// Doubles a number.
fn twice(n) { return n * 2 }
let shared = 1
`;

/** A source with a | where the cursor is. */
async function at(marked: string) {
  const offset = marked.indexOf("|");
  const text = marked.slice(0, offset) + marked.slice(offset + 1);
  const sources: Record<string, string> = { "main.tdx": text, "lib.tdx": LIB };
  const analysis = await analyseFlow("main.tdx", { readSource: (path) => sources[path] });
  return { text, offset, analysis, path: "main.tdx" };
}

async function labels(marked: string): Promise<string[]> {
  const { text, offset, analysis, path } = await at(marked);
  return completionsAt(text, offset, analysis, path).map(({ label }) => label);
}

async function hover(marked: string): Promise<string | undefined> {
  const { text, offset, analysis, path } = await at(marked);
  return hoverAt(text, offset, analysis, path)?.text;
}

describe("completion", () => {
  it("offers exactly the operands that a leaf call does not have yet", async () => {
    expect(await labels("TDH.MEM.PAGE.ADD(|")).toEqual(["gpa", "level", "tdr", "hpa", "source", "version"]);
    expect(await labels("TDH.MEM.PAGE.ADD(gpa: f(1, [2]), tdr: 3, |)")).toEqual(["level", "hpa", "source", "version"]);
    expect(await labels('let s = "TDH.MNG.RD("\nlet r = TDH.MEM.TRACK(|')).toEqual(["tdr", "version"]);
  });

  it("offers what continues a path", async () => {
    expect(await labels("TDH.MEM.PAGE.|")).toEqual(["ADD", "RELOCATE", "AUG", "DEMOTE", "PROMOTE", "REMOVE"]);
    expect(await labels("let x = TD_FIELD.TSC|")).toContain("TSC_OFFSET");
    expect(await labels('import "lib" as lib\nlib.|')).toEqual(["twice", "shared"]);
  });

  it("offers names, constants and words elsewhere, nothing in text", async () => {
    const found = await labels('import "lib"\nfn f(alpha) {\n  let beta = 1\n  log |\n}');
    for (const name of [
      "twice",
      "shared",
      "alpha",
      "beta",
      "f",
      "TDX_OPERAND_BUSY",
      "alloc_page",
      "while",
      "TDH.MEM.TRACK",
    ])
      expect(found).toContain(name);
    expect(await labels("// TDH.|")).toEqual([]);
    expect(await labels('log "TDH.|"')).toEqual([]);
    expect((await labels('log "{TDH.MEM.|"')).length).toBeGreaterThan(0);
  });

  it("writes the operands that a leaf needs", async () => {
    const { text, offset, analysis, path } = await at("TDH.MEM.PAGE.AU|");
    const aug = completionsAt(text, offset, analysis, path).find(({ label }) => label === "AUG");
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a snippet of the editor
    expect(aug?.insert).toBe("AUG(gpa: ${1}, tdr: ${2}, hpa: ${3})$0");
  });
});

describe("hover", () => {
  it("tells what a leaf does, and where its operands lie", async () => {
    const text = await hover("TDH.MEM.PAGE.A|DD(gpa: 0)");
    expect(text).toContain("**TDH.MEM.PAGE.ADD** (leaf 2)");
    expect(text).toContain("- `gpa` RCX[51:12]: Guest physical address");
    expect(await hover("TDH.MEM.PAGE.ADD(le|vel: 0)")).toContain("RCX[2:0]");
  });

  it("decodes numbers and statuses", async () => {
    expect(await hover("let x = 0xc0000b08_0000_00|01")).toContain(
      "As a status: TDX_TLB_TRACKING_NOT_DONE(RCX): error",
    );
    expect(await hover("let x = 2|M")).toContain("As a size: 2 MiB");
    expect(await hover("let x = 0x4020_10|00")).toContain("L3 0, L2 1, L1 1, L0 1");
    expect(await hover("log TDX_OPERAND_BU|SY")).toContain("0x8000020000000000");
    expect(await hover("log TD_FIELD.MR|TD")).toContain("id of a metadata field");
  });

  it("shows a function with the comment above it", async () => {
    expect(await hover('import "lib"\nlog twi|ce(1)')).toBe("```tdxflow\nfn twice(n)\n```\n\nDoubles a number.");
    expect(await hover("log alloc_pa|ge()")).toContain("HPA of a free 4 KiB page");
    expect(await hover("log 1 |+ 2")).toBeUndefined();
  });
});

it("helps with the parameters of calls", async () => {
  const help = async (marked: string) => {
    const { text, offset, analysis, path } = await at(marked);
    const found = signatureAt(text, offset, analysis, path);
    return found && [found.label, found.active];
  };
  expect(await help('import "lib"\ntwice(|')).toEqual(["twice(n)", 0]);
  expect(await help('import "lib" as l\nl.twice(|')).toEqual(["l.twice(n)", 0]);
  expect(await help("write(1, |")).toEqual(["write(address, value, bytes?)", 1]);
  expect(await help("TDH.MEM.TRACK(tdr: |")).toEqual(["TDH.MEM.TRACK(tdr, version?)", 0]);
  expect(await help("let x = |")).toBeUndefined();
});

describe("names", () => {
  const MAIN = `import "lib"
let total = 0
fn add(n) {
  let m = twice(n)
  for i in 0 .. m { total += i spawn t { log "{n} {m}" } }
  { let m = 5 log m }
  return m
}
total = add(shared)
`;

  const use = async (find: string, nth = 0) => {
    const sources: Record<string, string> = { "main.tdx": MAIN, "lib.tdx": LIB };
    const analysis = await analyseFlow("main.tdx", { readSource: (path) => sources[path] });
    expect(analysis.diagnostics).toEqual([]);
    const offsets = [...MAIN.matchAll(new RegExp(`\\b${find}\\b`, "g"))].map((match) => match.index);
    return { analysis, offset: offsets[nth] as number };
  };
  const lineOf = (offset: number) => MAIN.slice(0, offset).split("\n").length;

  it("lead to where they are declared, also in other files and blocks that copy them", async () => {
    const local = await use("m", 2); // in the string of the spawned block
    const declared = definitionAt(local.analysis, "main.tdx", local.offset);
    expect(lineOf(declared?.start ?? 0)).toBe(4);
    const imported = await use("twice");
    expect(definitionAt(imported.analysis, "main.tdx", imported.offset)).toMatchObject({
      source: { path: "lib.tdx" },
      start: LIB.indexOf("twice"),
    });
    expect(definitionAt(imported.analysis, "main.tdx", 9)).toMatchObject({ source: { path: "lib.tdx" }, start: 0 });
  });

  it("are found everywhere they are used, and only there", async () => {
    const { analysis, offset } = await use("m", 0);
    expect(referencesAt(analysis, "main.tdx", offset).map((found) => lineOf(found.start))).toEqual([4, 5, 5, 7]);
    const total = await use("total");
    expect(referencesAt(total.analysis, "main.tdx", total.offset).map((found) => lineOf(found.start))).toEqual([
      2, 9, 5,
    ]);
  });

  it("are changed in all files", async () => {
    const { analysis, offset } = await use("shared");
    const uses = renameAt(analysis, "main.tdx", offset, "common");
    expect(typeof uses === "string" ? uses : uses.map((found) => found.source.path)).toEqual(["lib.tdx", "main.tdx"]);
    expect(renameAt(analysis, "main.tdx", offset, "total")).toMatch(/is taken/);
    expect(renameAt(analysis, "main.tdx", offset, "1x")).toMatch(/not a name/);
    expect(renameAt(analysis, "main.tdx", 0, "x")).toMatch(/only names of the flow/);
  });

  it("make the outline", async () => {
    const { analysis } = await use("total");
    expect(outlineOf(analysis, "main.tdx").map(({ name, kind }) => [name, kind])).toEqual([
      ["total", "variable"],
      ["add", "function"],
    ]);
  });
});
