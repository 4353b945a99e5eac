import * as vscode from "vscode";
import { pathOfUri } from "./host.ts";

export const DEBUG_TYPE = "tdxflow";

function launchOf(program: string): vscode.DebugConfiguration {
  return { type: DEBUG_TYPE, request: "launch", name: "Debug this flow", program, stopOnEntry: true };
}

/** Lets F5 work on an open flow without a launch.json, and fills in what one leaves out. */
export class FlowConfigurationProvider implements vscode.DebugConfigurationProvider {
  provideDebugConfigurations(): vscode.DebugConfiguration[] {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: VS Code replaces it
    return [launchOf("${file}")];
  }

  resolveDebugConfiguration(
    _folder: vscode.WorkspaceFolder | undefined,
    config: vscode.DebugConfiguration,
  ): vscode.DebugConfiguration | undefined {
    if (config.type && config.program) return { stopOnEntry: true, ...config };
    const document = vscode.window.activeTextEditor?.document;
    if (document?.languageId === "tdxflow") return { ...launchOf(pathOfUri(document.uri)), ...config };
    void vscode.window.showInformationMessage('Open a .tdx flow first, or name one as "program" in launch.json.');
    return undefined;
  }
}
