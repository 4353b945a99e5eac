import { TDX_TD_KEYS_NOT_CONFIGURED, TDX_VCPU_NOT_ASSOCIATED } from "../../arch/generated/status-codes.ts";
import { RCX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import {
  TDCS_NUM_L2_VMS,
  TDR_LIFECYCLE_STATE,
  TDVPS_ASSOC_LPID,
  TDVPS_L2_ENTER_GUEST_STATE_HPA,
  TDVPS_L2_VAPIC_HPA,
  TDVPS_VM_LAUNCHED,
} from "../layout.ts";
import { EXCLUSIVE } from "../lock-words.ts";
import type { Steps } from "../step.ts";
import { TD_KEYS_CONFIGURED, tdcsCell } from "../td.ts";
import { checkTdvpsPages, dissociateVcpu, lockVcpu, NO_LP } from "../vcpu.ts";
import { whyLifecycle } from "../why.ts";

/** A physical address that is not known. */
const NULL_PA = 0xffff_ffff_ffff_ffffn;

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
  const lifecycle = store.read(tdr + TDR_LIFECYCLE_STATE);
  if (lifecycle !== TD_KEYS_CONFIGURED) fail(TDX_TD_KEYS_NOT_CONFIGURED, 0, whyLifecycle(lifecycle));
  const tdcs = tdcsCell(call, tdr, 0);
  yield "check that the VCPU's pages are there and it is associated with this LP";
  checkTdvpsPages(call, tdvpr, tdcs);
  const associated = store.read(tdvpr + TDVPS_ASSOC_LPID);
  if (associated !== call.lp) {
    const with_ = associated === NO_LP ? "no LP" : `LP ${associated}`;
    fail(TDX_VCPU_NOT_ASSOCIATED, 0, `the VCPU is associated with ${with_}, not with LP ${call.lp}`);
  }

  yield "forget translations that the module keeps, and clear the VMCSs: the next entry launches them";
  for (let vm = 0; vm <= store.read(tdcs + TDCS_NUM_L2_VMS); vm++) {
    store.writeBig(tdvpr + TDVPS_L2_ENTER_GUEST_STATE_HPA + vm * 2, NULL_PA);
    store.writeBig(tdvpr + TDVPS_L2_VAPIC_HPA + vm * 2, NULL_PA);
    store.write(tdvpr + TDVPS_VM_LAUNCHED + vm, 0);
  }
  yield "flush the TLB, and give up the association";
  call.platform.tlb.flush(call.lp);
  dissociateVcpu(call, tdvpr, tdcs);
}
