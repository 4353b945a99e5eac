import { TDX_SUCCESS } from "../../arch/generated/status-codes.ts";
import type { Call } from "../call.ts";
import { LP_BUS_LOCK_PREEMPTED } from "../local-data.ts";
import type { Steps } from "../step.ts";
import { isIntercepted, pendingEvent } from "./events.ts";
import * as Reason from "./reasons.ts";
import { isDebuggable, tdExit } from "./td-exit.ts";

/** The last checks before the guest goes on. */
export function* returnToGuest(call: Call): Steps {
  yield "report a preempted bus lock that no exit has reported";
  if (call.store.read(call.lpCell + LP_BUS_LOCK_PREEMPTED) !== 0) {
    yield* tdExit(call, TDX_SUCCESS, Reason.BUS_LOCK);
  }
  yield "check whether a debugger intercepts the event to be delivered";
  if (isDebuggable(call) && isIntercepted(call)) {
    yield* tdExit(call, TDX_SUCCESS, Reason.EXCEPTION_OR_NMI, { interruption: pendingEvent(call) });
  }
}
