import { TDX_LIFECYCLE_STATE_INCORRECT, TDX_WBCACHE_NOT_COMPLETE } from "../../arch/generated/status-codes.ts";
import { HKID_FREE } from "../../arch/generated/td-states.ts";
import { RCX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { lockKot, setHkidState, wbinvdBitmap } from "../kot.ts";
import { TDR_HKID, TDR_LIFECYCLE_STATE } from "../layout.ts";
import { EXCLUSIVE } from "../lock-words.ts";
import type { Steps } from "../step.ts";
import { lockTdr, TD_BLOCKED, TD_TEARDOWN } from "../td.ts";
import { hex, whyLifecycle } from "../why.ts";

/**
 * TDH.MNG.KEY.FREEID: takes the KeyID from a TD whose memory no cache holds any more. The TD's pages can then be reclaimed.
 *
 * RCX TDR.
 */
export function* tdhMngKeyFreeid(call: Call): Steps {
  const { store } = call;

  yield "lock the TDR (exclusive)";
  const tdr = yield* lockTdr(call, RCX, EXCLUSIVE);
  yield "check the TD's life cycle";
  const lifecycle = store.read(tdr + TDR_LIFECYCLE_STATE);
  if (lifecycle !== TD_BLOCKED) fail(TDX_LIFECYCLE_STATE_INCORRECT, 0, whyLifecycle(lifecycle));
  yield "lock the key ownership table (exclusive)";
  yield* lockKot(call, EXCLUSIVE);
  yield "check that all packages wrote back their caches";
  const hkid = store.read(tdr + TDR_HKID);
  const dirty = wbinvdBitmap(call, hkid);
  if (dirty !== 0) fail(TDX_WBCACHE_NOT_COMPLETE, 0, `packages that have not: bit map ${hex(dirty)}`);

  yield "free the KeyID";
  setHkidState(call, hkid, HKID_FREE);
  store.write(tdr + TDR_LIFECYCLE_STATE, TD_TEARDOWN);
}
