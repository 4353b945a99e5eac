/**
 * Conditions: expressions of the flow language in which `after(…)` asks whether a place was passed before now. What "before"
 * is depends on time alone, so it holds in both directions: `after(12)` a line of the same file, `after("mm.tdx:12")` of another,
 * `after("TDH.MEM.TRACK")` a function as in function breakpoints, `after("TDH.MEM.*", "level == 1")` with a condition of its own.
 */
import type { Debuggee } from "./debuggee.ts";
import { expressionError } from "./expression-syntax.ts";
import type { Hits } from "./hit-condition.ts";
import type { Position } from "./position.ts";

const AFTER = /\bafter\s*\(\s*(?:(\d+)|"([^"]*)")\s*(?:,\s*"([^"]*)"\s*)?\)/g;

/** A place whose passing is noted. */
export interface Trigger {
  /** A line of the file of the breakpoint that asks, "file:line", or a function's name or pattern. */
  readonly place: string;
  readonly condition: string;
}

export interface Condition {
  readonly text: string;
  /** In the order in which they stand in the text. */
  readonly triggers: readonly Trigger[];
  /** What each trigger has met. */
  readonly passed: readonly Hits[];
}

export function triggersOf(text: string): Trigger[] {
  return [...text.matchAll(AFTER)].map(([, line, place, condition]) => ({
    place: line ?? place ?? "",
    condition: condition ?? "",
  }));
}

/** What is wrong with the form of a condition; undefined if nothing is. */
export function conditionError(text: string): string | undefined {
  const wrong = expressionError(text.replace(AFTER, "true"));
  return wrong === undefined ? undefined : `Condition "${text}": ${wrong}`;
}

/** @param now of the present place; one that lies later finds more triggers passed */
export function holds(condition: Condition, debuggee: Debuggee, now: Position, messages: string[] = []): boolean {
  if (condition.text === "") return true;
  const text = withTriggers(condition, now);
  if (text === "true" || text === "false") return text === "true";
  const result = debuggee.evaluate(text);
  if ("error" in result) {
    // Stops: a person then sees what is wrong, rather than wait for a stop that never comes.
    messages.push(`Condition "${condition.text}": ${result.error}`);
    return true;
  }
  return result.value === true || (result.value !== false && result.value !== 0 && result.value !== null);
}

function withTriggers({ text, passed }: Condition, now: Position): string {
  if (passed.length === 0) return text;
  let index = 0;
  return text.replace(AFTER, () => String(passed[index++]?.wasBefore(now) === true));
}
