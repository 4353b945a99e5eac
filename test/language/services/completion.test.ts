import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CompletionItem } from "vscode-languageserver/node";
import { leafSignatures } from "../../../src/arch/leaf-operands.ts";
import { compileFlow } from "../../../src/language/compile.ts";
import { snippets, withoutPlaces } from "../../../src/language/services/snippets.ts";
import { LanguageClient } from "./client.ts";

let client: LanguageClient;
beforeAll(async () => {
  client = await LanguageClient.start({
    "lib/host.tdx": "// Makes a TD.\nfn new_td(pages) { let td = { tdr: 1, hkid: 2 } return td }\nlet ready = false\n",
    "other.tdx": "fn f() {}\n",
    "shipped/tdx/structs.tdx": "fn write_td_params(at, values) {}\n",
  });
});
afterAll(() => client.stop());

const labels = (items: readonly CompletionItem[]): string[] => items.map(({ label }) => label);

describe("completion of leaf functions", () => {
  it("offers the leaves of a path, and a call with the operands that it needs", async () => {
    const items = await client.completions("TDH.MEM.PAGE.|");
    const expected = [...leafSignatures.keys()].filter((name) => name.startsWith("TDH.MEM.PAGE."));
    expect(labels(items).sort()).toEqual(expected.sort());
    const add = items.find(({ label }) => label === "TDH.MEM.PAGE.ADD");
    expect(add?.textEdit).toEqual({
      range: { start: { line: 0, character: 0 }, end: { line: 0, character: 13 } },
      newText: "TDH.MEM.PAGE.ADD(gpa: $1, tdr: $2, hpa: $3, source: $4)$0",
    });
  });

  it("leaves parentheses that are there alone", async () => {
    const [item] = (await client.completions("TDH.MEM.TR|(tdr: 1)")).filter(({ label }) => label === "TDH.MEM.TRACK");
    expect(item?.textEdit).toMatchObject({ newText: "TDH.MEM.TRACK" });
  });

  it("offers exactly the operands of the leaf at hand", async () => {
    const items = await client.completions("TDH.MEM.PAGE.ADD(|)");
    expect(labels(items)).toEqual(leafSignatures.get("TDH.MEM.PAGE.ADD")?.inputs.map(({ name }) => name));
    const page = items.find(({ label }) => label === "tdr");
    expect(page).toMatchObject({ detail: "RDX", insertText: "tdr: " });
    expect(JSON.stringify(page?.documentation)).toContain("HPA of the TD's root page");
  });

  it("offers only operands that are not given yet, also in a call of several lines that is not finished", async () => {
    const items = await client.completions(
      "let t = 1\nTDH.MEM.SEPT.ADD(gpa: 0,\n  tdr: f([1, 2], t),\n  |\nlet u = 2\n",
    );
    expect(labels(items)).toEqual(["level", "page", "version"]);
  });

  it("offers values behind an operand's colon", async () => {
    const items = labels(await client.completions("let my_tdr = 1\nTDH.MEM.TRACK(tdr: |)"));
    expect(items).toContain("my_tdr");
    expect(items).toContain("alloc_page");
    expect(items).not.toContain("version");
  });

  it("offers registers for a call by number", async () => {
    expect(labels(await client.completions("seamcall(|)"))).toContain("rcx");
  });
});

describe("completion of names", () => {
  it("offers what is known here and not what is known elsewhere", async () => {
    const items = labels(
      await client.completions(
        "fn f(given) { let inner = 1 for i in 0 .. 2 { | } }\nfn g(other) { let hidden = 1 }\nlet top = 1\n",
      ),
    );
    expect(items).toEqual(
      expect.arrayContaining(["given", "inner", "i", "f", "g", "top", "TDX_SUCCESS", "PT_TDR", "let", "log"]),
    );
    expect(items).not.toContain("other");
    expect(items).not.toContain("hidden");
  });

  it("offers what imports bring, with the comment above it", async () => {
    const items = await client.completions('import "lib/host"\nlet td = |\n');
    const made = items.find(({ label }) => label === "new_td");
    expect(made).toMatchObject({ detail: "(pages)" });
    expect(JSON.stringify(made?.documentation)).toContain("Makes a TD.");
    expect(labels(await client.completions('import "lib/host" as host\nhost.|\n'))).toEqual(["new_td", "ready"]);
  });

  it("offers nothing for a new name, in comments and in text", async () => {
    for (const text of ["let |", "// TDH.|", 'log "TDH.|"', "/* a | b */", "log 0x1|"]) {
      expect(await client.completions(text), text).toEqual([]);
    }
  });

  it("works in the braces of a string", async () => {
    const items = labels(await client.completions('let r = TDH.SYS.INIT()\nlog "got {r.|} and more"\n'));
    expect(items.slice(0, 3)).toEqual(["status", "ok", "name"]);
  });

  it("explains what is looked at", async () => {
    const [constant] = (await client.completions("TDX_OPERAND_BUS|")).filter(
      ({ label }) => label === "TDX_OPERAND_BUSY",
    );
    const resolved = await client.connection.sendRequest<CompletionItem>("completionItem/resolve", constant);
    expect(JSON.stringify(resolved.documentation)).toContain("Another LP is inside a leaf");
  });
});

describe("snippets", () => {
  it("are offered where a statement can begin, and nowhere else", async () => {
    expect(labels(await client.completions("|\n"))).toContain("retry while busy");
    expect(labels(await client.completions("log |\n"))).not.toContain("retry while busy");
    expect(labels(await client.completions("TDH.MEM.TRACK(|)\n"))).toEqual(["tdr", "version"]);
  });

  it.each(snippets.map(({ name, lines }) => ({ name, text: withoutPlaces(lines) })))(
    "$name compiles",
    async ({ text }) => {
      const names =
        "fn f(tdr, tdvpr, gpa) { log [tdr, tdvpr, gpa] }\nlet tdr = 4K\nlet tdvpr = 4K\nlet gpa = 0\nlog [tdr, tdvpr, gpa]\n";
      const files = (path: string) => (existsSync(path) ? readFileSync(path, "utf8") : undefined);
      const readSource = (path: string) => (path === "flow.tdx" ? names + text : files(path));
      const { diagnostics } = await compileFlow("flow.tdx", { readSource, flowsFolder: "flows" });
      expect(diagnostics).toEqual([]);
    },
  );
});

describe("completion of fields, entries and paths", () => {
  it("offers the outputs of a leaf's result", async () => {
    const items = labels(await client.completions("let r = TDH.PHYMEM.PAGE.RDMD(hpa: 0)\nexpect r.|\n"));
    expect(items).toEqual(expect.arrayContaining(["status", "page_type", "owner", "rcx"]));
    expect(labels(await client.completions("expect TDH.PHYMEM.PAGE.RDMD(hpa: 0).|"))).toContain("page_type");
  });

  it("offers the fields of records, also of those that functions return", async () => {
    expect(labels(await client.completions("let r = { a: { x: 1 }, b: 2 }\nlog r.|"))).toEqual(["a", "b"]);
    expect(labels(await client.completions('import "lib/host"\nlet td = new_td(1)\nlog td.|'))).toEqual([
      "tdr",
      "hkid",
    ]);
  });

  it("offers metadata fields and entries of the platform", async () => {
    expect(labels(await client.completions("log TD_FIELD.|"))).toContain("TSC_OFFSET");
    expect(labels(await client.completions("platform { packages 2 | }"))).toContain("keyids");
    expect(labels(await client.completions("platform { memory 0 .. 2G n|"))).toContain("node");
    expect(labels(await client.completions("platform { without | }"))).toContain("NO_RBP_MOD");
    expect(labels(await client.completions("platform { integrity | }"))).toEqual(["true", "false"]);
    expect(labels(await client.completions("platform { module | }"))).toEqual(['"1.5.01"']);
    expect(await client.completions("platform { packages | }")).toEqual([]);
  });

  it("offers flows to import", async () => {
    expect(labels(await client.completions('import "|"')).sort()).toEqual(["lib/host", "other", "tdx/structs"]);
  });
});
