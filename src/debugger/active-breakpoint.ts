/** What any kind of breakpoint has besides its place: what has to hold there, how often, and what it says instead of stopping. */
import { type Condition, conditionError, holds, type Trigger, triggersOf } from "./condition.ts";
import type { Debuggee } from "./debuggee.ts";
import { expressionError } from "./expression-syntax.ts";
import { type HitCondition, Hits, parseHitCondition } from "./hit-condition.ts";
import type { Position } from "./position.ts";

/** In a log message. */
const INTERPOLATED = /\{([^{}]+)\}/g;

/** What a client asks for. */
export interface BreakpointRequest {
  /** Line and column from 1. */
  readonly line?: number;
  readonly column?: number;
  readonly condition?: string;
  readonly hitCondition?: string;
  readonly logMessage?: string;
  /** On a line of a flow: "entry" before the statement (default), "call" before and "return" behind each call that it makes. */
  readonly mode?: string;
}

/** What became of it. */
export interface Breakpoint {
  readonly id: number;
  readonly verified: boolean;
  /** Why it is not verified, or what it matches. */
  readonly message?: string;
  readonly line?: number;
  readonly column?: number;
}

/** "trigger": stops nowhere, and only notes that the place was passed. */
export type BreakpointKind = "line" | "function" | "data" | "instruction" | "trigger";

export interface ActiveBreakpoint {
  readonly id: number;
  readonly kind: BreakpointKind;
  readonly condition: Condition;
  readonly hitCondition: HitCondition | undefined;
  readonly logMessage: string;
  readonly hits: Hits;
}

/** What is to happen at a place. */
export interface BreakpointHit {
  /** Ids of the breakpoints to stop at; none if there are only messages. */
  readonly ids: readonly number[];
  readonly kind: BreakpointKind;
  readonly messages: readonly string[];
}

/**
 * A text if the request cannot be met.
 *
 * @param trigger sets what `after(…)` in a condition asks for, or says why it cannot
 */
export function activeBreakpoint(
  id: number,
  kind: BreakpointKind,
  request: BreakpointRequest,
  trigger: (trigger: Trigger) => Hits | string,
): ActiveBreakpoint | string {
  const { condition = "", hitCondition = "", logMessage = "" } = request;
  const test = hitCondition.trim() === "" ? undefined : parseHitCondition(hitCondition);
  if (hitCondition.trim() !== "" && test === undefined) {
    return `"${hitCondition}" is no hit count: write 3, >=3 or %3.`;
  }
  const parsed = parseCondition(condition, trigger);
  if (typeof parsed === "string") return parsed;
  const wrong = conditionError(condition) ?? messageError(logMessage);
  if (wrong !== undefined) return wrong;
  return { id, kind, condition: parsed, hitCondition: test, logMessage, hits: new Hits() };
}

export function parseCondition(text: string, trigger: (trigger: Trigger) => Hits | string): Condition | string {
  const passed: Hits[] = [];
  const triggers = triggersOf(text);
  for (const wanted of triggers) {
    const hits = trigger(wanted);
    if (typeof hits === "string") return `after(${wanted.place}): ${hits}`;
    passed.push(hits);
  }
  return { text: text.trim(), triggers, passed };
}

/** What the breakpoints of one place want there. Counts their hits. */
export function meet(
  breakpoints: readonly ActiveBreakpoint[],
  debuggee: Debuggee,
  position: Position,
): BreakpointHit | undefined {
  const stopping: ActiveBreakpoint[] = [];
  const messages: string[] = [];
  for (const active of breakpoints) {
    if (!holds(active.condition, debuggee, position, messages)) continue;
    if (active.kind === "trigger") {
      active.hits.count(position.step, position.sub);
      continue;
    }
    if (active.hitCondition && !active.hitCondition(active.hits.count(position.step, position.sub))) continue;
    if (active.logMessage === "") stopping.push(active);
    else messages.push(interpolate(active.logMessage, debuggee));
  }
  if (stopping.length + messages.length === 0) return undefined;
  return { ids: stopping.map(({ id }) => id), kind: stopping[0]?.kind ?? "line", messages };
}

function messageError(message: string): string | undefined {
  for (const [whole, expression = ""] of message.matchAll(INTERPOLATED)) {
    const wrong = expressionError(expression);
    if (wrong !== undefined) return `Log message, at ${whole}: ${wrong}`;
  }
  return undefined;
}

/** Replaces {expression} in a log message by its value. */
function interpolate(message: string, debuggee: Debuggee): string {
  return message.replace(INTERPOLATED, (_, expression: string) => {
    const result = debuggee.evaluate(expression);
    return "error" in result ? `{${result.error}}` : debuggee.show(result.value);
  });
}
