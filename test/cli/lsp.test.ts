/** The language server as other editors start it, and the formatter. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type CodeAction,
  type CodeLens,
  type CompletionItem,
  createProtocolConnection,
  type InitializeResult,
  type Location,
  type PublishDiagnosticsParams,
  type SignatureHelp,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-languageserver/node";
import { snippets } from "../../src/language/services/snippets.ts";
import { type CommandLineUnderTest, commandLine, ROOT } from "./support.ts";

let cli: CommandLineUnderTest;
beforeAll(async () => {
  cli = await commandLine();
}, 60_000);
afterAll(() => cli.remove());

test("tdxflow lsp --stdio serves a client, with files from the disk, and ends with it", async () => {
  const path = cli.file("user.tdx", 'import "tdx/host"\nlet td = new_td({})\nlog missing + len(td)\n');
  const uri = pathToFileURL(path).href;
  const server = spawn(process.execPath, [cli.path, "lsp", "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve) => server.on("exit", resolve));
  const client = createProtocolConnection(
    new StreamMessageReader(server.stdout),
    new StreamMessageWriter(server.stdin),
  );
  const told = new Promise<PublishDiagnosticsParams>((resolve) =>
    client.onNotification("textDocument/publishDiagnostics", resolve),
  );
  client.listen();
  const workspaceFolders = [{ name: "here", uri: uri.slice(0, uri.lastIndexOf("/")) }];
  await client.sendRequest("initialize", { processId: process.pid, rootUri: null, capabilities: {}, workspaceFolders });
  await client.sendNotification("initialized", {});
  await client.sendNotification("textDocument/didOpen", {
    textDocument: { uri, languageId: "tdxflow", version: 1, text: readFileSync(path, "utf8") },
  });
  expect((await told).diagnostics.map(({ message }) => message)).toEqual(['"missing" is not defined']);
  const at = { textDocument: { uri }, position: { line: 1, character: 11 } };
  const found = await client.sendRequest<Location>("textDocument/definition", at);
  expect(found.uri).toBe(pathToFileURL(`${ROOT}/flows/tdx/host.tdx`).href);
  const context = { includeDeclaration: false };
  const uses = await client.sendRequest<Location[]>("textDocument/references", { ...at, context });
  expect(uses.map((use) => use.uri)).toContain(uri);
  await client.sendRequest("shutdown");
  await client.sendNotification("exit");
  expect(await ended).toBe(0);
});

/** A flow with something of everything that an editor asks about. */
const EVERYTHING = `let tdr = 4K
let r = TDH.MEM.SEPT.RD(gpa: 0x1234, level: 0, tdr: tdr)
log [r.status, TDX_OPERAND_BUSY, PT_TDR, 0xc0000b0800000001, 2M]
TDH.MEM.TRACK(tdr: tdr)
test "one" {
    expect tdr == 4K
}
`;

test("tdxflow lsp --stdio answers what editors ask about every kind of thing", async () => {
  const uri = pathToFileURL(cli.file("everything.tdx", EVERYTHING)).href;
  const server = spawn(process.execPath, [cli.path, "lsp", "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((resolve) => server.on("exit", resolve));
  const client = createProtocolConnection(
    new StreamMessageReader(server.stdout),
    new StreamMessageWriter(server.stdin),
  );
  const told = new Promise<PublishDiagnosticsParams>((resolve) =>
    client.onNotification("textDocument/publishDiagnostics", resolve),
  );
  client.listen();
  const { capabilities } = await client.sendRequest<InitializeResult>("initialize", {
    processId: process.pid,
    rootUri: null,
    capabilities: { textDocument: { completion: { completionItem: { snippetSupport: true } } } },
    initializationOptions: { runCommands: true },
  });
  expect(capabilities).toMatchObject({
    hoverProvider: true,
    definitionProvider: true,
    referencesProvider: true,
    renameProvider: { prepareProvider: true },
    documentSymbolProvider: true,
    foldingRangeProvider: true,
    documentFormattingProvider: true,
    codeActionProvider: {},
    codeLensProvider: {},
    semanticTokensProvider: {},
    signatureHelpProvider: {},
  });
  await client.sendNotification("initialized", {});
  await client.sendNotification("textDocument/didOpen", {
    textDocument: { uri, languageId: "tdxflow", version: 1, text: EVERYTHING },
  });

  const textDocument = { uri };
  const lines = EVERYTHING.split("\n");
  const at = (text: string, into = 1) => {
    const line = lines.findIndex((candidate) => candidate.includes(text));
    return { textDocument, position: { line, character: (lines[line] as string).indexOf(text) + into } };
  };
  const hover = async (text: string) => JSON.stringify(await client.sendRequest("textDocument/hover", at(text)));
  expect(await hover("SEPT.RD")).toMatch(/Reads.*operand.*register.*Statuses.*Locks/);
  expect(await hover("PT_TDR")).toContain("Page type");
  expect(await hover("TDX_OPERAND_BUSY")).toContain("resource busy");
  expect(await hover("0xc0000b08")).toContain("Usually:");
  expect(await hover("0x1234")).toMatch(/0x1234.*= 4660.*S-EPT indexes L4 0.*offset 0x234/);
  expect(await hover("2M")).toMatch(/0x200000.*= 2097152.*2 MiB, 512 pages/);
  const help = await client.sendRequest<SignatureHelp>("textDocument/signatureHelp", at("TRACK(tdr: tdr", 12));
  expect(help.signatures[0]?.label).toBe("TDH.MEM.TRACK(tdr)");

  const [warning] = (await told).diagnostics;
  expect(warning?.message).toBe('"gpa" is the address of a page: a multiple of 4K');
  const actions = await client.sendRequest<CodeAction[]>("textDocument/codeAction", {
    textDocument,
    range: warning?.range,
    context: { diagnostics: [warning] },
  });
  expect(actions.map(({ title }) => title)).toEqual(["Change to 0x1000"]);
  const lenses = await client.sendRequest<CodeLens[]>("textDocument/codeLens", { textDocument });
  expect(lenses.map(({ command, range }) => `${range.start.line} ${command?.command}`)).toEqual([
    "0 tdxflow.runFile",
    "0 tdxflow.debugFile",
    "4 tdxflow.runTest",
    "4 tdxflow.debugTest",
  ]);
  const items = await client.sendRequest<CompletionItem[]>("textDocument/completion", {
    textDocument,
    position: { line: lines.length - 1, character: 0 },
  });
  expect(items.filter(({ kind }) => kind === 15).map(({ label }) => label)).toEqual(snippets.map(({ name }) => name));
  await client.sendRequest("shutdown");
  await client.sendNotification("exit");
  expect(await ended).toBe(0);
});

test("tdxflow fmt lays files out, once", () => {
  const path = cli.file("ugly.tdx", "fn f(){\nlog 1}\n");
  const checked = cli.run("fmt", "--check", path);
  expect([checked.code, checked.out.trim()]).toEqual([1, path]);
  expect(readFileSync(path, "utf8")).toBe("fn f(){\nlog 1}\n");
  expect(cli.run("fmt", path).code).toBe(0);
  expect(readFileSync(path, "utf8")).toBe("fn f() {\n    log 1 }\n");
  expect(JSON.parse(cli.run("fmt", "--check", "--json", path).out)).toEqual({ files: 1, changed: [] });
});

test("tdxflow fmt says what keeps a file from being laid out, and leaves it", () => {
  const path = cli.file("broken.tdx", "let = 1\n");
  const { code, err } = cli.run("fmt", path);
  expect(code).toBe(2);
  expect(err).toContain(`${path}:1:5: error:`);
  expect(cli.run("fmt", "nowhere.tdx")).toMatchObject({ code: 2, err: "cannot read nowhere.tdx\n" });
});
