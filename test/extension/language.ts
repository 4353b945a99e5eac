import * as vscode from "vscode";
import { check, equal, type HostTest } from "./harness.ts";

/** Opens a flow of the workspace by its name. */
export async function open(name: string): Promise<vscode.TextEditor> {
  const [file] = await vscode.workspace.findFiles(name);
  check(file, `${name} is not in the workspace`);
  return vscode.window.showTextDocument(file);
}

/** "node" or "browser", as the tests were bundled. */
declare const EXTENSION_HOST: string;

export const languageTests: readonly HostTest[] = [
  {
    name: "runs where it is meant to",
    async body() {
      equal("importScripts" in globalThis ? "browser" : "node", EXTENSION_HOST, "extension host");
    },
  },
  {
    name: "a .tdx file is a flow",
    async body() {
      const { document } = await open("td-lifecycle.tdx");
      equal(document.languageId, "tdxflow", "language");
    },
  },
  {
    name: "the language has comments of its own",
    async body() {
      const editor = await open("endless.tdx");
      const before = editor.document.lineAt(1).text;
      editor.selection = new vscode.Selection(1, 0, 1, 0);
      await vscode.commands.executeCommand("editor.action.commentLine");
      equal(editor.document.lineAt(1).text, `// ${before}`, "commented");
      await vscode.commands.executeCommand("editor.action.commentLine");
      equal(editor.document.lineAt(1).text, before, "uncommented");
    },
  },
];
