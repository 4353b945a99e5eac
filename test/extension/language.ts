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
  {
    name: "completion inside a leaf call offers exactly its operands",
    async body() {
      const document = await vscode.workspace.openTextDocument({
        language: "tdxflow",
        content: "TDH.MEM.SEPT.ADD(gpa: 0, )\n",
      });
      await vscode.window.showTextDocument(document);
      const list = await vscode.commands.executeCommand<vscode.CompletionList>(
        "vscode.executeCompletionItemProvider",
        document.uri,
        new vscode.Position(0, 25),
      );
      const operands = list.items.map(({ label }) => (typeof label === "string" ? label : label.label));
      equal(operands, ["tdr", "page", "level", "version"], "operands");
      await vscode.commands.executeCommand("workbench.action.revertAndCloseActiveEditor");
    },
  },
  {
    name: "a quick fix mends a slip",
    async body() {
      const { document } = await open("unknown-leaf.tdx");
      const [{ range }] = await diagnostics(document.uri, (list) => list.length > 0);
      const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
        "vscode.executeCodeActionProvider",
        document.uri,
        range,
        vscode.CodeActionKind.QuickFix.value,
      );
      const action = actions.find(({ title }) => title === "Change to TDH.MEM.PAGE.ADD");
      check(
        action?.edit,
        "no fix is offered",
        actions.map(({ title }) => title),
      );
      await vscode.workspace.applyEdit(action.edit);
      check(document.lineAt(1).text.includes("TDH.MEM.PAGE.ADD("), "not mended", document.getText());
      await vscode.commands.executeCommand("workbench.action.files.revert");
    },
  },
  {
    name: "a function is renamed in the file that declares it and in one that imports it",
    async body() {
      const { document: user } = await open("rename-user.tdx");
      const { document: library } = await open("rename-library.tdx");
      for (const [from, to] of [
        ["shared_name", "better_name"],
        ["better_name", "shared_name"],
      ] as const) {
        const edit = await vscode.commands.executeCommand<vscode.WorkspaceEdit>(
          "vscode.executeDocumentRenameProvider",
          user.uri,
          user.positionAt(user.getText().indexOf(from)),
          to,
        );
        const edits = edit.entries().map(([uri, list]) => `${uri.path.split("/").at(-1)} ${list.length}`);
        equal(edits.sort(), ["rename-library.tdx 1", "rename-user.tdx 2"], "edits");
        await vscode.workspace.applyEdit(edit);
        check(library.getText().includes(`fn ${to}(`), "the declaration keeps its name", library.getText());
        await diagnostics(user.uri, (list) => list.length === 0);
      }
      await vscode.workspace.saveAll();
    },
  },
  {
    name: "a definition in a shipped flow is found",
    async body() {
      const { document } = await open("td-lifecycle.tdx");
      const at = document.getText().indexOf("write_tdmr_info(");
      const [found] = await vscode.commands.executeCommand<(vscode.Location | vscode.LocationLink)[]>(
        "vscode.executeDefinitionProvider",
        document.uri,
        document.positionAt(at + 2),
      );
      const uri = found && ("uri" in found ? found.uri : found.targetUri);
      check(uri?.path.endsWith("/flows/tdx/structs.tdx"), "definition", uri?.toString());
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
