import { OP_STATES_ANY_INITIALIZED } from "../../arch/generated/op-states.ts";
import { TDX_FLUSHVP_NOT_DONE, TDX_LIFECYCLE_STATE_INCORRECT } from "../../arch/generated/status-codes.ts";
import { HKID_FLUSHED } from "../../arch/generated/td-states.ts";
import { RCX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { lockKot, setHkidState, setWbinvdBitmap } from "../kot.ts";
import { TDCS_NUM_ASSOC_VCPUS, TDCS_OP_STATE, TDR_HKID, TDR_LIFECYCLE_STATE, TDR_NUM_TDCX } from "../layout.ts";
import { EXCLUSIVE } from "../lock-words.ts";
import type { Steps } from "../step.ts";
import { SYS_PKG_CONFIG_BITMAP } from "../sys.ts";
import { lockTdr, MIN_NUM_TDCS_PAGES, TD_BLOCKED, TD_HKID_ASSIGNED, TD_KEYS_CONFIGURED, tdcsCell } from "../td.ts";
import { whyLifecycle } from "../why.ts";

/**
 * TDH.MNG.VPFLUSHDONE: confirms that no LP holds a VCPU of the TD, and blocks the TD's KeyID.
 *
 * RCX TDR.
 */
export function* tdhMngVpflushdone(call: Call): Steps {
  const { store } = call;

  yield "lock the TDR (exclusive)";
  const tdr = yield* lockTdr(call, RCX, EXCLUSIVE);
  yield "lock the key ownership table (exclusive)";
  yield* lockKot(call, EXCLUSIVE);
  yield "check the TD's life cycle";
  const state = store.read(tdr + TDR_LIFECYCLE_STATE);
  if (state !== TD_KEYS_CONFIGURED && state !== TD_HKID_ASSIGNED) {
    fail(TDX_LIFECYCLE_STATE_INCORRECT, 0, whyLifecycle(state));
  }

  if (store.read(tdr + TDR_NUM_TDCX) >= MIN_NUM_TDCS_PAGES) {
    yield "check that no VCPU is associated with an LP";
    const initialized = (OP_STATES_ANY_INITIALIZED >>> store.read(tdcsCell(call, tdr, TDCS_OP_STATE))) & 1;
    const associated = store.read(tdcsCell(call, tdr, TDCS_NUM_ASSOC_VCPUS));
    if (initialized !== 0 && associated !== 0) fail(TDX_FLUSHVP_NOT_DONE, 0, `${associated} VCPUs are associated`);
  }

  yield "block the KeyID until all packages have written back their caches";
  const hkid = store.read(tdr + TDR_HKID);
  setWbinvdBitmap(call, hkid, store.read(call.sys + SYS_PKG_CONFIG_BITMAP));
  store.write(tdr + TDR_LIFECYCLE_STATE, TD_BLOCKED);
  setHkidState(call, hkid, HKID_FLUSHED);
}
