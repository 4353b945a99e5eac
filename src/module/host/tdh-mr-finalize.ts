import { OP_STATE_RUNNABLE } from "../../arch/generated/op-states.ts";
import { TDX_NO_VCPUS } from "../../arch/generated/status-codes.ts";
import { RCX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { TDCS_NUM_VCPUS, TDCS_OP_STATE } from "../layout.ts";
import { EXCLUSIVE } from "../lock-words.ts";
import { finalizeMeasurement } from "../measurement.ts";
import type { Steps } from "../step.ts";
import { checkStateAndLockTdcs, lockTdr, NO_LOCK } from "../td.ts";

/**
 * TDH.MR.FINALIZE: ends the build of a TD. Its measurement is final, and it may run.
 *
 * RCX TDR.
 */
export function* tdhMrFinalize(call: Call): Steps {
  const { store } = call;
  yield "lock the TDR (exclusive)";
  const tdr = yield* lockTdr(call, RCX, EXCLUSIVE);
  const tdcs = yield* checkStateAndLockTdcs(call, tdr, NO_LOCK);
  yield "check that the TD has a VCPU";
  if (store.read(tdcs + TDCS_NUM_VCPUS) === 0) fail(TDX_NO_VCPUS, 0, "no VCPU was initialised");

  yield "finish the measurement";
  finalizeMeasurement(call, tdcs);
  yield "the TD may run";
  store.write(tdcs + TDCS_OP_STATE, OP_STATE_RUNNABLE);
}
