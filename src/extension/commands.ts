import * as vscode from "vscode";
import type { InspectNode } from "../adapter/inspect-protocol.ts";
import { DEBUG_TYPE } from "./configuration.ts";
import { pathOfUri } from "./host.ts";

/** A file whose editor button was pressed; what the language server names; undefined for the file in front. */
type Resource = vscode.Uri | string | undefined;

/** Starts a session on a file. */
async function start(resource: Resource, noDebug: boolean): Promise<void> {
  const named = typeof resource === "string" ? vscode.Uri.parse(resource) : resource;
  const uri = named ?? vscode.window.activeTextEditor?.document.uri;
  if (!uri) return;
  await vscode.debug.startDebugging(
    vscode.workspace.getWorkspaceFolder(uri),
    {
      type: DEBUG_TYPE,
      request: "launch",
      name: noDebug ? "Run flow" : "Debug flow",
      program: pathOfUri(uri),
      stopOnEntry: !noDebug,
    },
    { noDebug },
  );
}

/** @param extension where the shipped flows lie */
export function registerCommands(extension: vscode.Uri): vscode.Disposable[] {
  const command = vscode.commands.registerCommand;
  return [
    command("tdxflow.debugFile", (resource?: Resource) => start(resource, false)),
    command("tdxflow.runFile", (resource?: Resource) => start(resource, true)),
    command("tdxflow.openSample", () =>
      vscode.window.showTextDocument(vscode.Uri.joinPath(extension, "scenarios", "td-lifecycle.tdx")),
    ),
    command("tdxflow.copyNode", ({ label, description }: InspectNode) =>
      vscode.env.clipboard.writeText(description ? `${label} ${description}` : label),
    ),
  ];
}
