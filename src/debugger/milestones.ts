/**
 * The moments of a run that people look for: each call of the module, each exit of a guest, each fault. No run pays for this. The notes
 * of the session's marks tell of what is plain (noted-calls.ts); up to where something is not, a scout finds them: the same run on a
 * machine of its own, so that the session stays where it is.
 */

import { firstIndex } from "../language/bisect.ts";
import type { FlowProgram } from "../language/flow-code.ts";
import { FIBER_DEPTH, FRAME_PC } from "../runtime/fibers.ts";
import { GUEST_LEAF } from "../runtime/hooks.ts";
import { statementAt } from "../runtime/places.ts";
import type { Branch } from "./branches.ts";
import { ENDED, type Outcome, type Watch } from "./debuggee.ts";
import { EXCEPTION_FILTERS } from "./exceptions.ts";
import type { FlowDebuggee } from "./flow-debuggee.ts";
import { Columns, type Milestone, type MilestoneKind } from "./milestone-columns.ts";
import { type Matches, type MilestoneFilter, testOf } from "./milestone-filter.ts";
import { NotedCalls, type Stretch } from "./noted-calls.ts";
import { happened } from "./silent-events.ts";
import { type Timeline, UNWATCHED } from "./timeline.ts";

/** Units between looks at what no status tells of, and at the clock. */
const UNITS = 256;

interface Found {
  readonly key: string;
  readonly ids: number[];
  /** Milestones that were looked at. */
  until: number;
  readonly test: (columns: Columns, index: number) => boolean;
}

/** The task that moves, its LP, and how much has happened so far that no status tells of. */
interface Mover {
  readonly task: number;
  readonly lp: number;
  readonly events: number;
}

const NOTHING_FOUND: Found = { key: "", ids: [], until: 0, test: () => false };

export class Milestones {
  /** Of the filter that was asked for last. */
  private found = NOTHING_FOUND;
  private readonly makeScout: () => Timeline;
  /** The session's. */
  private readonly timeline: Timeline;
  private readonly noted: NotedCalls;
  private readonly columns = new Columns();
  private scout: Timeline | undefined;
  /** Milestones that the scout has found. */
  private scouted = 0;
  /** Up to this step all are known. */
  private until = 0;
  /** Who moves at that step, as far as notes go on from there. */
  private mover: Mover | undefined;
  private branch: Branch | undefined;
  /** Inputs of the branch that the scout knows of. */
  private inputs = 0;

  /** @param makeScout makes the run anew, in the current branch */
  constructor(makeScout: () => Timeline, timeline: Timeline, program: FlowProgram) {
    this.makeScout = makeScout;
    this.timeline = timeline;
    this.noted = new NotedCalls(timeline, program);
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
    return firstIndex(this.columns.length, (index) => this.columns.stepOf(index) >= step);
  }

  /**
   * Goes on looking, in the current branch up to where it was seen, until all is known or `isDue`. Returns the step up to which all
   * is known.
   */
  look(isDue: () => boolean): { readonly step: number; readonly isComplete: boolean } {
    const scout = this.theScout();
    const { reach } = this.timeline.branches.current;
    // A unit inside which the session has been is a part of what it has seen.
    const end = reach.sub > 0 ? reach.step + 1 : reach.step;
    while (this.until < end && !scout.hasEnded && !isDue()) {
      const stretch = this.known(end);
      if (stretch === undefined) continue;
      const { from, to } = stretch;
      if (this.until === from && (from < to ? this.tell(from, to) : this.lookHere())) continue;
      if (scout.position.step < this.until) this.backToScout(scout);
      this.advance(scout, scout.position.step < from ? from : end);
      this.scoutStands(scout);
    }
    return { step: this.until, isComplete: this.until >= end || scout.hasEnded };
  }

  /** What notes tell of the way to a step: history has to reach there, or to the unit before, inside which the session stands. */
  private known(end: number): Stretch | undefined {
    const { step, sub } = this.timeline.position;
    if (step >= end || (sub > 0 && step + 1 === end)) return this.noted.stretch(this.until, Math.min(step, end));
    return { from: end, to: end };
  }

  /** The unit inside which the session stands, seen as a whole. False: it stands between units. */
  private lookHere(): boolean {
    const { timeline } = this;
    if (!timeline.isInside || timeline.position.step !== this.until) return false;
    const debuggee = timeline.debuggee as FlowDebuggee;
    timeline.lookAhead(this.watch(debuggee), (_, from) => {
      if (happened(debuggee, from, undefined).length > 0) this.fault(timeline, from);
      this.until++;
      this.mover = moverOf(timeline);
    });
    return true;
  }

  /** A scout that has gone the way of the current branch. */
  private theScout(): Timeline {
    const { current } = this.timeline.branches;
    const next = current.inputs[this.inputs]?.at.step ?? Number.POSITIVE_INFINITY;
    const isOnTheWay = this.branch === current && this.scout !== undefined && this.scout.position.step <= next;
    this.branch = current;
    this.inputs = current.inputs.length;
    if (this.scout === undefined || !isOnTheWay) {
      this.scout = this.makeScout();
      this.scouted = 0;
    }
    if (!isOnTheWay || this.until > next) this.backToScout(this.scout);
    return this.scout;
  }

  /** What was told beyond the scout's place is to be found by it. */
  private backToScout(scout: Timeline): void {
    this.truncate(this.scouted);
    this.scoutStands(scout);
  }

  private scoutStands(scout: Timeline): void {
    this.scouted = this.columns.length;
    this.until = scout.position.step;
    this.mover = moverOf(scout);
  }

  /** Adds what notes tell of a stretch of units. False: something happened there that they do not tell of. */
  private tell(from: number, to: number): boolean {
    const { mover } = this;
    if (mover === undefined || eventCount(this.timeline) !== mover.events) return false;
    const { task, lp } = mover;
    for (let step = from; step < to; step++) {
      const statement = this.noted.statementOf(step);
      this.noted.callsOf(statement).forEach((callee, index) => {
        const kind = kindOf(callee);
        this.columns.push({ kind, step, passed: 2 * index + 1, callee, hi: 0, lo: 0, task, lp, statement, what: "" });
      });
    }
    this.until = to;
    return true;
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
    scout.run(units, this.watch(scout.debuggee as FlowDebuggee));
  }

  /** Adds each call. */
  private watch(debuggee: FlowDebuggee): Watch {
    const returned = (outcome: Outcome): boolean => {
      this.call(debuggee, outcome);
      return false;
    };
    return { ...UNWATCHED, returned };
  }

  private call(debuggee: FlowDebuggee, { lp, callee, hi, lo, isTdExit }: Outcome): void {
    const { runtime, start } = debuggee;
    const kind = isTdExit && hi >>> 31 === 0 ? "exit" : kindOf(callee);
    const step = debuggee.unit - start;
    // A unit with an input inside is gone through place by place.
    const places = debuggee.passed || debuggee.asked;
    const passed = kind === "exit" ? places : Math.max(0, places - 1);
    const { task } = runtime;
    this.columns.push({ kind, step, passed, callee, hi, lo, task, lp, statement: statementOf(debuggee), what: "" });
  }

  /** A unit that has just run did what no status tells of. */
  private fault(timeline: Timeline, from: number): void {
    const debuggee = timeline.debuggee as FlowDebuggee;
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

function kindOf(callee: number): MilestoneKind {
  return callee >= GUEST_LEAF ? "tdcall" : "seamcall";
}

function moverOf(timeline: Timeline): Mover | undefined {
  const { task, place, runtime } = timeline.debuggee as FlowDebuggee;
  return place === ENDED ? undefined : { task, lp: runtime.state.lpOf(task), events: eventCount(timeline) };
}

function eventCount({ debuggee: { machine, store, warningCell } }: Timeline): number {
  return machine.platform.hazards.count + machine.platform.veCount + store.read(warningCell);
}
