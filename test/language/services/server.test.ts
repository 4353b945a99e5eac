import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type {
  CodeAction,
  CodeLens,
  Diagnostic,
  DocumentSymbol,
  FoldingRange,
  SemanticTokens,
  TextEdit,
} from "vscode-languageserver/node";
import { sourceFile } from "../../../src/language/diagnostics.ts";
import { offsetOf } from "../../../src/language/services/places.ts";
import { TOKEN_TYPES } from "../../../src/language/services/semantic-tokens.ts";
import { FOLDER, LanguageClient } from "./client.ts";

let client: LanguageClient;
beforeEach(async () => {
  client = await LanguageClient.start({ "broken.tdx": "let a = nothing_here\n", "lib.tdx": "fn f(a) { return a }\n" });
});
afterEach(() => client.stop());

const about = (uri: string) => ({ textDocument: { uri } });

function apply(text: string, edits: readonly TextEdit[]): string {
  const source = sourceFile("", text);
  const placed = edits.map(({ range, newText }) => ({
    from: offsetOf(source, range.start),
    to: offsetOf(source, range.end),
    newText,
  }));
  placed.sort((a, b) => b.from - a.from);
  return placed.reduce((all, { from, to, newText }) => all.slice(0, from) + newText + all.slice(to), text);
}

describe("diagnostics", () => {
  it("come when a flow is opened, change with it, and go when it is closed", async () => {
    const { uri } = await client.open("TDH.MEM.PAGE.AD(gpa: 0)\n");
    const [first] = await client.diagnostics(uri, (list) => list.length > 0);
    expect(first).toMatchObject({ code: "unknown-leaf", severity: 1, range: { start: { line: 0, character: 0 } } });
    await client.change(uri, "TDH.SYS.INIT()\n");
    await client.diagnostics(uri, (list) => list.length === 0);
    await client.change(uri, "log nothing\n", 3);
    await client.diagnostics(uri, (list) => list.length === 1);
    await client.connection.sendNotification("textDocument/didClose", about(uri));
    await client.diagnostics(uri, (list) => list.length === 0);
  });

  it("come for imported files too, until they are open themselves", async () => {
    await client.open('import "broken"\nlog a\n');
    const broken = `${FOLDER}/broken.tdx`;
    await client.diagnostics(broken, (list) => list.length === 1);
    await client.open("let a = 1\n", "broken.tdx");
    await client.diagnostics(broken, (list) => list.length === 0);
  });

  it("say which file cannot be read", async () => {
    const { uri } = await client.open('import "locked"\n');
    const [unread] = await client.diagnostics(uri, (list) => list.length > 0);
    expect(unread?.message).toContain('no flow "locked": looked for');
  });

  it("follow changes in an imported file that is open", async () => {
    const { uri } = await client.open('import "lib"\nlog f(1)\n');
    await client.diagnostics(uri, (list) => list.length === 0);
    await client.open("fn g() {}\n", "lib.tdx");
    const [unknown] = await client.diagnostics(uri, (list) => list.length > 0);
    expect(unknown?.message).toContain('"f" is not defined');
  });
});

describe("quick fixes", () => {
  async function fixes(text: string): Promise<{ title: string; fixed: string }[]> {
    const { uri } = await client.open(text);
    const diagnostics = await client.diagnostics(uri, (list) => list.length > 0);
    const [{ range }] = diagnostics as [Diagnostic];
    const actions = await client.connection.sendRequest<CodeAction[]>("textDocument/codeAction", {
      ...about(uri),
      range,
      context: { diagnostics },
    });
    return actions.map(({ title, edit }) => ({ title, fixed: apply(text, edit?.changes?.[uri] ?? []) }));
  }

  it.each([
    ["an unknown leaf", "let r = TDH.SYS.INITT()\nlog r\n", "let r = TDH.SYS.INIT()\nlog r\n"],
    ["an unknown operand", "TDH.MEM.TRACK(tdrr: 1)\n", "TDH.MEM.TRACK(tdr: 1)\n"],
    ["an unknown name", "let page = 1\nlog pagee\n", "let page = 1\nlog page\n"],
    ["a word of another language", "const x = 1\n", "let x = 1\n"],
    ["a leaf in small letters", "tdh.mem.track(tdr: 4K)\n", "TDH.MEM.TRACK(tdr: 4K)\n"],
    ["a status as text", 'log TDH.SYS.INIT().status == "TDX_SUCCESS"\n', "log TDH.SYS.INIT().status == TDX_SUCCESS\n"],
    ["an unknown constant", "log TDX_OPERAND_BUSSY\n", "log TDX_OPERAND_BUSY\n"],
    ["an unknown metadata field", "log TD_FIELD.TSC_OFSET\n", "log TD_FIELD.TSC_OFFSET\n"],
    [
      "a missing operand",
      "let tdr = 1\nTDH.MEM.SEPT.ADD(gpa: 0, page: 4K)\n",
      "let tdr = 1\nTDH.MEM.SEPT.ADD(gpa: 0, page: 4K, tdr: tdr)\n",
    ],
    ["all operands", "TDH.MEM.TRACK()\n", "TDH.MEM.TRACK(tdr: 0)\n"],
    ["a variable that is not declared", "page = 1\n", "let page = 1\n"],
    ["an entry of the platform", "platform { packges 2 }\n", "platform { packages 2 }\n"],
    ["a feature", "platform { without NO_RBP_MODS }\n", "platform { without NO_RBP_MOD }\n"],
    ["a module's version", 'platform { module "1.5.06" }\n', 'platform { module "1.5.01" }\n'],
    ["memory that is not of pages", "platform { memory 1 .. 8K }\n", "platform { memory 0x0 .. 0x2000 }\n"],
    ["a variable that nobody reads", "fn f() { let a = alloc_page() }\n", "fn f() { alloc_page() }\n"],
    ["a result that nobody looks at", "fn f() { let r = TDH.SYS.INIT() }\n", "fn f() { expect TDH.SYS.INIT() }\n"],
    ["a result at top level", "let r = TDH.SYS.INIT()\nlog 1\n", "TDH.SYS.INIT()\nlog 1\n"],
    ["what is never reached", "fn f() { return 1 log 2 log 3 }\n", "fn f() { return 1  }\n"],
    ["a call that does nothing", "log 1\nhex(2)\n", "log 1\n\n"],
    ["a join of nothing", "join worker\nlog 1\n", "\nlog 1\n"],
    ["a join of another task", "spawn worker { }\njoin worked\n", "spawn worker { }\njoin worker\n"],
    ["a join of what is no task", "let n = 1\nspawn w { }\njoin n\n", "let n = 1\nspawn w { }\njoin w\n"],
    [
      "a level that the leaf does not take",
      "TDH.MEM.SEPT.ADD(gpa: 0, level: 0, tdr: 0, page: 0)\n",
      "TDH.MEM.SEPT.ADD(gpa: 0, level: 1, tdr: 0, page: 0)\n",
    ],
    [
      "a GPA inside a large page",
      "TDH.MEM.PAGE.AUG(gpa: 0x201000, level: 1, tdr: 0, hpa: 0)\n",
      "TDH.MEM.PAGE.AUG(gpa: 0x200000, level: 1, tdr: 0, hpa: 0)\n",
    ],
    ["an address that is no page's", "TDH.MEM.TRACK(tdr: 0x1234)\n", "TDH.MEM.TRACK(tdr: 0x1000)\n"],
  ])("mend %s", async (_, text, expected) => {
    expect((await fixes(text)).map(({ fixed }) => fixed)).toContain(expected);
  });
});

describe("structure", () => {
  const TEXT = `import "lib"
import "lib" as other

// One.
// Two.
platform {
    packages 1
}
fn g(a, b) {
    return a
}
let x = g(1,
    2)
spawn worker { yield }
join worker
`;

  it("is outlined", async () => {
    const { uri } = await client.open(TEXT);
    const symbols = await client.connection.sendRequest<DocumentSymbol[]>("textDocument/documentSymbol", about(uri));
    expect(symbols.map(({ name, detail }) => `${name} ${detail}`)).toEqual([
      "lib ",
      "lib other",
      "platform ",
      "g (a, b)",
      "x g(1,",
      "worker task",
    ]);
    expect(symbols[3]?.selectionRange).toEqual({ start: { line: 8, character: 3 }, end: { line: 8, character: 4 } });
  });

  it("can be folded", async () => {
    const { uri } = await client.open(TEXT);
    const ranges = await client.connection.sendRequest<FoldingRange[]>("textDocument/foldingRange", about(uri));
    expect(ranges.map(({ startLine, endLine, kind }) => `${startLine}-${endLine} ${kind ?? ""}`).sort()).toEqual([
      "0-1 imports",
      "3-4 comment",
      "5-6 ",
      "8-9 ",
    ]);
  });

  it("can be run where it does something", async () => {
    const { uri } = await client.open(TEXT);
    const found = await client.connection.sendRequest<CodeLens[]>("textDocument/codeLens", about(uri));
    expect(found.map(({ command }) => command?.title)).toEqual(["Run", "Debug"]);
    const { uri: tested } = await client.open('fn f() {}\ntest "one" { f() }\n', "tested.tdx");
    const [run, debug] = await client.connection.sendRequest<CodeLens[]>("textDocument/codeLens", about(tested));
    expect(run).toMatchObject({
      range: { start: { line: 1, character: 0 } },
      command: { command: "tdxflow.runTest", arguments: [tested, "one"] },
    });
    expect(debug?.command?.command).toBe("tdxflow.debugTest");
    const { uri: library } = await client.open("fn f() {}\n", "library.tdx");
    expect(await client.connection.sendRequest<CodeLens[]>("textDocument/codeLens", about(library))).toEqual([]);
  });

  it("is coloured by what names are", async () => {
    const { uri } = await client.open('import "lib"\nTDH.MEM.TRACK(tdr: f(x))\nlog PT_TDR\nlet x = alloc_page()\n');
    const { data } = await client.connection.sendRequest<SemanticTokens>(
      "textDocument/semanticTokens/full",
      about(uri),
    );
    const types: string[] = [];
    for (let at = 0; at < data.length; at += 5)
      types.push(`${data[at + 2]} ${TOKEN_TYPES[data[at + 3] as number]} ${data[at + 4]}`);
    expect(types).toEqual([
      "13 function 2",
      "3 parameter 2",
      "1 function 0",
      "1 variable 0",
      "6 enumMember 6",
      "1 variable 1",
      "10 function 2",
    ]);
  });

  it("is laid out on request", async () => {
    const text = "{\nlog 1\n}";
    const { uri } = await client.open(text);
    const edits = await client.connection.sendRequest<TextEdit[]>("textDocument/formatting", {
      ...about(uri),
      options: { tabSize: 2, insertSpaces: true },
    });
    expect(apply(text, edits)).toBe("{\n  log 1\n}\n");
  });
});
