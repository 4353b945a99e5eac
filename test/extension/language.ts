import assert from "node:assert/strict";
import * as vscode from "vscode";
import type { HostTest } from "./harness.ts";

async function open(name: string): Promise<vscode.TextEditor> {
  const [file] = await vscode.workspace.findFiles(name);
  assert.ok(file, `${name} is in the workspace`);
  return vscode.window.showTextDocument(file);
}

export const languageTests: readonly HostTest[] = [
  {
    name: "a .tdx file is a flow",
    async body() {
      const { document } = await open("td-lifecycle.tdx");
      assert.equal(document.languageId, "tdxflow");
    },
  },
  {
    name: "the language has comments and brackets of its own",
    async body() {
      const editor = await open("td-lifecycle.tdx");
      const before = editor.document.lineAt(0).text;
      editor.selection = new vscode.Selection(0, 0, 0, 0);
      await vscode.commands.executeCommand("editor.action.commentLine");
      assert.notEqual(editor.document.lineAt(0).text, before);
      await vscode.commands.executeCommand("editor.action.commentLine");
      assert.equal(editor.document.lineAt(0).text, before);
    },
  },
];
