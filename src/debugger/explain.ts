/** Says why a call failed: by running it again up to the check that ended it. */
import { decodeStatus, statusText } from "../arch/status.ts";
import { parseTrace, type StepPosition } from "../module/step.ts";
import type { Outcome } from "./debuggee.ts";
import type { FlowDebuggee } from "./flow-debuggee.ts";
import { leafName } from "./leaf-names.ts";
import type { Timeline } from "./timeline.ts";

export interface Explanation {
  /** Name of the leaf. */
  readonly leaf: string;
  /** The status in one line. */
  readonly status: string;
  /** Class of the status, like "resource busy". */
  readonly className: string;
  /** The step that failed, and where it stands: innermost last. */
  readonly step: string;
  readonly places: readonly StepPosition[];
  /** The values that it compared, where the module says so. */
  readonly why: string;
}

/**
 * At a place behind a call, or where a flow has ended for a failure: what the call of the unit was that did not succeed.
 * Undefined if the unit made no call. The session is back where it was when this returns.
 */
export function explain(timeline: Timeline, debuggee: FlowDebuggee): Explanation | undefined {
  const here = timeline.position;
  const unit = here.sub > 0 ? here.step : here.step - 1;
  if (unit < 0 || !timeline.remembers({ step: unit, sub: 0 })) return undefined;
  timeline.goBack({ step: unit, sub: 0 });
  let last = "";
  for (let sub = 0; (here.sub === 0 || sub < here.sub) && debuggee.fineStep(); sub++) {
    if (debuggee.trace !== "") last = debuggee.trace;
  }
  const { outcome } = debuggee;
  const why = outcome ? (debuggee.machine.calls[outcome.lp]?.why ?? "") : "";
  timeline.goBack({ step: unit, sub: 0 });
  if (here.sub === 0) timeline.forward();
  while (timeline.position.sub < here.sub && timeline.fineForward());
  return outcome && describe(outcome, last, why);
}

function describe(outcome: Outcome, trace: string, why: string): Explanation {
  const { label, frames } = parseTrace(trace);
  return {
    leaf: leafName(outcome.callee),
    status: statusText(outcome.hi, outcome.lo),
    className: decodeStatus(outcome.hi, outcome.lo).className,
    step: label,
    places: frames,
    why,
  };
}
