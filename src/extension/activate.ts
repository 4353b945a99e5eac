import * as vscode from "vscode";
import { registerCommands } from "./commands.ts";
import { FlowConfigurationProvider } from "./configuration.ts";
import { registerInspectViews } from "./inspect-views.ts";

export const DEBUG_TYPE = "tdxflow";

/**
 * What both entry points register.
 *
 * @param createSession makes the adapter of one session; the entry points differ in how it reads files
 */
export function activateWith(context: vscode.ExtensionContext, createSession: () => vscode.DebugAdapter): void {
  const configuration = new FlowConfigurationProvider();
  context.subscriptions.push(
    vscode.debug.registerDebugConfigurationProvider(DEBUG_TYPE, configuration),
    vscode.debug.registerDebugConfigurationProvider(
      DEBUG_TYPE,
      configuration,
      vscode.DebugConfigurationProviderTriggerKind.Dynamic,
    ),
    vscode.debug.registerDebugAdapterDescriptorFactory(DEBUG_TYPE, {
      createDebugAdapterDescriptor: () => new vscode.DebugAdapterInlineImplementation(createSession()),
    }),
    ...registerInspectViews(),
    ...registerCommands(),
  );
}
