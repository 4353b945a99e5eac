/** Who holds a lock of the module that a call could not have. */
import { parseTrace } from "../module/step.ts";
import { leafName } from "../runtime/leaf-call.ts";
import type { FlowDebuggee } from "./flow-debuggee.ts";
import { describeCell } from "./inspect/describe-cell.ts";
import { heldLock } from "./inspect/locks.ts";
import type { Moment } from "./inspect/moment.ts";

/** A line for each holder but the LP that was refused: task, LP, leaf and the place where it stands. */
export function lockHolders(debuggee: FlowDebuggee, moment: Moment, cell: number, refusedLp: number): string[] {
  const { machine, runtime } = debuggee;
  const what = describeCell(moment, cell) ?? heldLock(moment, cell, -1).what;
  const lines: string[] = [];
  for (const call of machine.calls) {
    if (call.lp === refusedLp) continue;
    const task = runtime.tasks().find(({ lp, state, inside, isGuest }) => {
      return lp === call.lp && state !== "done" && (inside !== undefined || isGuest);
    });
    const who = `${task?.name ?? "a task"} (LP ${call.lp})`;
    const held = machine.openEntry(call.lp) === undefined ? undefined : call.held.find((lock) => lock.cell === cell);
    if (held !== undefined && task !== undefined) {
      const { mode } = heldLock(moment, cell, held.kind);
      const { label, frames } = parseTrace(debuggee.traceOf(task.id));
      const at = frames.at(-1);
      const place = at === undefined ? "" : ` at ${at.file}:${at.line}`;
      lines.push(
        `${what}: held ${mode} by ${who} in ${leafName(debuggee.calleeOf(task.id))}${place}, before "${label}"`,
      );
    } else if (machine.keepsLock(call.lp, cell)) {
      lines.push(`${what}: held shared by ${who} for as long as its guest runs, by TDH.VP.ENTER`);
    }
  }
  return lines;
}
