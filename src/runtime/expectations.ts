/** What `expect` says when it fails: both sides, or the status that a leaf returned. */
import { statusAdvice } from "../arch/status-advice.ts";
import { type Expectation, OPERATORS } from "../language/flow-code.ts";
import type { Status } from "../language/values.ts";
import { getField } from "./fields.ts";
import { FlowError } from "./flow-error.ts";
import { LeafResult } from "./leaf-result.ts";
import { binary, condition } from "./operators.ts";
import type { SessionState } from "./session-state.ts";
import { formatValue } from "./values.ts";

/** Why a leaf returns a status, and what hosts do then. */
export function adviceText({ hi, lo }: Status): string {
  const { meaning, action } = statusAdvice(hi, lo);
  return `${meaning} ${action}`;
}

export function expectTrue(state: SessionState, { text, fails, ok }: Expectation, value: unknown): void {
  if (value instanceof LeafResult) {
    const { status } = value;
    if (status.failed === fails) return;
    const what = ok ? text : `${text} to ${fails ? "fail" : "succeed"}`;
    throw new FlowError(`expected ${what}; it returned ${formatValue(status, state.heap)}`, adviceText(status));
  }
  if (ok) {
    if (condition(getField(state, value, "ok")) !== fails) return;
    throw new FlowError(`expected ${text}`);
  }
  if (fails)
    throw new FlowError("expect fails looks at what a leaf function returned", "expect fails TDH.…(…) == STATUS");
  if (!condition(value)) throw new FlowError(`expected ${text}; it is false`);
}

export function expectComparison(state: SessionState, expectation: Expectation, a: unknown, b: unknown): void {
  const { heap } = state;
  const shown = (value: unknown) => formatValue(value instanceof LeafResult ? value.status : value, heap, 1);
  const hint = a instanceof LeafResult ? adviceText(a.status) : "";
  if (expectation.fails && a instanceof LeafResult && !a.status.failed) {
    throw new FlowError(`expected ${expectation.text}; it did not fail: ${shown(a)}`, hint);
  }
  const operator = OPERATORS.indexOf(expectation.operator as (typeof OPERATORS)[number]);
  if (binary(operator, a, b, heap) !== true) {
    throw new FlowError(`expected ${expectation.text}; the left side is ${shown(a)}, the right side ${shown(b)}`, hint);
  }
}
