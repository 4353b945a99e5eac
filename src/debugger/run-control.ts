/**
 * Run control: the commands that move a session in time. Each runs until it is where it is to be, something stops it on the
 * way, or it is told to pause; it gives its host a breath every few milliseconds, so that a pause is always heard.
 *
 * Forward and back are exact inverses. A step that went forward is remembered with where it began; its inverse from where it
 * ended leads back there, to the very place. Only where nothing is remembered, since a breakpoint or a pause brought the
 * session there, does an inverse look for a place by itself: the nearest earlier one that its forward command would have
 * stopped at.
 */
import type { BreakpointHit, Breakpoints } from "./breakpoints.ts";
import { AT_CALL, AT_STATEMENT, ENDED, IN_LEAF, type Outcome } from "./debuggee.ts";
import type { ExceptionFilters, ExceptionHit } from "./exceptions.ts";
import { isBefore, isSame, type Position, START, type Timeline } from "./timeline.ts";

/** The time between breaths, in milliseconds: an extension host must not be kept for longer than 50. */
const SLICE = 10;
/** Moves between looks at the clock. */
const MOVES_PER_LOOK = 64;

export type Command = "continue" | "over" | "in" | "out";
/** What one step is: a statement of the flow, a SEAMCALL or TDCALL, a step inside the module. */
export type Granularity = "statement" | "call" | "module";

export type StopReason = "step" | "breakpoint" | "exception" | "pause" | "goto" | "start" | "end";

export interface Stop {
  readonly reason: StopReason;
  readonly breakpoint?: BreakpointHit;
  readonly exception?: ExceptionHit;
}

export interface RunHost {
  /** Lets what waits run; resolves soon. */
  breathe(): Promise<void>;
  /** A clock in milliseconds. */
  now(): number;
  /** A breakpoint says something. */
  message(text: string): void;
  /** What an EPT violation was: "private", "shared" or "pending"; undefined if it cannot be told. */
  classify(outcome: Outcome): string | undefined;
}

interface Step {
  readonly command: Command;
  readonly granularity: Granularity;
  readonly from: Position;
  readonly to: Position;
}

export class RunControl {
  readonly timeline: Timeline;
  private readonly breakpoints: Breakpoints;
  private readonly exceptions: ExceptionFilters;
  private readonly host: RunHost;
  /** Steps that led forward to the present, the latest last; each begins at or after the end of the one before. */
  private steps: Step[] = [];
  private pauseAsked = false;
  private moves = 0;
  private sliceEnd = 0;
  /** Up to here hits were counted. */
  private counted: Position = START;

  constructor(timeline: Timeline, breakpoints: Breakpoints, exceptions: ExceptionFilters, host: RunHost) {
    this.timeline = timeline;
    this.breakpoints = breakpoints;
    this.exceptions = exceptions;
    this.host = host;
  }

  /** Stops the running command at the next place. */
  pause(): void {
    this.pauseAsked = true;
  }

  // ---- forward ----

  async forward(command: Command, granularity: Granularity = "statement"): Promise<Stop> {
    this.start();
    await this.countHits();
    const from = this.timeline.position;
    this.forgetSteps(from);
    const stop = await this.runForward(this.goal(command, granularity));
    const to = this.timeline.position;
    if (!isSame(from, to)) this.steps.push({ command, granularity, from, to });
    return stop;
  }

  private async runForward(goal: Goal): Promise<Stop> {
    const { timeline, breakpoints } = this;
    for (;;) {
      if (timeline.debuggee.place === ENDED) return { reason: "end" };
      const { place, callee } = timeline.debuggee;
      const isEntered = place === IN_LEAF || (place === AT_CALL && (goal.enters || breakpoints.isStepped(callee)));
      if (isEntered) timeline.forwardInto();
      else timeline.forward();
      const stop = this.stopHere();
      if (stop) return stop;
      if (goal.reached(place === IN_LEAF && timeline.position.sub === 0)) return { reason: "step" };
      if (this.isSliceOver() && (await this.isPaused())) return { reason: "pause" };
    }
  }

  /** What stops a run at the present place. */
  private stopHere(): Stop | undefined {
    const { debuggee } = this.timeline;
    const exception = this.exceptions.hit(debuggee, this.host.classify);
    if (exception) return { reason: "exception", exception };
    if (debuggee.place === ENDED) return { reason: "end" };
    return this.breakpointHere();
  }

  private breakpointHere(): Stop | undefined {
    const { timeline } = this;
    const { debuggee } = timeline;
    if (!this.mayHit()) return undefined;
    const breakpoint = this.breakpoints.hit(debuggee, timeline.position);
    if (breakpoint === undefined) return undefined;
    for (const message of breakpoint.messages) this.host.message(message);
    return breakpoint.ids.length ? { reason: "breakpoint", breakpoint } : undefined;
  }

  /** The cheap look at the tables. */
  private mayHit(): boolean {
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

  /** When a command is where it is to be. */
  private goal(command: Command, granularity: Granularity): Goal {
    const { timeline } = this;
    const { depth, task, place } = timeline.debuggee;
    if (command === "continue") return { enters: false, reached: () => false };
    if (granularity === "call" && command !== "out") {
      return { enters: false, reached: () => timeline.debuggee.place === AT_CALL };
    }
    const enters = command === "in" || granularity === "module";
    if (place === IN_LEAF) {
      // A leaf that has ended is a place to stop at: its caller, with the result.
      const limit = command === "in" ? Number.POSITIVE_INFINITY : command === "over" ? depth : depth - 1;
      return { enters, reached: (left) => left || timeline.debuggee.depth <= limit };
    }
    if (command === "out") {
      return { enters: false, reached: () => timeline.debuggee.task === task && timeline.debuggee.depth < depth };
    }
    if (granularity === "module") return { enters, reached: () => true };
    if (command === "in") {
      return { enters, reached: () => timeline.debuggee.place === AT_STATEMENT || this.isInOwnSource() };
    }
    return {
      enters,
      reached: () => {
        const { debuggee } = timeline;
        return debuggee.place === AT_STATEMENT && debuggee.task === task && debuggee.depth <= depth;
      },
    };
  }

  /** Inside a leaf and past the dispatcher's own checks: where stepping in leads. */
  private isInOwnSource(): boolean {
    const { place, trace } = this.timeline.debuggee;
    return place === IN_LEAF && trace.includes("\n");
  }

  // ---- back ----

  async backward(command: Command, granularity: Granularity = "statement"): Promise<Stop> {
    this.start();
    await this.countHits();
    const here = this.timeline.position;
    const last = this.steps.at(-1);
    const isRemembered = last !== undefined && isSame(last.to, here) && isInverse(command, last.command);
    if (isRemembered && command !== "continue") {
      await this.goTo(last.from);
      return { reason: this.timeline.isAtStart ? "start" : "step" };
    }
    const floor = isRemembered ? last.from : undefined;
    const stop = await this.runBackward(command, granularity, floor);
    this.forgetSteps(this.timeline.position);
    return stop;
  }

  /** Goes back until the goal, a stop, or `floor`, where the command began of which this is the inverse. */
  private async runBackward(command: Command, granularity: Granularity, floor: Position | undefined): Promise<Stop> {
    const { timeline } = this;
    const { depth, task } = timeline.debuggee;
    const goal = this.backwardGoal(command, granularity);
    for (;;) {
      if (timeline.isAtStart) return { reason: "start" };
      if (!timeline.remembersPrevious) {
        // Running up to here again leaves in history what came right before.
        if (!(await this.runAgain(timeline.position))) return { reason: "pause" };
        if (!timeline.remembersPrevious) return { reason: "start" };
      }
      const stop = this.moveBack(goal.enters);
      if (stop) return stop;
      const { position } = timeline;
      if (floor && !isBefore(floor, position)) {
        if (isBefore(position, floor)) await this.goTo(floor);
        return { reason: "step" };
      }
      if (goal.reached(depth, task)) return { reason: "step" };
      if (this.isSliceOver() && (await this.isPaused())) return { reason: "pause" };
    }
  }

  /** One move back, and what stops there. */
  private moveBack(enters: boolean): Stop | undefined {
    const { timeline, exceptions } = this;
    const { step, sub } = timeline.position;
    const maybeFailed = sub === 0 && exceptions.watchesOutcomes && timeline.debuggee.maybeFailed;
    if (enters) timeline.backInto();
    else timeline.back();
    if (timeline.debuggee.place === IN_LEAF) return this.breakpointHere();
    if (maybeFailed) {
      const stop = this.failedUnit(step);
      if (stop) return stop;
    }
    if (timeline.debuggee.place === AT_CALL && this.breakpoints.isStepped(timeline.debuggee.callee)) {
      const stop = this.lastStopInside(sub);
      if (stop) return stop;
    }
    return this.breakpointHere();
  }

  /** Whether the unit ahead is one that stops by how it ends; then stands behind it, at position `step`. */
  private failedUnit(step: number): Stop | undefined {
    const { timeline } = this;
    timeline.forward();
    const exception = this.exceptions.hit(timeline.debuggee, this.host.classify);
    // It is where this command began if the session stood right there already.
    if (exception && !(this.startedAt.step === step && this.startedAt.sub === 0))
      return { reason: "exception", exception };
    timeline.back();
    return undefined;
  }

  /** The last place inside the leaf ahead, before module step `limit` (0: all), that has a breakpoint. */
  private lastStopInside(limit: number): Stop | undefined {
    const { timeline } = this;
    const before = timeline.position;
    let last: { stop: Stop; position: Position } | undefined;
    timeline.forwardInto();
    while (timeline.position.sub > 0 && (limit === 0 || timeline.position.sub < limit)) {
      const stop = this.breakpointHere();
      if (stop) last = { stop, position: timeline.position };
      timeline.forwardInto();
    }
    timeline.goBack(last?.position ?? before);
    return last?.stop;
  }

  private backwardGoal(command: Command, granularity: Granularity): BackwardGoal {
    const { timeline } = this;
    if (command === "continue") return { enters: false, reached: () => false };
    if (granularity === "module" && command !== "out") return { enters: true, reached: () => true };
    if (granularity === "call" && command !== "out") {
      return { enters: false, reached: () => timeline.debuggee.place === AT_CALL };
    }
    const isInLeaf = timeline.debuggee.place === IN_LEAF;
    if (command === "in")
      return { enters: true, reached: () => timeline.debuggee.place === AT_STATEMENT || this.isInOwnSource() };
    return {
      enters: isInLeaf,
      reached: (depth, task) => {
        const { debuggee } = timeline;
        if (debuggee.task !== task) return false;
        const limit = command === "out" ? depth - 1 : depth;
        if (debuggee.place === IN_LEAF) return isInLeaf && debuggee.depth <= limit;
        return debuggee.place === AT_STATEMENT && debuggee.depth <= limit;
      },
    };
  }

  // ---- to a place in time ----

  /** Goes to a position, forward or back, stopping nowhere on the way. False if a pause came first. */
  async goTo(position: Position): Promise<boolean> {
    const { timeline } = this;
    const isBack = !isBefore(timeline.position, position);
    const arrived =
      isBack && !timeline.remembers(position) ? await this.runAgain(position) : await this.run(position, isBack);
    this.forgetSteps(timeline.position);
    return arrived;
  }

  private async run(position: Position, isBack: boolean): Promise<boolean> {
    if (!isBack) return this.runTo(position);
    this.timeline.goBack(position);
    return true;
  }

  /** Starts over and runs to a position. */
  private async runAgain(position: Position): Promise<boolean> {
    this.timeline.restart();
    return this.runTo(position);
  }

  private async runTo(position: Position): Promise<boolean> {
    const { timeline } = this;
    while (timeline.position.step < position.step && !timeline.hasEnded) {
      timeline.forward();
      if (this.isSliceOver() && (await this.isPaused())) return false;
    }
    while (timeline.position.sub < position.sub && timeline.position.step === position.step) timeline.forwardInto();
    return true;
  }

  /** Forgets what led forward past a position: it is not how the session came there any more. */
  private forgetSteps(position: Position): void {
    let keep = this.steps.length;
    while (keep > 0 && isBefore(position, (this.steps[keep - 1] as Step).to)) keep--;
    this.steps.length = keep;
  }

  /** Counts of hits are from the start: those of breakpoints that were set later are made up for by running again. */
  private async countHits(): Promise<void> {
    const here = this.timeline.position;
    if (!this.breakpoints.counts) return;
    if (isBefore(this.counted, here)) {
      const { steps } = this;
      await this.goTo(START);
      while (isBefore(this.timeline.position, here) && !this.timeline.hasEnded) {
        const { place, callee } = this.timeline.debuggee;
        const isEntered = place === IN_LEAF || (place === AT_CALL && this.breakpoints.isStepped(callee));
        if (isEntered || this.timeline.position.step === here.step) this.timeline.forwardInto();
        else this.timeline.forward();
        if (this.mayHit()) this.breakpoints.hit(this.timeline.debuggee, this.timeline.position);
        if (this.isSliceOver()) await this.isPaused();
      }
      this.steps = steps;
    }
    // From here on every place that is passed is looked at as it is passed.
    this.counted = { step: Number.POSITIVE_INFINITY, sub: 0 };
  }

  /** Breakpoints were set: what they count has to be counted anew. */
  breakpointsChanged(): void {
    this.counted = START;
  }

  // ---- breath ----

  private startedAt: Position = START;

  private start(): void {
    this.pauseAsked = false;
    this.sliceEnd = this.host.now() + SLICE;
    this.startedAt = this.timeline.position;
  }

  /** Asked after each move; almost always false. */
  private isSliceOver(): boolean {
    return ++this.moves % MOVES_PER_LOOK === 0 && this.host.now() >= this.sliceEnd;
  }

  private async isPaused(): Promise<boolean> {
    await this.host.breathe();
    this.sliceEnd = this.host.now() + SLICE;
    return this.pauseAsked;
  }
}

interface Goal {
  /** Whether leaves that are called on the way are entered. */
  readonly enters: boolean;
  /** `left`: the last move ended a leaf that had been entered. */
  reached(left: boolean): boolean;
}

interface BackwardGoal {
  readonly enters: boolean;
  /** `depth` and `task`: of where the command began. */
  reached(depth: number, task: number): boolean;
}

/** Whether going back by a command undoes a forward one. Step back, the one that clients know, undoes a step in as well. */
function isInverse(back: Command, forward: Command): boolean {
  return back === forward || (back === "over" && forward === "in");
}
