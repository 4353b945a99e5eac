import * as vscode from "vscode";
import { compileFlow } from "../language/compile.ts";
import type { Diagnostic } from "../language/diagnostics.ts";
import { pathOfUri, uriOfPath } from "./host.ts";

/** Long enough that typing a word checks once, short enough to feel immediate. */
const QUIET_MS = 250;

const SEVERITIES = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
} as const;

function shown({ line, column, endLine, endColumn, severity, message, code }: Diagnostic): vscode.Diagnostic {
  const range = new vscode.Range(line - 1, column - 1, endLine - 1, endColumn - 1);
  const diagnostic = new vscode.Diagnostic(range, message, SEVERITIES[severity]);
  diagnostic.source = "tdxflow";
  diagnostic.code = code;
  return diagnostic;
}

/** Checks open flows as they are typed, and says what is wrong where it stands, imported files included. */
export class FlowDiagnostics implements vscode.Disposable {
  readonly #collection = vscode.languages.createDiagnosticCollection("tdxflow");
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  /** What the last check of an open flow said, by the file that it says it about. */
  readonly #said = new Map<string, ReadonlyMap<string, vscode.Diagnostic[]>>();
  readonly #subscriptions: vscode.Disposable[];
  readonly #flowsFolder: string;

  /** @param extension where the shipped flows lie */
  constructor(extension: vscode.Uri) {
    this.#flowsFolder = pathOfUri(vscode.Uri.joinPath(extension, "flows"));
    this.#subscriptions = [
      vscode.workspace.onDidOpenTextDocument((document) => this.#schedule(document, 0)),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.#schedule(document, QUIET_MS)),
      vscode.workspace.onDidCloseTextDocument((document) => this.#forget(document)),
    ];
    for (const document of vscode.workspace.textDocuments) this.#schedule(document, 0);
  }

  dispose(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#collection.dispose();
  }

  #schedule(document: vscode.TextDocument, delay: number): void {
    if (document.languageId !== "tdxflow") return;
    const path = pathOfUri(document.uri);
    clearTimeout(this.#timers.get(path));
    this.#timers.set(
      path,
      setTimeout(() => void this.#check(document, path), delay),
    );
  }

  #forget(document: vscode.TextDocument): void {
    const path = pathOfUri(document.uri);
    clearTimeout(this.#timers.get(path));
    this.#publish(path, undefined);
  }

  async #check(document: vscode.TextDocument, path: string): Promise<void> {
    const { version } = document;
    const { diagnostics } = await compileFlow(path, { readSource, flowsFolder: this.#flowsFolder });
    if (document.isClosed || document.version !== version) return;
    const byFile = new Map<string, vscode.Diagnostic[]>([[path, []]]);
    for (const diagnostic of diagnostics) {
      const list = byFile.get(diagnostic.file) ?? [];
      list.push(shown(diagnostic));
      byFile.set(diagnostic.file, list);
    }
    this.#publish(path, byFile);
  }

  /** Replaces what was said because of one open flow. An open file's own check says more about it than an importer's. */
  #publish(path: string, byFile: ReadonlyMap<string, vscode.Diagnostic[]> | undefined): void {
    const before = this.#said.get(path);
    if (byFile) this.#said.set(path, byFile);
    else this.#said.delete(path);
    for (const file of new Set([...(before?.keys() ?? []), ...(byFile?.keys() ?? [])])) {
      const own = this.#said.get(file)?.get(file);
      const fromImporter = [...this.#said.values()].find((said) => said.has(file))?.get(file);
      this.#collection.set(uriOfPath(file), own ?? fromImporter);
    }
  }
}

/** Text of a source as the user sees it: unsaved changes count. */
async function readSource(path: string): Promise<string | undefined> {
  const open = vscode.workspace.textDocuments.find(({ uri }) => pathOfUri(uri) === path);
  if (open) return open.getText();
  try {
    return new TextDecoder().decode(await vscode.workspace.fs.readFile(uriOfPath(path)));
  } catch {
    return undefined;
  }
}
