import { PT_NDA, PT_TDCX } from "../../arch/generated/pamt-types.ts";
import { TDX_TDCX_NUM_INCORRECT } from "../../arch/generated/status-codes.ts";
import { PAGE_SIZE } from "../../arch/page.ts";
import { RCX, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { TDVPS_NUM_TDVPS_PAGES, TDVPS_TDVPS_PAGE_PA } from "../layout.ts";
import { EXCLUSIVE, SHARED } from "../lock-words.ts";
import { lockPage, PG_4K, setPageOwner, setPageType } from "../pamt.ts";
import type { Steps } from "../step.ts";
import { addChildren, checkStateAndLockTdcs, claimTdPage } from "../td.ts";
import { checkUninitialized, lockVcpu, MAX_TDVPS_PAGES, MIN_TDVPS_PAGES, TDVPS_PAGES_PER_L2_VM } from "../vcpu.ts";

/**
 * TDH.VP.ADDCX: adds a page to the TDVPS of a VCPU.
 *
 * RCX the page · RDX TDVPR.
 */
export function* tdhVpAddcx(call: Call): Steps {
  const { store } = call;
  yield "lock the TDVPR (exclusive)";
  const { tdvpr, tdr, tdrHpa } = yield* lockVcpu(call, RDX, EXCLUSIVE);
  yield* checkStateAndLockTdcs(call, tdr, SHARED);

  yield "check that the VCPU is still being built and has room for a page";
  checkUninitialized(call, tdvpr);
  const index = store.read(tdvpr + TDVPS_NUM_TDVPS_PAGES);
  if (index >= MAX_TDVPS_PAGES) fail(TDX_TDCX_NUM_INCORRECT, 0, `the VCPU has ${index} pages, the most there can be`);

  yield "lock the new page (exclusive) and check that it is free";
  const hpa = call.num(RCX);
  const page = yield* lockPage(call, hpa, PG_4K, EXCLUSIVE, PT_NDA, RCX);

  yield "fill the page: the MSR bitmaps of L2 VMs with ones, others with zeros";
  claimTdPage(call, tdr, hpa);
  if (isL2MsrBitmaps(index)) call.memory.fill(hpa, 0xff, PAGE_SIZE);
  else call.memory.zeroPage(hpa);

  yield "register the page in the TDVPS and count it in the TDR";
  store.writeNumber(tdvpr + TDVPS_TDVPS_PAGE_PA + index * 2, hpa);
  store.write(tdvpr + TDVPS_NUM_TDVPS_PAGES, index + 1);
  addChildren(call, tdr, 1);
  yield "make the page the TD's own in the PAMT";
  setPageType(call, page.cell, PT_TDCX);
  setPageOwner(call, page.cell, tdrHpa);
}

/** Each L2 VM has a VMCS page and two pages of MSR bitmaps. */
function isL2MsrBitmaps(index: number): boolean {
  return index >= MIN_TDVPS_PAGES && (index - MIN_TDVPS_PAGES) % TDVPS_PAGES_PER_L2_VM !== 0;
}
