/**
 * The moments of a run that people look for: each call of the module, each exit of a guest, each fault. A scout finds them: the same
 * run on a machine of its own, up to where the session has been, so that the session stays where it is and no run pays for this.
 */
import { decodeStatus, isFailure } from "../arch/status.ts";
import { FIBER_DEPTH, FRAME_PC } from "../runtime/fibers.ts";
import { statementAt } from "../runtime/places.ts";
import type { Branch, Branches } from "./branches.ts";
import type { Outcome, Watch } from "./debuggee.ts";
import { EXCEPTION_FILTERS } from "./exceptions.ts";
import type { FlowDebuggee } from "./flow-debuggee.ts";
import { globToRegExp } from "./glob.ts";
import { GUEST_LEAF, leafName } from "./leaf-names.ts";
import { Columns, KINDS, type Milestone } from "./milestone-columns.ts";
import { happened } from "./silent-events.ts";
import { type Timeline, UNWATCHED } from "./timeline.ts";

/** Units between looks at what no status tells of, and at the clock. */
const UNITS = 256;

/** What is asked for. */
export interface MilestoneFilter {
  /** Of these kinds; none: of all. */
  readonly kinds: readonly string[];
  /** What the leaf's name, the status or the fault has in it, or a pattern for one of them; empty: anything. */
  readonly text: string;
  /** Calls that did not succeed, and faults. */
  readonly failed: boolean;
}

/** Names repeat a million times: each is looked at once. */
function testOf({ kinds, text, failed }: MilestoneFilter): (columns: Columns, index: number) => boolean {
  const pattern = text.includes("*") ? globToRegExp(text) : undefined;
  const wanted = text.trim().toUpperCase();
  const has = (name: string): boolean => pattern?.test(name) ?? name.toUpperCase().includes(wanted);
  const kindFlags = KINDS.map((kind) => kinds.length === 0 || kinds.includes(kind));
  const known = new Map<number, boolean>();
  return (columns, index) => {
    const [kind, callee, hi] = columns.key(index);
    if (!kindFlags[kind]) return false;
    const isFault = KINDS[kind] === "fault";
    if (failed && !isFault && !isFailure(hi)) return false;
    if (wanted === "") return true;
    if (isFault) return has(columns.get(index).what);
    const key = callee * 2 ** 32 + hi;
    let fits = known.get(key);
    if (fits === undefined) {
      fits = has(leafName(callee)) || has(decodeStatus(hi, 0).name ?? "");
      known.set(key, fits);
    }
    return fits;
  };
}

/** Numbers of milestones, ascending. */
export interface Matches {
  readonly length: number;
  at(index: number): number;
}

interface Found {
  readonly key: string;
  readonly ids: number[];
  /** Milestones that were looked at. */
  until: number;
  readonly test: (columns: Columns, index: number) => boolean;
}

const NOTHING_FOUND: Found = { key: "", ids: [], until: 0, test: () => false };

export class Milestones {
  /** Of the filter that was asked for last. */
  private found = NOTHING_FOUND;
  private readonly makeScout: () => Timeline;
  private readonly branches: Branches;
  private readonly columns = new Columns();
  private scout: Timeline | undefined;
  private branch: Branch | undefined;
  /** Inputs of the branch that the scout knows of. */
  private inputs = 0;

  /**
   * @param makeScout makes the run anew, in the current branch
   * @param branches of the session
   */
  constructor(makeScout: () => Timeline, branches: Branches) {
    this.makeScout = makeScout;
    this.branches = branches;
  }

  get length(): number {
    return this.columns.length;
  }

  get(index: number): Milestone {
    return this.columns.get(index);
  }

  /** Those that a filter lets through, in order. */
  matching(filter: MilestoneFilter): Matches {
    const { columns } = this;
    const isAll = filter.kinds.length === 0 && filter.text === "" && !filter.failed;
    if (isAll) return { length: columns.length, at: (index) => index };
    const key = JSON.stringify(filter);
    if (this.found.key !== key) this.found = { key, ids: [], until: 0, test: testOf(filter) };
    const { ids, test } = this.found;
    for (let index = this.found.until; index < columns.length; index++) if (test(columns, index)) ids.push(index);
    this.found.until = columns.length;
    return { length: ids.length, at: (index) => ids[index] as number };
  }

  /** Those whose flow stands in one of these statements. */
  inStatements(statements: ReadonlySet<number>): Matches {
    const ids: number[] = [];
    for (let index = 0; index < this.columns.length; index++) {
      if (statements.has(this.columns.statementOf(index))) ids.push(index);
    }
    return { length: ids.length, at: (index) => ids[index] as number };
  }

  /** Number of the first at or behind a step. */
  firstAt(step: number): number {
    let low = 0;
    let high = this.columns.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.columns.stepOf(middle) < step) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Goes on looking, in the current branch up to where it was seen, until all is known or `isDue`. Returns the step up to which all
   * is known.
   */
  look(isDue: () => boolean): { readonly step: number; readonly isComplete: boolean } {
    const scout = this.theScout();
    const { reach } = this.branches.current;
    // A unit inside which the session has been is a part of what it has seen.
    const end = reach.sub > 0 ? reach.step + 1 : reach.step;
    while (scout.position.step < end && !scout.hasEnded && !isDue()) this.advance(scout, end);
    const { step } = scout.position;
    return { step, isComplete: step >= end || scout.hasEnded };
  }

  /** A scout that has gone the way of the current branch. */
  private theScout(): Timeline {
    const { current } = this.branches;
    const next = current.inputs[this.inputs]?.at.step ?? Number.POSITIVE_INFINITY;
    const isOnTheWay = this.branch === current && this.scout !== undefined && this.scout.position.step <= next;
    this.branch = current;
    this.inputs = current.inputs.length;
    if (this.scout === undefined || !isOnTheWay) {
      this.truncate(0);
      this.scout = this.makeScout();
    }
    return this.scout;
  }

  private advance(scout: Timeline, end: number): void {
    const { step } = scout.position;
    const { length } = this.columns;
    const before = eventCount(scout);
    this.run(scout, Math.min(UNITS, end - step));
    if (eventCount(scout) === before || !scout.remembers({ step, sub: 0 })) return;
    // Something happened that no status tells of: once more, to see in which units.
    const until = scout.position.step;
    scout.goBack({ step, sub: 0 });
    this.truncate(length);
    while (scout.position.step < until && !scout.hasEnded) {
      const count = eventCount(scout);
      const { mark } = scout;
      this.run(scout, 1);
      if (eventCount(scout) !== count) this.fault(scout, mark);
    }
  }

  private truncate(length: number): void {
    this.columns.truncate(length);
    if (this.found.until > length) this.found = NOTHING_FOUND;
  }

  private run(scout: Timeline, units: number): void {
    const debuggee = scout.debuggee as FlowDebuggee;
    const returned = (outcome: Outcome): boolean => {
      this.call(debuggee, outcome);
      return false;
    };
    const watch: Watch = { ...UNWATCHED, returned };
    scout.run(units, watch);
  }

  private call(debuggee: FlowDebuggee, { lp, callee, hi, lo, isTdExit }: Outcome): void {
    const { runtime, start } = debuggee;
    const kind = isTdExit && hi >>> 31 === 0 ? "exit" : callee >= GUEST_LEAF ? "tdcall" : "seamcall";
    const step = debuggee.unit - start;
    // A unit with an input inside is gone through place by place.
    const places = debuggee.passed || debuggee.asked;
    const passed = kind === "exit" ? places : Math.max(0, places - 1);
    const { task } = runtime;
    this.columns.push({ kind, step, passed, callee, hi, lo, task, lp, statement: statementOf(debuggee), what: "" });
  }

  /** A unit that has just run did what no status tells of. */
  private fault(scout: Timeline, from: number): void {
    const debuggee = scout.debuggee as FlowDebuggee;
    const { runtime, start } = debuggee;
    const what = happened(debuggee, from, undefined)
      .map(
        ({ filter, warning }) => warning ?? EXCEPTION_FILTERS.find((each) => each.filter === filter)?.label ?? filter,
      )
      .join(", ");
    const { task } = runtime;
    const lp = debuggee.depthOf(task) > 0 ? runtime.state.lpOf(task) : 0;
    const step = from - start + 1;
    const statement = statementOf(debuggee);
    this.columns.push({ kind: "fault", step, passed: 0, callee: -1, hi: 0, lo: 0, task, lp, statement, what });
  }
}

/** The statement in which the current task's innermost host frame stands. */
function statementOf({ runtime: { state, task }, store, program }: FlowDebuggee): number {
  if (state.fibers.read(task, FIBER_DEPTH) === 0) return -1;
  const frame = state.topFrame(task);
  return statementAt(program, state.functionOf(frame), store.read(frame + FRAME_PC))?.id ?? -1;
}

function eventCount({ debuggee: { machine, store, warningCell } }: Timeline): number {
  return machine.platform.hazards.count + machine.platform.veCount + store.read(warningCell);
}
