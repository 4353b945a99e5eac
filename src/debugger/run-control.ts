/**
 * Run control: the commands that move a session in time. Each runs until it is where it is to be, something stops it on the
 * way, or it is told to pause; it gives its host a breath every few milliseconds, so that a pause is always heard.
 *
 * Forward and back are exact inverses. A step that went forward is remembered with where it began; its inverse from where it
 * ended leads back there, to the very place. Only where nothing is remembered, since a breakpoint or a pause brought the
 * session there, does an inverse look for a place by itself: the nearest earlier one that its forward command would have
 * stopped at.
 */

import type { Branch, Input } from "./branches.ts";
import type { Breakpoints } from "./breakpoints.ts";
import { Breath, type BreathHost, UNITS_PER_LOOK } from "./breath.ts";
import type { Watch } from "./debuggee.ts";
import type { ExceptionFilters } from "./exceptions.ts";
import { backwardGoal, type Command, forwardGoal, type Goal, type Granularity } from "./goals.ts";
import { HitCounter } from "./hit-counter.ts";
import { isBefore, isSame, type Position, START } from "./position.ts";
import { Skipping } from "./skipping.ts";
import type { StepTarget } from "./step-targets.ts";
import { type Stop, Stops, type StopsHost } from "./stops.ts";
import { TaskChoice } from "./task-choice.ts";
import { type Timeline, UNWATCHED } from "./timeline.ts";

/** Units that are undone at once: that takes a few milliseconds. */
const UNDONE_PER_BREATH = 20_000;

export type RunHost = BreathHost & StopsHost;

/** Which task a command is about. */
export interface Subject {
  /** Absent: the one that moves next. */
  readonly task?: number | undefined;
  /** Only that one moves. */
  readonly isSingle?: boolean;
  /** Where inside its statement a step in is to lead. */
  readonly target?: StepTarget | undefined;
}

interface Step {
  /** "input": something was done from outside. */
  readonly command: Command | "input";
  readonly task?: number | undefined;
  readonly from: Position;
  readonly to: Position;
}

export class RunControl {
  readonly timeline: Timeline;
  private readonly breakpoints: Breakpoints;
  private readonly stops: Stops;
  /** Of whatever goes on: a pause ends it. */
  readonly breath: Breath;
  private readonly counter: HitCounter;
  private readonly skipping: Skipping;
  /** Steps that led forward to the present, the latest last; each begins at or after the end of the one before. */
  private steps: Step[] = [];

  constructor(timeline: Timeline, breakpoints: Breakpoints, exceptions: ExceptionFilters, host: RunHost) {
    this.timeline = timeline;
    this.breakpoints = breakpoints;
    this.stops = new Stops(timeline, breakpoints, exceptions, host);
    this.skipping = new Skipping(timeline, breakpoints, exceptions, this.stops);
    this.breath = new Breath(host);
    this.counter = new HitCounter(timeline, breakpoints, this.stops, this.breath);
  }

  /** Stops the running command at the next place. */
  pause(): void {
    this.breath.stop();
  }

  /** Whether a breakpoint or filter may stop a run at the present place, be it the end. */
  mayStopHere(): boolean {
    return this.stops.mayStopHere();
  }

  /** Breakpoints were set: what they count has to be counted anew. */
  breakpointsChanged(): void {
    this.counter.reset();
    this.stops.forget();
  }

  /** A command begins. */
  private async begin(): Promise<void> {
    this.breath.begin();
    this.timeline.branches.arrived(this.timeline.position);
    await this.counter.catchUp();
  }

  // ---- forward ----

  async forward(command: Command, granularity: Granularity = "statement", subject: Subject = {}): Promise<Stop> {
    await this.begin();
    const { timeline } = this;
    const from = timeline.position;
    this.forgetSteps(from);
    const task = subject.task ?? timeline.debuggee.task;
    const { isSingle = false, target } = subject;
    if (command !== "continue" || isSingle) this.choose(task);
    const goal = target?.goal(timeline, task) ?? forwardGoal(timeline, command, granularity, task);
    const stop = await this.runForward(isSingle ? { ...goal, task } : goal);
    const to = timeline.position;
    if (!isSame(from, to)) this.steps.push({ command, task, from, to });
    return stop;
  }

  /**
   * The task moves next, if it can. What was decided otherwise at this place begins another branch; what was decided so is
   * followed.
   */
  private choose(task: number): void {
    const { timeline } = this;
    const { debuggee, position } = timeline;
    const decided = timeline.branches.at(position.step, position.sub);
    if (decided instanceof TaskChoice && decided.task !== task) {
      timeline.branches.arrived(position);
      timeline.branches.fork(position);
      this.futureChanged(position);
    } else if (decided !== undefined) {
      if (decided instanceof TaskChoice) timeline.fineForward();
      return;
    }
    if (debuggee.task === task || debuggee.blocked(task) !== undefined) return;
    if (timeline.put(new TaskChoice(task, debuggee.nameOf(task)))) this.futureChanged(position);
  }

  /** For one task alone: it is the one that moves next, or the reason why it cannot. */
  private keep(task: number): Stop | undefined {
    const { timeline } = this;
    if (timeline.isInside && timeline.debuggee.task === task) return undefined;
    const blocked = timeline.debuggee.blocked(task);
    if (blocked === undefined) this.choose(task);
    else return { reason: "waits", task, text: `${timeline.debuggee.nameOf(task)} ${blocked}` };
    return undefined;
  }

  private async runForward(goal: Goal): Promise<Stop> {
    const { timeline, stops } = this;
    /** Up to this step units are run one at a time. */
    let byUnitUntil = 0;
    for (;;) {
      if (timeline.hasEnded) return { reason: "end" };
      const kept = goal.task === undefined ? undefined : this.keep(goal.task);
      if (kept) return kept;
      if (timeline.isInside || goal.isFine || stops.looksIntoOpenLeaf) {
        const wasInLeaf = timeline.debuggee.trace !== "";
        timeline.fineForward();
        const stop = stops.here();
        if (stop) return stop;
        if (goal.isReached(wasInLeaf && timeline.debuggee.trace === "")) return { reason: "step" };
      } else {
        const before = timeline.position.step;
        const seen = stops.silent.count;
        const isByUnit = stops.looksAtUnits || before < byUnitUntil || timeline.debuggee.isAnyInside;
        if (isByUnit) stops.unitBegins();
        const end = timeline.run(isByUnit ? 1 : UNITS_PER_LOOK, this.watch(goal));
        if (!isByUnit && stops.silent.count !== seen && timeline.remembers({ step: before, sub: 0 })) {
          // Something happened on the way that no watch tells of: once more, to see where.
          byUnitUntil = timeline.position.step + 1;
          timeline.goBack({ step: before, sub: 0 });
          continue;
        }
        // It may have happened at a place before the one that stopped the unit, or before its end.
        const didSomething = isByUnit && (timeline.isInside || stops.unitDidSomething());
        const isPlace = (): boolean => stops.mayStopHere() || (goal.stopsAtCalls && goal.isReached(false));
        if (didSomething) timeline.goToFirst(before, isPlace);
        const stop = end === "done" && !didSomething ? undefined : stops.here();
        if (stop) return stop;
        // A call that is watched for its inside only, or for a count that is not reached, is no place to be.
        if (!timeline.isInside && goal.isReached(false)) return { reason: "step" };
        if (timeline.isInside && goal.stopsAtCalls && goal.isReached(false)) return { reason: "step" };
      }
      if (this.breath.isDue() && (await this.breath.take())) return { reason: "pause" };
    }
  }

  private watch(goal: Goal): Watch {
    const watch = this.stops.watch();
    return {
      ...watch,
      depth: goal.depth ?? -1,
      task: goal.task,
      ...(goal.stopsAtCalls && { leaves: undefined, entry: () => true }),
    };
  }

  // ---- back ----

  async backward(command: Command, granularity: Granularity = "statement", subject: Subject = {}): Promise<Stop> {
    await this.begin();
    const here = this.timeline.position;
    this.forgetSteps(here);
    const last = this.steps.at(-1);
    const isRemembered =
      last !== undefined &&
      isSame(last.to, here) &&
      isInverse(command, last.command) &&
      (command === "continue" || (subject.task ?? last.task) === last.task || last.task === undefined);
    if (isRemembered && command !== "continue") {
      if (!(await this.goTo(last.from))) return { reason: "pause" };
      const reason = this.timeline.isAtStart ? "start" : "step";
      return last.task === undefined ? { reason } : { reason, task: last.task };
    }
    const task = subject.task ?? this.timeline.debuggee.task;
    const stop = await this.runBackward(command, granularity, task, isRemembered ? last.from : undefined);
    this.forgetSteps(this.timeline.position);
    return stop;
  }

  /** Goes back until the goal, a stop, or `floor`, where the command began of which this is the inverse. */
  private async runBackward(
    command: Command,
    granularity: Granularity,
    task: number,
    floor: Position | undefined,
  ): Promise<Stop> {
    const { timeline, stops } = this;
    const goal = backwardGoal(timeline, command, granularity, task);
    this.skipping.begin();
    for (;;) {
      if (timeline.isAtStart) return { reason: "start" };
      if (!timeline.remembersPrevious) {
        // Running up to here again leaves in history what came right before.
        if (!(await this.runAgain(timeline.position))) return { reason: "pause" };
        if (!timeline.remembersPrevious) return { reason: "start" };
      }
      // Nothing but a stop ends it: what cannot stop is not looked at.
      if (command === "continue") this.skipping.back(floor?.step ?? 0);
      this.moveBack(goal);
      if (floor && !isBefore(floor, timeline.position)) {
        await this.goTo(floor);
        return stops.here() ?? { reason: timeline.isAtStart ? "start" : "step" };
      }
      const stop = stops.here();
      if (stop) return stop;
      if (goal.isReached(false)) return { reason: "step" };
      if (this.breath.isDue() && (await this.breath.take())) return { reason: "pause" };
    }
  }

  /** To the last place before this one, in the same unit or the one before, that can be a stop; else to that unit's start. */
  private moveBack(goal: Goal): void {
    const { timeline, stops } = this;
    const { step, sub } = timeline.position;
    const wanted = (): boolean => stops.mayStopHere() || (goal.isFine && goal.isReached(false));
    if (sub > 0) timeline.goToLast(step, wanted, sub);
    else {
      const didSomething = stops.unitDidSomething();
      timeline.back();
      if (goal.isFine || didSomething || stops.mayStopInside()) timeline.goToLast(step - 1, wanted);
    }
  }

  // ---- to a place in time ----

  /** Goes to a position, forward or back, stopping nowhere on the way. False if a pause came first. */
  async goTo(position: Position): Promise<boolean> {
    const { timeline } = this;
    let arrived = true;
    if (isBefore(timeline.position, position)) {
      arrived = await this.runTo(position);
      // What was passed has not been counted.
      this.counter.reset();
    } else if (timeline.remembers(position)) await this.undoTo(position);
    else arrived = await this.runAgain(position);
    this.forgetSteps(timeline.position);
    return arrived;
  }

  /** Back by the journal alone: millions of steps too, hence breath by breath. */
  private async undoTo(position: Position): Promise<void> {
    const { timeline } = this;
    while (timeline.position.step - position.step > UNDONE_PER_BREATH) {
      timeline.goBack({ step: timeline.position.step - UNDONE_PER_BREATH, sub: 0 });
      if (this.breath.isDue()) await this.breath.take();
    }
    timeline.goBack(position);
  }

  /** The command of a client: as `goTo`, or to the end if the flow does not get that far. `place`: inside that step. */
  async goToStep(step: number, place = 0): Promise<Stop> {
    this.breath.begin();
    this.timeline.branches.arrived(this.timeline.position);
    const arrived = await this.goTo({ step: Math.max(0, step), sub: Math.max(0, place) });
    return { reason: arrived ? "goto" : "pause" };
  }

  /** To a step, and in it behind so many places before and behind calls (milestones.ts). */
  async goToCall(step: number, passed: number): Promise<Stop> {
    const stop = await this.goToStep(step);
    const { timeline } = this;
    if (stop.reason === "goto") while (timeline.debuggee.passed < passed && timeline.fineForward());
    return stop;
  }

  // ---- inputs and branches ----

  /** An input at the present position, where a move could begin. Throws what the input throws. Returns whether a branch began. */
  put(input: Input): boolean {
    const { timeline } = this;
    const from = timeline.position;
    const isFork = timeline.put(input);
    if (isFork) this.futureChanged(from);
    this.forgetSteps(from);
    this.steps.push({ command: "input", from, to: timeline.position });
    return isFork;
  }

  /** Goes to another branch: to where the session stood in it last, or to a position. */
  async switchTo(branch: Branch, position?: Position): Promise<Stop> {
    const { timeline } = this;
    this.breath.begin();
    timeline.branches.arrived(timeline.position);
    const to = position ?? branch.left;
    const common = timeline.branches.firstDifference(branch);
    if (common && isBefore(common, timeline.position) && !(await this.goTo(common))) return { reason: "pause" };
    timeline.branches.become(branch);
    this.futureChanged(common ?? timeline.position);
    const arrived = await this.goTo(to);
    return { reason: arrived ? "goto" : "pause" };
  }

  /** Starts over without any inputs: what there was of them stays a branch. */
  restart(): void {
    const { timeline } = this;
    timeline.branches.arrived(timeline.position);
    if (timeline.branches.current.inputs.length > 0) timeline.branches.fork(START);
    timeline.restart();
    this.forgetSteps(START);
    this.futureChanged(START);
  }

  /** What is known of what comes behind a position is of another future. */
  private futureChanged(position: Position): void {
    this.breakpoints.forgetHits(position);
    this.breakpointsChanged();
  }

  /** Starts over and runs to a position. */
  private async runAgain(position: Position): Promise<boolean> {
    this.timeline.restart();
    return this.runTo(position);
  }

  private async runTo(position: Position): Promise<boolean> {
    const { timeline } = this;
    while (timeline.position.step < position.step && !timeline.hasEnded) {
      timeline.run(Math.min(UNITS_PER_LOOK, position.step - timeline.position.step), UNWATCHED);
      if (this.breath.isDue() && (await this.breath.take())) return false;
    }
    while (timeline.position.step === position.step && timeline.position.sub < position.sub && timeline.fineForward());
    return true;
  }

  /** Forgets what led forward past a position: it is not how the session came there any more. */
  private forgetSteps(position: Position): void {
    let keep = this.steps.length;
    while (keep > 0 && isBefore(position, (this.steps[keep - 1] as Step).to)) keep--;
    this.steps.length = keep;
  }
}

/** Whether going back by a command undoes a forward one. Step back, the one that clients know, undoes a step in as well. */
function isInverse(back: Command, forward: Step["command"]): boolean {
  if (forward === "input") return back !== "continue";
  return back === forward || (back === "over" && forward === "in");
}
