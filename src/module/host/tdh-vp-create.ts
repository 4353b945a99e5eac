import { PT_NDA, PT_TDVPR } from "../../arch/generated/pamt-types.ts";
import { RCX, RDX } from "../../arch/registers.ts";
import type { Call } from "../call.ts";
import { TDVPS_ASSOC_LPID, TDVPS_NUM_TDVPS_PAGES, TDVPS_TDVPS_PAGE_PA } from "../layout.ts";
import { EXCLUSIVE, SHARED } from "../lock-words.ts";
import { lockPage, PG_4K, setPageOwner, setPageType } from "../pamt.ts";
import type { Steps } from "../step.ts";
import { addChildren, checkStateAndLockTdcs, claimTdPage, lockTdr } from "../td.ts";
import { NO_LP } from "../vcpu.ts";

/**
 * TDH.VP.CREATE: gives a TD the first page (TDVPR) of a new VCPU.
 *
 * RCX the page · RDX TDR.
 */
export function* tdhVpCreate(call: Call): Steps {
  const { store } = call;
  yield "lock the TDR (shared)";
  const tdr = yield* lockTdr(call, RDX, SHARED);
  yield* checkStateAndLockTdcs(call, tdr, SHARED);

  yield "lock the new page (exclusive) and check that it is free";
  const hpa = call.num(RCX);
  const page = yield* lockPage(call, hpa, PG_4K, EXCLUSIVE, PT_NDA, RCX);

  yield "clear the page; the VCPU has one page and no LP";
  claimTdPage(call, tdr, hpa);
  call.memory.zeroPage(hpa);
  const tdvpr = call.memory.cell(hpa);
  store.write(tdvpr + TDVPS_NUM_TDVPS_PAGES, 1);
  store.write(tdvpr + TDVPS_ASSOC_LPID, NO_LP);
  store.writeNumber(tdvpr + TDVPS_TDVPS_PAGE_PA, hpa);

  yield "count the page in the TDR and make it the TD's own in the PAMT";
  addChildren(call, tdr, 1);
  setPageType(call, page.cell, PT_TDVPR);
  setPageOwner(call, page.cell, call.num(RDX));
}
