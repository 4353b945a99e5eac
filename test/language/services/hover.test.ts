import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Hover, SignatureHelp } from "vscode-languageserver/node";
import { LanguageClient } from "./client.ts";

let client: LanguageClient;
beforeAll(async () => {
  client = await LanguageClient.start({
    "lib.tdx": "// Adds two numbers.\n// Wraps.\nfn add(a, b) { return a + b }\n",
  });
});
afterAll(() => client.stop());

async function hover(text: string): Promise<string> {
  const found = await client.ask<Hover | null>("textDocument/hover", text);
  return found === null ? "" : (found.contents as { value: string }).value;
}

const signature = (text: string): Promise<SignatureHelp | null> => client.ask("textDocument/signatureHelp", text);

describe("hover", () => {
  it("tells of a leaf its purpose, operands with registers, statuses and locks", async () => {
    const text = await hover("TDH.MEM.SEPT.|ADD(gpa: 0, level: 1, tdr: 2, page: 3)");
    expect(text).toContain("TDH.MEM.SEPT.ADD(gpa, level?, tdr, page)");
    expect(text).toContain("| `level`? | RCX[2:0] |");
    expect(text).toContain("TDX_EPT_WALK_FAILED");
    expect(text).toContain("SEPT_TREE (shared)");
  });

  it("tells of an operand and of a result's field what they are", async () => {
    expect(await hover("TDH.MEM.TRACK(td|r: 1)")).toContain("(RCX)");
    expect(await hover("let r = TDH.PHYMEM.PAGE.RDMD(hpa: 1)\nlog r.page_|type")).toContain(
      "Type of the page in the PAMT",
    );
  });

  it("means the innermost variable of a name, wherever the outer one is declared", async () => {
    const text = "fn f() {\n  let x = TDH.PHYMEM.PAGE.RDMD(hpa: 1)\n  log x.page_|type\n}\nlet x = 5\nlog x";
    expect(await hover(text)).toContain("Type of the page in the PAMT");
  });

  it("decodes statuses, by name and as numbers", async () => {
    expect(await hover("log TDX_OPERAND|_BUSY")).toContain("resource busy");
    const text = await hover("log 0xc0000b08000|00001");
    expect(text).toContain("0xc0000b0800000001");
    expect(text).toContain("Usually:");
  });

  it("writes numbers otherwise: size, and indexes of an S-EPT walk", async () => {
    expect(await hover("log 2|M")).toContain("`0x200000` = 2097152");
    expect(await hover("log 2|M")).toContain("2 MiB, 512 pages of 4 KiB");
    expect(await hover("log 0x80_4020_1|000")).toContain("L4 0, L3 1, L2 1, L1 1, L0 1");
    expect(await hover("log |7")).toBe("`0x7` = 7");
  });

  it("tells of constants, fields, builtins", async () => {
    expect(await hover("log PT|_TDR")).toContain("Page type in the PAMT.");
    expect(await hover("log TD_FIELD.TSC|_OFFSET")).toContain("Id of a metadata field");
    expect(await hover("let a = alloc|_page()")).toContain("HPA of a free 4 KiB page");
  });

  it("tells of a platform's entries what they are, and what holds without them", async () => {
    expect(await hover("platform { key|ids 64 }")).toBe(
      "**keyids**: number of KeyIDs in all, a power of two. From 2 to 4096.\n\nWithout it: 64.",
    );
    expect(await hover("platform { memory 0 .. 2G no|de 0 }")).toContain("NUMA node of the memory before it");
    expect(await hover("platform { without NO_RBP|_MOD }")).toContain("RBP is kept");
  });

  it("shows declarations with their comments, also imported ones and in strings", async () => {
    expect(await hover('import "lib"\nlog "{ad|d(1, 2)}"')).toBe(
      "```tdxflow\nfn add(a, b)\n```\n\nAdds two numbers.\nWraps.",
    );
    expect(await hover("// The page.\nlet page = 4K * 2\nlog pa|ge")).toBe(
      "```tdxflow\nlet page = 4K * 2\n```\n\nThe page.",
    );
  });

  it("is silent where there is nothing to tell", async () => {
    for (const text of ["let |\n", "// TDH.MEM.|TRACK", "log unknown|", 'log "te|xt"'])
      expect(await hover(text), text).toBe("");
  });
});

describe("signature help", () => {
  it("marks the operand at hand, in any order", async () => {
    const found = await signature("TDH.MEM.SEPT.ADD(tdr: 1, level: |");
    expect(found?.signatures[0]?.label).toBe("TDH.MEM.SEPT.ADD(gpa, level?, tdr, page)");
    expect(found?.activeParameter).toBe(1);
    expect((await signature("TDH.MEM.SEPT.ADD(|"))?.activeParameter).toBe(4);
  });

  it("marks the parameter at hand of functions and builtins", async () => {
    const found = await signature('import "lib"\nlog add(max(1, 2), |)');
    expect(found?.signatures[0]).toMatchObject({ label: "add(a, b)", activeParameter: 1 });
    expect((await signature("log max(1, |)"))?.signatures[0]).toMatchObject({ label: "max(a, b)", activeParameter: 1 });
    expect((await signature("log alloc_pages(1, node: |)"))?.activeParameter).toBe(2);
    expect((await signature("log max(a: 1, c: |)"))?.activeParameter).toBe(2);
    expect(await signature("if (1 == |")).toBeNull();
  });
});
