/** The language server as other editors start it, and the formatter. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  createProtocolConnection,
  type Location,
  type PublishDiagnosticsParams,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-languageserver/node";
import { type CommandLineUnderTest, commandLine, ROOT } from "./support.ts";

let cli: CommandLineUnderTest;
beforeAll(async () => {
  cli = await commandLine();
}, 60_000);
afterAll(() => cli.remove());

test("tdxflow lsp --stdio serves a client, with files from the disk, and ends with it", async () => {
  const path = cli.file("user.tdx", 'import "tdx/host"\nlet td = new_td({})\nlog missing\n');
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
