/** Says why a call failed: by running it again up to the check that ended it. */
import { decodeStatus, statusText } from "../arch/status.ts";
import { parseTrace, type StepPosition } from "../module/step.ts";
import { leafName } from "./breakpoints.ts";
import type { Outcome } from "./debuggee.ts";
import type { FlowDebuggee } from "./flow-debuggee.ts";
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

/** At a place behind a failed call, which it is back at when it returns. */
export function explain(timeline: Timeline, debuggee: FlowDebuggee, outcome: Outcome): Explanation {
  const here = timeline.position;
  let last = "";
  timeline.goToLast(
    here.sub > 0 ? here.step : here.step - 1,
    () => {
      if (debuggee.trace !== "") last = debuggee.trace;
      return false;
    },
    here.sub > 0 ? here.sub : undefined,
  );
  const { label, frames } = parseTrace(last);
  if (here.sub === 0) timeline.forward();
  else while (timeline.position.sub < here.sub && timeline.fineForward());
  return {
    leaf: leafName(outcome.callee),
    status: statusText(outcome.hi, outcome.lo),
    className: decodeStatus(outcome.hi, outcome.lo).className,
    step: label,
    places: frames,
    why: debuggee.machine.calls[outcome.lp]?.why ?? "",
  };
}
