/**
 * Says why something failed, by running it again up to the check that ended it: what the check was and where it stands, what
 * it compared, who wrote that last, and what hosts usually do then.
 */
import { registerNames } from "../arch/registers.ts";
import { decodeStatus, statusText } from "../arch/status.ts";
import { statusAdvice } from "../arch/status-advice.ts";
import { parseTrace, type StepPosition } from "../module/step.ts";
import { leafName } from "../runtime/leaf-call.ts";
import { AccessTrace, ALL, tracing } from "../state/access-trace.ts";
import { IN_LEAF, type Outcome } from "./debuggee.ts";
import { explainExit } from "./explain-exit.ts";
import type { FlowDebuggee } from "./flow-debuggee.ts";
import { describeCell } from "./inspect/describe-cell.ts";
import { hex } from "./inspect/format.ts";
import type { Moment } from "./inspect/moment.ts";
import { type LastChange, lastChanges } from "./last-change.ts";
import { lockHolders } from "./lock-holders.ts";
import type { Timeline } from "./timeline.ts";

/** The call that did not succeed. */
export interface FailedCall {
  /** Name of the leaf. */
  readonly leaf: string;
  /** The status in one line. */
  readonly status: string;
  /** Class of the status, like "resource busy". */
  readonly className: string;
  /** The step that failed, and where it stands: innermost last. */
  readonly step: string;
  readonly places: readonly StepPosition[];
  /** The values that it compared, where the module says so. */
  readonly why: string;
  /** The cause of the status in a sentence, and what the caller usually does. */
  readonly meaning: string;
  readonly action: string;
}

export interface Explanation {
  /** Absent where a flow failed without a call. */
  readonly call?: FailedCall;
  readonly changes: readonly LastChange[];
}

/** What a move read, the latest first. */
interface Seen {
  cells: readonly number[];
  /** Those among them that it also wrote: locks that it took or gave back, mostly. */
  written: ReadonlySet<number>;
  slots: readonly number[];
  /** Locks that any call held before the move. */
  held: readonly { readonly lp: number; readonly cell: number }[];
}

const OWN_LOCK = {
  meaning: "The object is busy with this very call: two of its operands are the same page.",
  action: "Pass another page; repeating the call cannot help.",
};

/** Operands are wrong by themselves: what they were compared with did not change. */
const BUSY = /BUSY/;
const BY_OPERAND = /^TDX_OPERAND_(INVALID|ADDR_RANGE_ERROR)$/;

/**
 * At a place behind a call, or where a flow has ended for a failure: why. Undefined where history does not reach back to it.
 * The session is back where it was when this returns.
 *
 * @param look makes what views are made from, where the session stands just then
 */
export function explain(timeline: Timeline, look: () => Moment): Explanation | undefined {
  const here = timeline.position;
  const unit = here.sub > 0 ? here.step : here.step - 1;
  if (unit < 0 || !timeline.remembers({ step: unit, sub: 0 })) return undefined;
  timeline.goBack({ step: unit, sub: 0 });
  const debuggee = timeline.debuggee as FlowDebuggee;
  const variables = variablesOf(debuggee);
  let trace = debuggee.place === IN_LEAF ? debuggee.trace : "";
  let seen: Seen = { cells: [], written: new Set(), slots: [], held: [] };
  for (let isInside = true; isInside && (here.sub === 0 || timeline.position.sub < here.sub); ) {
    const accesses = new AccessTrace({ cells: ALL, slots: ALL });
    const held = heldLocks(debuggee);
    isInside = tracing(debuggee.store, accesses, () => timeline.advance());
    if (debuggee.trace !== "") trace = debuggee.trace;
    seen = {
      cells: [...accesses.readCells].reverse(),
      written: accesses.writtenCells,
      slots: [...accesses.readSlots],
      held,
    };
    if (!isInside && here.sub > 0) break;
  }
  const { outcome } = debuggee;
  const call = outcome && describe(debuggee, look(), outcome, trace, seen);
  timeline.goBack({ step: unit, sub: 0 });
  const moment = look();
  const cells = outcome ? comparedCells(debuggee, moment, outcome, seen) : [];
  // A failed comparison of the flow itself: the variables that it read.
  const slots = outcome === undefined ? seen.slots.filter((slot) => variables.has(slot)) : [];
  const names = new Map(slots.map((slot) => [slot, variables.get(slot) as string]));
  const changes = lastChanges(timeline, moment, cells, names);
  if (here.sub === 0) timeline.forward();
  while (timeline.position.sub < here.sub && timeline.fineForward());
  return { ...(call && { call }), changes };
}

function describe(debuggee: FlowDebuggee, moment: Moment, outcome: Outcome, trace: string, seen: Seen): FailedCall {
  const { label, frames } = parseTrace(trace);
  const { hi, lo } = outcome;
  const call = debuggee.machine.calls[outcome.lp];
  const refused = BUSY.test(decodeStatus(hi, lo).name ?? "") ? (call?.refused ?? -1) : -1;
  const isOwn = seen.held.some(({ lp, cell }) => lp === outcome.lp && cell === refused);
  const advice = isOwn ? OWN_LOCK : (explainExit(debuggee, moment, outcome) ?? statusAdvice(hi, lo));
  const what = refused < 0 ? undefined : describeCell(moment, refused);
  const why = [
    call?.why ?? "",
    ...(isOwn ? [`this very call holds it${what ? ` (${what})` : ""}`] : []),
    ...(refused < 0 ? [] : lockHolders(debuggee, moment, refused, outcome.lp)),
  ];
  return {
    leaf: leafName(outcome.callee),
    status: statusText(hi, lo),
    className: decodeStatus(hi, lo).className,
    step: outcome.isTdExit ? "" : label,
    places: outcome.isTdExit ? [] : frames,
    why: why.filter((text) => text !== "").join("; "),
    ...advice,
  };
}

/** The cells whose content the check was about, the likeliest first. */
function comparedCells(debuggee: FlowDebuggee, moment: Moment, outcome: Outcome, seen: Seen): number[] {
  const { name = "" } = decodeStatus(outcome.hi, outcome.lo);
  if (BY_OPERAND.test(name) || outcome.isTdExit) return [];
  if (BUSY.test(name)) {
    const page = operandText(debuggee, outcome);
    return seen.cells.filter((cell) => page !== "" && describeCell(moment, cell)?.includes(page));
  }
  // The lock of an S-EPT entry is a bit of it, so who reads an entry writes it.
  const isEntry = (cell: number): boolean => describeCell(moment, cell)?.startsWith("S-EPT entry") === true;
  const entries = seen.cells.filter((cell) => seen.written.has(cell) && isEntry(cell));
  return [...entries, ...seen.cells.filter((cell) => !seen.written.has(cell))];
}

/** How descriptions show the operand at fault, if it is an address; else empty. */
function operandText({ machine }: FlowDebuggee, { hi, lo, lp }: Outcome): string {
  const { detailKind, detail } = decodeStatus(hi, lo);
  if (detailKind !== "operand") return "";
  const register = registerNames.findIndex((name) => name?.toUpperCase() === detail.toUpperCase());
  const value = register < 0 ? 0n : (machine.calls[lp]?.big(register) ?? 0n) & ~0xfffn;
  return value === 0n ? "" : `${hex(value)} `;
}

function heldLocks({ machine }: FlowDebuggee): Seen["held"] {
  return machine.calls.flatMap((call) => call.held.map(({ cell }) => ({ lp: call.lp, cell })));
}

/** Names of the variables that the innermost frame sees, by slot. */
function variablesOf(debuggee: FlowDebuggee): ReadonlyMap<number, string> {
  const locals = debuggee.runtime.frames()[0]?.variables() ?? [];
  return new Map([...debuggee.runtime.globals(), ...locals].map(({ slot, name }) => [slot, name]));
}
