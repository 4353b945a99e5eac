/** Where each command is to end, at each granularity, seen from where it begins. */
import { AT_CALL, AT_STATEMENT, IN_LEAF, type PlaceKind } from "./debuggee.ts";
import type { Timeline } from "./timeline.ts";

export type Command = "continue" | "over" | "in" | "out";
/** What one step is: a statement of the flow, a SEAMCALL or TDCALL, a place inside the module. */
export type Granularity = "statement" | "call" | "module";

export interface Goal {
  /** The places inside units are passed one by one, since it may lie there. */
  readonly isFine: boolean;
  /** Stops before each call of the module on the way. */
  readonly stopsAtCalls: boolean;
  /** The run may go on while the task has more frames than this. */
  readonly depth?: number;
  /** Nobody else than this task moves. */
  readonly task?: number;
  /** `left`: the last move ended a leaf that had been entered. */
  isReached(left: boolean): boolean;
}

const NEVER: Goal = { isFine: false, stopsAtCalls: false, isReached: () => false };

/** Inside a leaf and past the dispatcher's own checks: where stepping in leads. */
export function isInOwnSource(timeline: Timeline): boolean {
  return timeline.debuggee.trace.includes("\n");
}

/** The task that a command is about, and where it stands. */
function subject({ debuggee }: Timeline, task: number): { readonly depth: number; readonly place: PlaceKind } {
  return task === debuggee.task ? debuggee : { depth: debuggee.depthOf(task), place: debuggee.placeOf(task) };
}

/** Others move only if the task waits for them: the goal is one of that task, or its end. */
export function forwardGoal(timeline: Timeline, command: Command, granularity: Granularity, task: number): Goal {
  const { depth, place } = subject(timeline, task);
  if (command === "continue") return NEVER;
  const isOwn = (): boolean => timeline.debuggee.task === task;
  const goal = forwardGoalOf(timeline, command, granularity, depth, place);
  return {
    ...goal,
    isReached: (left) => (isOwn() ? goal.isReached(left) : timeline.debuggee.isDone(task)),
  };
}

function forwardGoalOf(
  timeline: Timeline,
  command: Command,
  granularity: Granularity,
  depth: number,
  place: PlaceKind,
): Goal {
  if (place === IN_LEAF && granularity !== "call") {
    const limit = command === "in" || granularity === "module" ? Number.POSITIVE_INFINITY : depth;
    const deepest = command === "out" ? depth - 1 : limit;
    // A leaf that has ended is a place to stop at: its caller, with the result.
    return { isFine: true, stopsAtCalls: false, isReached: (left) => left || timeline.debuggee.depth <= deepest };
  }
  if (command === "out") {
    const isReached = (): boolean => timeline.debuggee.depth < depth;
    return { isFine: false, stopsAtCalls: false, depth: depth - 1, isReached };
  }
  if (granularity === "call") {
    return { isFine: false, stopsAtCalls: true, isReached: () => timeline.debuggee.place === AT_CALL };
  }
  if (granularity === "module") return { isFine: true, stopsAtCalls: false, isReached: () => true };
  if (command === "in") {
    const isReached = (left: boolean): boolean =>
      left || timeline.debuggee.place === AT_STATEMENT || isInOwnSource(timeline);
    return { isFine: true, stopsAtCalls: false, isReached };
  }
  const isReached = (): boolean => {
    const { debuggee } = timeline;
    return debuggee.place === AT_STATEMENT && debuggee.depth <= depth;
  };
  return { isFine: false, stopsAtCalls: false, depth, isReached };
}

/** The nearest earlier place at which the forward command could have stopped. */
export function backwardGoal(timeline: Timeline, command: Command, granularity: Granularity, task: number): Goal {
  const { depth, place } = subject(timeline, task);
  if (command === "continue") return NEVER;
  if (granularity === "module" && command !== "out")
    return { isFine: true, stopsAtCalls: false, isReached: () => true };
  if (granularity === "call" && command !== "out") {
    return { isFine: true, stopsAtCalls: true, isReached: () => timeline.debuggee.place === AT_CALL };
  }
  if (command === "in") {
    const isReached = (): boolean => timeline.debuggee.place === AT_STATEMENT || isInOwnSource(timeline);
    return { isFine: true, stopsAtCalls: false, isReached };
  }
  const limit = command === "out" ? depth - 1 : depth;
  const isReached = (): boolean => {
    const { debuggee } = timeline;
    // At the end no frame is left: the last statement of any task is the one before.
    if (depth > 0 && (debuggee.task !== task || debuggee.depth > limit)) return false;
    return debuggee.place === AT_STATEMENT || (place === IN_LEAF && debuggee.place === IN_LEAF);
  };
  return { isFine: place === IN_LEAF, stopsAtCalls: false, isReached };
}
