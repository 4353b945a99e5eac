/** Which steps wrote last what a check compared: where the mistake was made that the check has found. */

import { leafName } from "../runtime/leaf-call.ts";
import type { FlowDebuggee } from "./flow-debuggee.ts";
import { describeCell } from "./inspect/describe-cell.ts";
import type { Moment } from "./inspect/moment.ts";
import type { Timeline } from "./timeline.ts";

/** More are not worth reading. */
const MAX_CHANGES = 3;
/** Going to a step to see what it was costs running from there again: further back only its number is told. */
const MAX_UNITS_BACK = 50_000;

export interface LastChange {
  /** The field, entry or variable. */
  readonly what: string;
  /** The session stood at this step when it was written; `tdx/goToStep` goes there. */
  readonly step: number;
  /** What wrote it, as "TDH.MEM.PAGE.ADD at td-lifecycle.tdx:120"; empty where it is too far back. */
  readonly by: string;
}

/**
 * Who wrote these cells and slots last before the start of a unit, where the session stands. It stands there again when this
 * returns.
 *
 * @param slots by slot the name of the variable
 */
export function lastChanges(
  timeline: Timeline,
  moment: Moment,
  cells: readonly number[],
  slots: ReadonlyMap<number, string>,
): LastChange[] {
  const { store, start } = timeline.debuggee;
  const found = new Map<string, { readonly what: string; readonly step: number; readonly cell: number | undefined }>();
  for (const [slot, what] of slots) {
    const writer = store.lastValueWriter(slot);
    if (writer !== undefined && writer > start) found.set(what, { what, step: writer - start - 1, cell: undefined });
  }
  for (const cell of cells) {
    if (found.size >= MAX_CHANGES) break;
    const what = describeCell(moment, cell);
    const writer = what === undefined || found.has(what) ? undefined : store.lastWriter(cell);
    if (what !== undefined && writer !== undefined && writer > start) {
      found.set(what, { what, step: writer - start - 1, cell });
    }
  }
  const here = timeline.position.step;
  const changes = [...found.values()].map(({ what, step, cell }): LastChange => {
    const isNear = here - step <= MAX_UNITS_BACK && timeline.remembers({ step, sub: 0 });
    return { what, step, by: isNear ? writerAt(timeline, step, cell) : "" };
  });
  while (timeline.position.step < here) timeline.forward();
  return changes;
}

/** What writes a cell in a unit: the leaf, if one does, and the statement. */
function writerAt(timeline: Timeline, step: number, cell: number | undefined): string {
  if (timeline.position.step < step) while (timeline.position.step < step) timeline.forward();
  timeline.goBack({ step, sub: 0 });
  const debuggee = timeline.debuggee as FlowDebuggee;
  const [frame] = debuggee.runtime.frames();
  const place = frame ? `${frame.source.path.replace(/^.*[\\/]/, "")}:${frame.line}` : "the start";
  let leaf = "";
  if (cell !== undefined) {
    const before = debuggee.store.read(cell);
    for (let isInside = true; isInside && debuggee.store.read(cell) === before; ) {
      const { callee } = debuggee;
      isInside = timeline.advance();
      leaf = callee >= 0 ? leafName(callee) : "";
    }
    timeline.goBack({ step, sub: 0 });
  }
  return leaf === "" ? place : `${leaf} at ${place}`;
}
