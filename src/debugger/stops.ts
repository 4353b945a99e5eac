/** What stops a run, wherever it is on its way: breakpoints, exception filters, and the end. */
import { type ActiveBreakpoint, type BreakpointHit, meet } from "./active-breakpoint.ts";
import type { Breakpoints } from "./breakpoints.ts";
import { DataAccesses } from "./data-accesses.ts";
import { AT_CALL, AT_STATEMENT, ENDED, IN_LEAF, IN_STATEMENT, type Outcome, type Watch } from "./debuggee.ts";
import type { ExceptionFilters, ExceptionHit } from "./exceptions.ts";
import type { Position } from "./position.ts";
import { SilentEvents } from "./silent-events.ts";
import { type Timeline, UNWATCHED } from "./timeline.ts";

/** "waits": the one task that was to move cannot. */
export type StopReason = "step" | "breakpoint" | "exception" | "pause" | "goto" | "start" | "end" | "waits";

export interface Stop {
  readonly reason: StopReason;
  readonly breakpoint?: BreakpointHit;
  readonly exception?: ExceptionHit;
  /** The task that the command was about, where that is not the one that moves next. */
  readonly task?: number;
  /** Why it stopped, in words. */
  readonly text?: string;
}

export interface StopsHost {
  /** A breakpoint says something. */
  message(text: string): void;
  /** What an EPT violation was: "private", "shared" or "pending"; undefined if it cannot be told. */
  classify(outcome: Outcome): string | undefined;
}

const NOTHING_WRITTEN: { readonly step: number; readonly breakpoints: ReadonlySet<ActiveBreakpoint> } = {
  step: -1,
  breakpoints: new Set(),
};

export class Stops {
  private readonly timeline: Timeline;
  private readonly breakpoints: Breakpoints;
  private readonly exceptions: ExceptionFilters;
  /** What no status tells of. */
  readonly silent: SilentEvents;
  private readonly host: StopsHost;
  /** The data breakpoints whose data a unit writes: of the unit that was looked at last. */
  private writtenIn = NOTHING_WRITTEN;
  private readonly accesses: DataAccesses;

  constructor(timeline: Timeline, breakpoints: Breakpoints, exceptions: ExceptionFilters, host: StopsHost) {
    this.timeline = timeline;
    this.breakpoints = breakpoints;
    this.exceptions = exceptions;
    this.silent = new SilentEvents(timeline, exceptions);
    this.accesses = new DataAccesses(timeline, breakpoints.data);
    this.host = host;
  }

  /** What a run has to be stopped for so that `here` can look at it. */
  watch(): Watch {
    const { breakpoints, exceptions } = this;
    return {
      statements: breakpoints.statementFlags,
      depth: -1,
      leaves: breakpoints.leafFlags,
      entry: breakpoints.hasLeaves ? (callee) => this.mayStopAtCall(callee) : undefined,
      returned:
        exceptions.watchesOutcomes || breakpoints.hasReturned
          ? (outcome) => this.mayStopBehindCall(outcome)
          : undefined,
      returnedLeaves: breakpoints.anyLeafFlags,
    };
  }

  /** The same for who only counts hits. */
  countingWatch(): Watch {
    const { breakpoints, timeline } = this;
    const returned = (outcome: Outcome) => breakpoints.mayStopBehindCall(timeline.debuggee, outcome, this.inRun);
    return { ...this.watch(), returned: breakpoints.hasReturned ? returned : undefined };
  }

  private mayStopAtCall(callee: number): boolean {
    const { debuggee } = this.timeline;
    return this.breakpoints.isStepped(callee) || this.breakpoints.mayStopAtCall(debuggee, callee, this.inRun);
  }

  private mayStopBehindCall(outcome: Outcome): boolean {
    const { debuggee } = this.timeline;
    if (this.exceptions.matches(outcome, debuggee, this.host.classify, this.inRun) !== undefined) return true;
    return this.breakpoints.mayStopBehindCall(debuggee, outcome, this.inRun);
  }

  /** While units run: at or behind the place that a question is about, in the same unit. */
  private get inRun(): Position {
    const { store, start } = this.timeline.debuggee;
    return { step: store.now - start, sub: Number.POSITIVE_INFINITY };
  }

  /** At a statement: whether the function that it belongs to returns with it. */
  private readonly returnsNext = (): boolean => {
    const { timeline } = this;
    const { debuggee } = timeline;
    const { task, depth } = debuggee;
    if (!debuggee.nextUnit.mayStay) return true;
    const callers = debuggee.callers(task, depth);
    const stays = (): boolean => debuggee.depthOf(task) === depth && debuggee.callers(task, depth) === callers;
    // What it calls, or waits for, has to be over to know. Where that takes too long it counts as the last time.
    const goesOn = (): boolean =>
      debuggee.depthOf(task) > depth || (stays() && debuggee.placeOf(task) !== AT_STATEMENT && !debuggee.isDone(task));
    return timeline.runAhead(goesOn, () => !stays());
  };

  /** What stops a run at the present place. Counts hits and says what breakpoints have to say. */
  here(): Stop | undefined {
    const { timeline } = this;
    const exception = this.exceptionHere();
    if (exception) return { reason: "exception", exception };
    // Also at the end: what the last statement does to data was done.
    const data = this.dataHere();
    const breakpoint = this.hit(data);
    for (const message of breakpoint?.messages ?? []) this.host.message(message);
    if (breakpoint?.ids.length) return { reason: "breakpoint", breakpoint };
    return timeline.hasEnded ? { reason: "end" } : undefined;
  }

  /** As `here`, but for the counts of hits only. */
  countHere(): void {
    this.hit(this.dataHere());
  }

  /** What the breakpoints want here. @param data those whose data just changed */
  private hit(data: readonly ActiveBreakpoint[]): BreakpointHit | undefined {
    const { debuggee, position } = this.timeline;
    const placed = this.isFlagged() ? this.breakpoints.activeAt(debuggee, this.returnsNext) : [];
    return meet([...placed, ...data], debuggee, position);
  }

  private exceptionHere(): ExceptionHit | undefined {
    const { debuggee } = this.timeline;
    const { failure, outcome, place } = debuggee;
    const failed = failure && this.exceptions.failed(failure, debuggee, this.timeline.position);
    if (failed) return failed;
    // Behind an input there is the same outcome as before it.
    const isNewOutcome = place === IN_STATEMENT && !this.timeline.isBehindInput;
    const isBehindCall = isNewOutcome || (failure !== undefined && place === ENDED);
    const { position } = this.timeline;
    const returned =
      isBehindCall && outcome && this.exceptions.matches(outcome, debuggee, this.host.classify, position);
    return returned || this.exceptions.happened(this.silent.here(), debuggee, position);
  }

  /** As `here`, without counting and without words: whether it is worth looking. */
  mayStopHere(): boolean {
    if (this.exceptionHere() !== undefined || this.dataHere().length > 0) return true;
    const { debuggee, position } = this.timeline;
    return this.isFlagged() && this.breakpoints.mayHit(debuggee, position, this.returnsNext);
  }

  // ---- what a run shows by its journal only ----

  /** Whether something can stop a run of which only the journal of single units tells. */
  get looksAtUnits(): boolean {
    return !this.breakpoints.data.isEmpty || this.silent.checksInvariants;
  }

  /** A single unit runs next of which `unitDidSomething` will be asked. */
  unitBegins(): void {
    this.accesses.begin();
  }

  /** Between units: whether the unit before did something to stop at inside it or at its end. */
  unitDidSomething(): boolean {
    return this.unitWroteData() || this.unitUsedData() || this.silent.happenedInUnit();
  }

  private unitUsedData(): boolean {
    const { timeline } = this;
    const isKnown = timeline.position.step > 0 && timeline.remembersPrevious;
    return isKnown && this.accesses.ofUnit(timeline.position.step - 1).length > 0;
  }

  /** Data breakpoints whose data the move changed, or used as they ask for, that led to the present place. */
  dataHere(): ActiveBreakpoint[] {
    if (this.breakpoints.data.isEmpty || this.timeline.isAtStart) return [];
    return [...this.changedHere(), ...this.accesses.here()];
  }

  private changedHere(): ActiveBreakpoint[] {
    const { timeline } = this;
    if (timeline.isInside) {
      const changed = this.changed(timeline.mark - 1, timeline.mark);
      return changed.length === 0 ? changed : changed.filter((active) => this.writtenInside().has(active));
    }
    if (!this.unitWroteData()) return [];
    // Only what the last move of the unit changed: for the rest there were places inside it.
    const written = this.writtenIn.breakpoints;
    return timeline.lookAtLastMove((from) => this.changed(from, undefined)).filter((active) => written.has(active));
  }

  /** Between units: whether the unit before wrote what a data breakpoint watches. */
  unitWroteData(): boolean {
    const { timeline } = this;
    const { step } = timeline.position;
    if (this.breakpoints.data.isEmpty || step === 0 || !timeline.remembersPrevious) return false;
    this.writtenIn = { step: step - 1, breakpoints: this.written(timeline.mark - 1, timeline.mark) };
    return this.writtenIn.breakpoints.size > 0;
  }

  /** Breakpoints were set: what is known about units is out of date. */
  forget(): void {
    this.silent.forget();
    this.accesses.forget();
    this.writtenIn = NOTHING_WRITTEN;
  }

  /**
   * What the unit around the present place writes when it is run as one. Looked at from inside it also takes locks in the
   * journal, which no run that is not looked at shows: nothing may stop at those, or it would depend on who looks.
   */
  private writtenInside(): ReadonlySet<ActiveBreakpoint> {
    const { timeline } = this;
    const { step } = timeline.position;
    if (this.writtenIn.step !== step) {
      const breakpoints = timeline.lookAhead(UNWATCHED, (_, from) => this.written(from, undefined));
      this.writtenIn = { step, breakpoints };
    }
    return this.writtenIn.breakpoints;
  }

  private changed(from: number, to: number | undefined): ActiveBreakpoint[] {
    return this.breakpoints.data.changed(this.timeline.debuggee, from, to);
  }

  private written(from: number, to: number | undefined): ReadonlySet<ActiveBreakpoint> {
    return this.breakpoints.data.written(this.timeline.debuggee, from, to);
  }

  private isFlagged(): boolean {
    const { debuggee, isBehindInput } = this.timeline;
    // An input leads to no other place: whatever stops there did so before it.
    if (isBehindInput) return false;
    // So did what stops where a unit was left in the middle of its statement: there it was a place inside that unit.
    if (!this.timeline.isInside && debuggee.place !== AT_STATEMENT) return false;
    switch (debuggee.place) {
      case AT_STATEMENT:
        return this.breakpoints.statementFlags[debuggee.statement] === 1 && !debuggee.isPassedOver;
      case AT_CALL:
        return this.breakpoints.leafFlags[debuggee.callee] === 1;
      case IN_STATEMENT:
        return debuggee.outcome !== undefined && this.breakpoints.anyLeafFlags[debuggee.outcome.callee] === 1;
      default:
        return debuggee.place === IN_LEAF;
    }
  }

  /** Whether the unit goes on inside a leaf that has a breakpoint in its source. */
  get looksIntoOpenLeaf(): boolean {
    const { debuggee } = this.timeline;
    return debuggee.isAnyInside && debuggee.place === IN_LEAF && this.breakpoints.isStepped(debuggee.callee);
  }

  /** At the start of a unit: whether there is a place inside it that may be a stop. Runs it to see, where tables do not tell. */
  mayStopInside(): boolean {
    const { timeline, breakpoints, exceptions } = this;
    if (!breakpoints.hasLeaves && !breakpoints.hasReturned && !exceptions.watchesOutcomes) return false;
    const flags = exceptions.watchesOutcomes ? undefined : breakpoints.anyLeafFlags;
    if (!timeline.debuggee.nextUnit.mayCall(flags)) return false;
    const watch = this.watch();
    if (watch.returned === undefined && timeline.debuggee.nextUnit.callsOnce) {
      // Nothing behind the only call can stop: it need not be made.
      let isWanted = false;
      const entry = (callee: number): boolean => {
        isWanted = this.mayStopAtCall(callee);
        return true;
      };
      const probe: Watch = { ...watch, statements: UNWATCHED.statements, entry, isProbe: true };
      return timeline.lookAhead(probe, () => isWanted);
    }
    return timeline.lookAhead({ ...watch, statements: UNWATCHED.statements }, (end) => end === "inside");
  }
}
