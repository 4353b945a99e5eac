import { TDX_TD_KEYS_NOT_CONFIGURED, TDX_VCPU_NOT_ASSOCIATED } from "../../arch/generated/status-codes.ts";
import { RCX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { TDR_LIFECYCLE_STATE, TDVPS_ASSOC_LPID } from "../layout.ts";
import { EXCLUSIVE } from "../lock-words.ts";
import type { Steps } from "../step.ts";
import { TD_KEYS_CONFIGURED, tdcsCell } from "../td.ts";
import { checkTdvpsPages, dissociateVcpu, lockVcpu } from "../vcpu.ts";

/**
 * TDH.VP.FLUSH: writes back what this LP caches of a VCPU (VMCS, translations), so that another LP may have it or the TD end.
 *
 * RCX TDVPR.
 */
export function* tdhVpFlush(call: Call): Steps {
  const { store } = call;
  yield "lock the TDVPR (exclusive)";
  const { tdvpr, tdr } = yield* lockVcpu(call, RCX, EXCLUSIVE);
  yield "check that the TD has its key";
  if (store.read(tdr + TDR_LIFECYCLE_STATE) !== TD_KEYS_CONFIGURED) fail(TDX_TD_KEYS_NOT_CONFIGURED);
  const tdcs = tdcsCell(call, tdr, 0);
  yield "check that the VCPU's pages are there and it is associated with this LP";
  checkTdvpsPages(call, tdvpr, tdcs);
  if (store.read(tdvpr + TDVPS_ASSOC_LPID) !== call.lp) fail(TDX_VCPU_NOT_ASSOCIATED);

  yield "flush the TLB and the VMCS, and give up the association";
  dissociateVcpu(call, tdvpr, tdcs);
}
