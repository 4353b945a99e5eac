/** What stops a run, wherever it is on its way: breakpoints, exception filters, and the end. */
import type { BreakpointHit, Breakpoints } from "./breakpoints.ts";
import { AT_CALL, AT_STATEMENT, ENDED, IN_LEAF, IN_STATEMENT, type Outcome, type Watch } from "./debuggee.ts";
import type { ExceptionFilters, ExceptionHit } from "./exceptions.ts";
import { type Timeline, UNWATCHED } from "./timeline.ts";

export type StopReason = "step" | "breakpoint" | "exception" | "pause" | "goto" | "start" | "end";

export interface Stop {
  readonly reason: StopReason;
  readonly breakpoint?: BreakpointHit;
  readonly exception?: ExceptionHit;
}

export interface StopsHost {
  /** A breakpoint says something. */
  message(text: string): void;
  /** What an EPT violation was: "private", "shared" or "pending"; undefined if it cannot be told. */
  classify(outcome: Outcome): string | undefined;
}

export class Stops {
  readonly unwatched = UNWATCHED;
  private readonly timeline: Timeline;
  private readonly breakpoints: Breakpoints;
  private readonly exceptions: ExceptionFilters;
  private readonly host: StopsHost;

  constructor(timeline: Timeline, breakpoints: Breakpoints, exceptions: ExceptionFilters, host: StopsHost) {
    this.timeline = timeline;
    this.breakpoints = breakpoints;
    this.exceptions = exceptions;
    this.host = host;
  }

  /** What a run has to be stopped for so that `here` can look at it. */
  watch(): Watch {
    const { breakpoints, exceptions } = this;
    return {
      statements: breakpoints.statementFlags,
      depth: -1,
      entry: breakpoints.hasLeaves
        ? (callee) => breakpoints.leafFlags[callee] === 1 && this.mayStopAtCall(callee)
        : undefined,
      returned: exceptions.watchesOutcomes
        ? (outcome) => exceptions.matches(outcome, this.timeline.debuggee, this.host.classify) !== undefined
        : undefined,
    };
  }

  private mayStopAtCall(callee: number): boolean {
    return this.breakpoints.isStepped(callee) || this.breakpoints.mayStopAtCall(this.timeline.debuggee, callee);
  }

  /** What stops a run at the present place. Counts hits and says what breakpoints have to say. */
  here(): Stop | undefined {
    const { timeline } = this;
    const exception = this.exceptionHere();
    if (exception) return { reason: "exception", exception };
    if (timeline.hasEnded) return { reason: "end" };
    if (!this.isFlagged()) return undefined;
    const breakpoint = this.breakpoints.hit(timeline.debuggee, timeline.position);
    if (breakpoint === undefined) return undefined;
    for (const message of breakpoint.messages) this.host.message(message);
    return breakpoint.ids.length ? { reason: "breakpoint", breakpoint } : undefined;
  }

  private exceptionHere(): ExceptionHit | undefined {
    const { debuggee } = this.timeline;
    const { failure, outcome, place } = debuggee;
    const failed = failure && this.exceptions.failed(failure);
    if (failed) return failed;
    const isBehindCall = place === IN_STATEMENT || (failure !== undefined && place === ENDED);
    return isBehindCall && outcome ? this.exceptions.matches(outcome, debuggee, this.host.classify) : undefined;
  }

  /** As `here`, without counting and without words: whether it is worth looking. */
  mayStopHere(): boolean {
    return this.exceptionHere() !== undefined || (this.isFlagged() && this.breakpoints.mayHit(this.timeline.debuggee));
  }

  private isFlagged(): boolean {
    const { debuggee } = this.timeline;
    switch (debuggee.place) {
      case AT_STATEMENT:
        return this.breakpoints.statementFlags[debuggee.statement] === 1;
      case AT_CALL:
        return this.breakpoints.leafFlags[debuggee.callee] === 1;
      default:
        return debuggee.place === IN_LEAF;
    }
  }

  /** At the start of a unit: whether there is a place inside it that may be a stop. Runs it to see, where tables do not tell. */
  mayStopInside(): boolean {
    const { timeline, breakpoints, exceptions } = this;
    if (!breakpoints.hasLeaves && !exceptions.watchesOutcomes) return false;
    const flags = exceptions.watchesOutcomes ? undefined : breakpoints.leafFlags;
    if (!timeline.debuggee.mayCall(flags)) return false;
    const { position } = timeline;
    const end = timeline.debuggee.run(1, { ...this.watch(), statements: UNWATCHED.statements });
    timeline.goBack(position);
    return end === "inside";
  }
}
