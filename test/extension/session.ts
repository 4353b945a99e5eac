import * as vscode from "vscode";
import { INSPECT_VIEWS } from "../../src/adapter/inspect-protocol.ts";
import { DebugSession } from "./debug-session.ts";
import { check, equal, type HostTest } from "./harness.ts";
import { open } from "./language.ts";

const FLOW = "td-lifecycle.tdx";
const LAUNCH = { type: "tdxflow", request: "launch", name: "test" };

/** A test with a session of its own, which is ended and its breakpoints removed whatever happens. */
function sessionTest(name: string, flow: string, body: (debug: DebugSession) => Promise<void>): HostTest {
  return {
    name,
    async body() {
      await open(flow);
      const debug = new DebugSession();
      try {
        await body(debug);
      } catch (error) {
        throw new Error(`${error instanceof Error ? error.stack : error}\n${debug.refusals.join("\n")}`);
      } finally {
        await debug.stop();
        vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
        debug.dispose();
      }
    },
  };
}

export const sessionTests: readonly HostTest[] = [
  sessionTest("F5 on a flow needs no launch.json and stops on entry", FLOW, async (debug) => {
    check(await debug.start(LAUNCH), "the session did not start");
    equal((await debug.event("stopped")).reason, "entry", "reason of the stop");
    const [frame] = await debug.stack();
    check(frame?.source?.path?.endsWith(FLOW), "the flow is not on top of the stack", frame);
  }),

  sessionTest(
    "a function breakpoint stops at the call of a leaf, and stepping in opens the leaf's own source",
    FLOW,
    async (debug) => {
      vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint("TDH.MEM.PAGE.ADD")]);
      await debug.start(LAUNCH);
      await debug.event("stopped");
      equal((await debug.move("continue")).reason, "function breakpoint", "reason of the stop");
      await debug.move("stepIn");
      const [frame] = await debug.stack();
      const path = frame?.source?.path ?? "";
      check(frame && path.endsWith("tdh-mem-page-add.ts"), "the leaf is not on top of the stack", frame);
      const source = await vscode.workspace.openTextDocument(
        /^[a-z-]+:\/\//.test(path) ? vscode.Uri.parse(path) : vscode.Uri.file(path),
      );
      check(
        /yield/.test(source.lineAt(frame.line - 1).text),
        "the line is no step",
        source.lineAt(frame.line - 1).text,
      );
    },
  ),

  sessionTest("all views answer for one and the same step", FLOW, async (debug) => {
    vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint("TDH.MR.FINALIZE")]);
    await debug.start(LAUNCH);
    await debug.event("stopped");
    await debug.move("continue");
    const answers = await Promise.all(INSPECT_VIEWS.map((view) => debug.inspect(view)));
    equal(new Set(answers.map(({ step }) => step)).size, 1, "number of steps");
    for (const { nodes } of answers) check(nodes.length > 0, "a view of a built TD is empty", nodes);
  }),

  sessionTest("a step and its step back leave the trees as they were", FLOW, async (debug) => {
    vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint("TDH.MEM.PAGE.ADD")]);
    await debug.start(LAUNCH);
    await debug.event("stopped");
    await debug.move("continue");
    const trees = async (): Promise<string[][]> => [await debug.tree("sept"), await debug.tree("pamt")];
    const before = await trees();
    await debug.move("next");
    const after = await trees();
    check(JSON.stringify(after) !== JSON.stringify(before), "the page that was added does not show", after);
    const roots = (await debug.inspect("sept")).nodes;
    check(
      roots.some(({ changed }) => changed),
      "the page that was added is not marked as a change",
      roots,
    );
    await debug.move("stepBack");
    equal(await trees(), before, "trees after stepping back");
  }),

  sessionTest(
    "commands go back into a leaf, out of it, to a step, and to where the session was",
    FLOW,
    async (debug) => {
      vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint("TDH.MR.FINALIZE")]);
      await debug.start(LAUNCH);
      await debug.event("stopped");
      await debug.move("continue");
      await debug.move("next");
      const command = async (name: string, ...args: unknown[]): Promise<string> => {
        await Promise.all([debug.event("stopped"), vscode.commands.executeCommand(name, ...args)]);
        return (await debug.stack())[0]?.source?.name ?? "";
      };
      check(/\.ts$/.test(await command("tdxflow.reverseIn")), "not in a leaf", await debug.stack());
      const inside = await debug.stack();
      check(
        inside.some(({ name }) => name.startsWith("TDH.MR.FINALIZE")),
        "in another leaf",
        inside,
      );
      await command("tdxflow.reverseOut");
      check((await debug.stack()).length < inside.length, "not out of it", await debug.stack());
      const place = async (): Promise<string> =>
        (await debug.stack()).map(({ name, line }) => `${name}:${line}`).join();
      const there = await place();
      await command("tdxflow.goToStep", 0);
      check((await place()) !== there, "still there", there);
      await command("tdxflow.goBackInTime");
      equal(await place(), there, "where the session was");
    },
  ),

  sessionTest("a run to the end ends the session", FLOW, async (debug) => {
    await debug.start({ ...LAUNCH, stopOnEntry: false });
    await debug.event("terminated");
  }),

  sessionTest("a flow that never ends can be paused and stopped", "endless.tdx", async (debug) => {
    await debug.start({ ...LAUNCH, stopOnEntry: false });
    const [stop] = await Promise.all([
      debug.event("stopped"),
      debug.session.customRequest("pause", { threadId: await debug.thread() }),
    ]);
    equal(stop.reason, "pause", "reason of the stop");
    await debug.stop();
  }),

  sessionTest("a flow that is wrong does not start, and says where", "unknown-leaf.tdx", async (debug) => {
    // In tests VS Code throws what it would show in a dialog.
    const refusal = await debug.start(LAUNCH).then(String, String);
    check(/unknown-leaf\.tdx:2:9: error: .*TDH\.MEM\.PAGE\.ADDD/.test(refusal), "no file, line and column", refusal);
  }),

  sessionTest("the lens above a test block debugs it, and is told how it ended", "flow-tests.tdx", async (debug) => {
    const uri = vscode.window.activeTextEditor?.document.uri;
    check(uri, "no flow is open");
    vscode.debug.addBreakpoints([new vscode.SourceBreakpoint(new vscode.Location(uri, new vscode.Position(6, 0)))]);
    const over = vscode.commands.executeCommand("tdxflow.debugTest", uri.toString(), "twice doubles");
    await debug.event("stopped");
    const [frame] = await debug.stack();
    equal(frame?.line, 7, "line");
    await debug.session.customRequest("continue", { threadId: 1 });
    equal((await debug.event("exited")).exitCode, 0, "exit code");
    await over;
  }),
];
