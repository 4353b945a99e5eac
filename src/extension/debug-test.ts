import * as vscode from "vscode";
import { DEBUG_TYPE } from "./configuration.ts";
import { pathOfUri } from "./host.ts";

/** Debugs a test; resolves with the exit code when the session is over, or undefined if it did not come to an end by itself. */
export async function debugTest(uri: vscode.Uri, test: string, testRun: vscode.TestRun): Promise<number | undefined> {
  let exitCode: number | undefined;
  const mine = (session: vscode.DebugSession): boolean =>
    session.configuration.test === test && session.type === DEBUG_TYPE;
  const tracker = vscode.debug.registerDebugAdapterTrackerFactory(DEBUG_TYPE, {
    createDebugAdapterTracker: (session) => ({
      onDidSendMessage: ({ type, event, body }) => {
        if (mine(session) && type === "event" && event === "exited") exitCode = body.exitCode;
      },
    }),
  });
  let listener: vscode.Disposable | undefined;
  try {
    const ended = new Promise<void>((resolve) => {
      listener = vscode.debug.onDidTerminateDebugSession((session) => {
        if (mine(session)) resolve();
      });
    });
    const configuration = {
      type: DEBUG_TYPE,
      request: "launch",
      name: test,
      program: pathOfUri(uri),
      test,
      stopOnEntry: false,
    };
    const folder = vscode.workspace.getWorkspaceFolder(uri);
    if (await vscode.debug.startDebugging(folder, configuration, { testRun })) await ended;
    return exitCode;
  } finally {
    tracker.dispose();
    listener?.dispose();
  }
}
