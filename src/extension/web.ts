/** The entry point where a browser runs the extension. */
import * as vscode from "vscode";
import { LanguageClient } from "vscode-languageclient/browser";
import { activateWith } from "./activation.ts";

export function activate(context: vscode.ExtensionContext): void {
  const worker = vscode.Uri.joinPath(context.extensionUri, "dist", "web", "language-worker.js");
  activateWith(context, async (id, name, options) => new LanguageClient(id, name, await startWorker(worker), options));
}

/** Started from its text: a worker cannot be loaded from every place that an extension can lie in. */
async function startWorker(uri: vscode.Uri): Promise<Worker> {
  const text = await vscode.workspace.fs.readFile(uri);
  const url = URL.createObjectURL(new Blob([new Uint8Array(text)], { type: "text/javascript" }));
  return new Worker(url);
}
