import * as vscode from "vscode";
import { check, equal, type HostTest, withTimeout } from "./harness.ts";

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
  {
    name: "a slip in a leaf's name is told where it stands, and no more once it is mended",
    async body() {
      const { document } = await open("unknown-leaf.tdx");
      const [{ range, message }] = await diagnostics(document.uri, (list) => list.length > 0);
      equal([range.start.line, range.start.character], [1, 8], "place");
      check(message.includes("TDH.MEM.PAGE.ADD"), "the nearest name is not offered", message);
      const edit = new vscode.WorkspaceEdit();
      edit.replace(document.uri, new vscode.Range(1, 0, 2, 0), "let r = { status: 0 }\n");
      await vscode.workspace.applyEdit(edit);
      await diagnostics(document.uri, (list) => list.length === 0);
      await vscode.commands.executeCommand("workbench.action.files.revert");
    },
  },
];

/** Waits until what is said about a file is as `wanted`. */
async function diagnostics(
  uri: vscode.Uri,
  wanted: (list: vscode.Diagnostic[]) => boolean,
): Promise<[vscode.Diagnostic, ...vscode.Diagnostic[]]> {
  const found = new Promise<vscode.Diagnostic[]>((resolve) => {
    const look = (): void => {
      const list = vscode.languages.getDiagnostics(uri);
      if (!wanted(list)) return;
      listener.dispose();
      resolve(list);
    };
    const listener = vscode.languages.onDidChangeDiagnostics(look);
    look();
  });
  return withTimeout(found, 5000, "the diagnostics did not come") as Promise<[vscode.Diagnostic]>;
}
