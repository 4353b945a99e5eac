import * as vscode from "vscode";
import { TdxDebugSession } from "../adapter/session.ts";
import { registerCommands } from "./commands.ts";
import { DEBUG_TYPE, FlowConfigurationProvider } from "./configuration.ts";
import { adapterHost } from "./host.ts";
import { registerInspectViews } from "./inspect-views.ts";
import { type MakeClient, startLanguageClient } from "./language-client.ts";
import { FlowTests } from "./test-explorer.ts";
import { registerTimeCommands } from "./time.ts";

/** What both bundles do when the extension starts. Only how the language server is started depends on where that is. */
export function activateWith(context: vscode.ExtensionContext, makeClient: MakeClient): void {
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
    startLanguageClient(context.extensionUri, makeClient),
    new FlowTests(context.extensionUri),
    ...registerInspectViews(),
    ...registerCommands(context.extensionUri),
    ...registerTimeCommands(),
  );
}
