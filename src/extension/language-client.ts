/** The client of the language server: starts it, and gives it the files that only the editor can reach. */
import * as vscode from "vscode";
import type { BaseLanguageClient, LanguageClientOptions } from "vscode-languageclient";
import { type ClientOptions, LIST_REQUEST, READ_REQUEST } from "../language/services/client-files.ts";
import { pathOfUri, readSource } from "./host.ts";

/** Makes the client for where the extension runs. */
export type MakeClient = (id: string, name: string, options: LanguageClientOptions) => Promise<BaseLanguageClient>;

/** @param extension where the shipped flows lie */
export function startLanguageClient(extension: vscode.Uri, makeClient: MakeClient): vscode.Disposable {
  const flows = vscode.Uri.joinPath(extension, "flows");
  const initializationOptions: ClientOptions = { runCommands: true, flowsFolder: flows.toString() };
  const options: LanguageClientOptions = {
    documentSelector: [{ language: "tdxflow" }],
    initializationOptions,
    outputChannelName: "TDX Flow Language",
  };
  const started = makeClient("tdxflow", "TDX Flow", options).then(async (client) => {
    client.onRequest(READ_REQUEST, async ({ uri }: { uri: string }) => {
      return (await readSource(pathOfUri(vscode.Uri.parse(uri)))) ?? null;
    });
    client.onRequest(LIST_REQUEST, () => list(flows));
    await client.start();
    return client;
  });
  started.catch((error: unknown) => {
    void vscode.window.showErrorMessage(`The language server of TDX flows did not start: ${error}`);
  });
  // One that did not start has nothing to end, and said so.
  return { dispose: () => void started.then((client) => client.dispose()).catch(() => undefined) };
}

/** All flows of the workspace, and the shipped ones. */
async function list(flows: vscode.Uri): Promise<string[]> {
  const found = await vscode.workspace.findFiles("**/*.tdx", "**/node_modules/**");
  return [...found, ...(await flowsIn(flows))].map((uri) => uri.toString());
}

async function flowsIn(folder: vscode.Uri): Promise<vscode.Uri[]> {
  const found: vscode.Uri[] = [];
  for (const [name, type] of await vscode.workspace.fs.readDirectory(folder)) {
    const uri = vscode.Uri.joinPath(folder, name);
    if (type === vscode.FileType.Directory) found.push(...(await flowsIn(uri)));
    else if (name.endsWith(".tdx")) found.push(uri);
  }
  return found;
}
