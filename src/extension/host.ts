import * as vscode from "vscode";
import type { AdapterHost } from "../adapter/host.ts";
import type { LoadOptions } from "../language/load.ts";

/** How an adapter names a file: a plain path where there is one, otherwise the URI. VS Code understands both. */
export function pathOfUri(uri: vscode.Uri): string {
  return uri.scheme === "file" ? uri.fsPath : uri.toString();
}

export function uriOfPath(path: string): vscode.Uri {
  // A drive letter is no scheme.
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(path) ? vscode.Uri.parse(path) : vscode.Uri.file(path);
}

/** Files by VS Code's own means, so that flows of any workspace work: local, remote, or in a browser. */
export function adapterHost(extension: vscode.Uri): AdapterHost {
  return {
    shippedRoot: pathOfUri(extension),
    async readFile(path) {
      try {
        return new TextDecoder().decode(await vscode.workspace.fs.readFile(uriOfPath(path)));
      } catch (error) {
        throw new Error(`${path} cannot be read: ${error instanceof Error ? error.message : error}`);
      }
    },
  };
}

/** How flows are read to be compiled here: as the user sees them, unsaved changes included. */
export function loadOptions(extension: vscode.Uri): LoadOptions {
  return { readSource, flowsFolder: pathOfUri(vscode.Uri.joinPath(extension, "flows")) };
}

/** The text of a flow, as it is open or as it lies there; undefined if it cannot be read. */
export async function readSource(path: string): Promise<string | undefined> {
  const open = vscode.workspace.textDocuments.find(({ uri }) => pathOfUri(uri) === path);
  if (open) return open.getText();
  try {
    return new TextDecoder().decode(await vscode.workspace.fs.readFile(uriOfPath(path)));
  } catch {
    return undefined;
  }
}
