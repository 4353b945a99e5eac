import * as vscode from "vscode";
import { TdxDebugSession } from "../adapter/session.ts";
import { registerCommands } from "./commands.ts";
import { DEBUG_TYPE, FlowConfigurationProvider } from "./configuration.ts";
import { FlowDiagnostics } from "./diagnostics.ts";
import { adapterHost } from "./host.ts";
import { registerInspectViews } from "./inspect-views.ts";

/** The entry point of both bundles: nothing here depends on where it runs. */
export function activate(context: vscode.ExtensionContext): void {
  const configuration = new FlowConfigurationProvider();
  const host = adapterHost(context.extensionUri);
  context.subscriptions.push(
    vscode.debug.registerDebugConfigurationProvider(DEBUG_TYPE, configuration),
    vscode.debug.registerDebugConfigurationProvider(
      DEBUG_TYPE,
      configuration,
      vscode.DebugConfigurationProviderTriggerKind.Dynamic,
    ),
    vscode.debug.registerDebugAdapterDescriptorFactory(DEBUG_TYPE, {
      createDebugAdapterDescriptor: () => new vscode.DebugAdapterInlineImplementation(new TdxDebugSession(host)),
    }),
    new FlowDiagnostics(context.extensionUri),
    ...registerInspectViews(),
    ...registerCommands(context.extensionUri),
  );
}
