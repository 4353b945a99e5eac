import { OPERAND_TD_EPOCH } from "../../arch/generated/operand-ids.ts";
import { TDX_PREVIOUS_TLB_EPOCH_BUSY } from "../../arch/generated/status-codes.ts";
import { RCX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { refcountCell, tdEpoch } from "../epoch.ts";
import { TDCS_EPOCH_LOCK, TDCS_TD_EPOCH } from "../layout.ts";
import { EXCLUSIVE, SHARED } from "../lock-words.ts";
import { lockSharex } from "../locks.ts";
import type { Steps } from "../step.ts";
import { checkStateAndLockTdcs, lockTdr } from "../td.ts";

/**
 * TDH.MEM.TRACK: starts a TD's next epoch (epoch.ts).
 *
 * RCX TDR.
 */
export function* tdhMemTrack(call: Call): Steps {
  yield "lock the TDR (shared)";
  const tdr = yield* lockTdr(call, RCX, SHARED);
  const tdcs = yield* checkStateAndLockTdcs(call, tdr, SHARED);

  yield "lock the TD's epoch (exclusive)";
  yield* lockSharex(call, tdcs + TDCS_EPOCH_LOCK, EXCLUSIVE, OPERAND_TD_EPOCH);
  yield "check that no VCPU is left in the previous epoch";
  const epoch = tdEpoch(call, tdcs);
  const left = call.store.read(refcountCell(tdcs, epoch + 1));
  if (left !== 0) fail(TDX_PREVIOUS_TLB_EPOCH_BUSY, 0, `${left} VCPUs run in epoch ${epoch - 1}`);

  yield "start the next epoch";
  call.store.writeNumber(tdcs + TDCS_TD_EPOCH, epoch + 1);
}
