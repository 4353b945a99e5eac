import * as vscode from "vscode";
import { INSPECT_VIEWS } from "../adapter/inspect-protocol.ts";
import { DEBUG_TYPE } from "./configuration.ts";
import { InspectTree } from "./inspect-tree.ts";

/** What the views listen to, of all that an adapter sends. */
interface AdapterEvent {
  readonly type: string;
  readonly event?: string;
}

/**
 * Shows the trees of the active session and moves them on when its adapter says that the moment has changed. Several
 * sessions can be open; the trees belong to the one that has the focus.
 */
export function registerInspectViews(): vscode.Disposable[] {
  const trees = INSPECT_VIEWS.map((view) => new InspectTree(view));
  const active = (): vscode.DebugSession | undefined => {
    const session = vscode.debug.activeDebugSession;
    return session?.type === DEBUG_TYPE ? session : undefined;
  };
  /** Sessions that stand still, and so can be asked. */
  const stopped = new Set<string>();
  const show = (): void => {
    const session = active();
    for (const tree of trees)
      tree.show(session && stopped.has(session.id) ? session : undefined, session !== undefined);
  };

  const follow = (session: vscode.DebugSession, message: AdapterEvent): void => {
    if (message.type !== "event") return;
    if (message.event === "stopped") stopped.add(session.id);
    else if (message.event === "continued") stopped.delete(session.id);
    else if (message.event !== "invalidated") return;
    if (session === active()) show();
  };

  return [
    ...trees,
    vscode.debug.registerDebugAdapterTrackerFactory(DEBUG_TYPE, {
      createDebugAdapterTracker: (session) => ({ onDidSendMessage: (message) => follow(session, message) }),
    }),
    vscode.debug.onDidChangeActiveDebugSession(show),
    vscode.debug.onDidTerminateDebugSession((session) => {
      stopped.delete(session.id);
      show();
    }),
    vscode.commands.registerCommand("tdxflow.refreshViews", show),
  ];
}
