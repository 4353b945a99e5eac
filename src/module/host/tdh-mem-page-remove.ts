import { PT_NDA } from "../../arch/generated/pamt-types.ts";
import { RCX } from "../../arch/registers.ts";
import type { Call } from "../call.ts";
import { freeL2Entry } from "../l2-entry.ts";
import { changeAliases } from "../l2-sept.ts";
import { SHARED } from "../lock-words.ts";
import { lockImplicitPage, PG_1G, PG_4K, SMALL_PAGES, setPageType } from "../pamt.ts";
import { checkSeptStateAllowsLeaf, lockTdAndSeptEntry } from "../sept.ts";
import { clearAcceptCounter, leafHpa, setFreeAndUnlock } from "../sept-entry.ts";
import type { Steps } from "../step.ts";
import { addChildren } from "../td.ts";
import { checkBlockedAndTracked } from "../tracking.ts";

/**
 * TDH.MEM.PAGE.REMOVE: takes a page back from a TD.
 *
 * RCX GPA and level (0 to 2) · RDX TDR.
 * Returns the page's HPA in RCX; in RCX and RDX the S-EPT entry where a walk or its state failed.
 */
export function* tdhMemPageRemove(call: Call): Steps {
  const locked = yield* lockTdAndSeptEntry(call, PG_4K, PG_1G, SHARED);
  const { tdr, tdcs, entry } = locked;
  yield "check that the entry maps a page";
  checkSeptStateAllowsLeaf(call, entry, RCX);
  clearAcceptCounter(entry); // a report below does not show it

  yield "lock the page's PAMT entry (exclusive)";
  const hpa = leafHpa(entry);
  const page = yield* lockImplicitPage(call, hpa, entry.level, RCX);
  yield "check that the page is blocked and no LP can use it any more";
  checkBlockedAndTracked(call, tdcs, entry, page, RCX);

  yield "make the entries of L2 VMs free";
  changeAliases(call, locked, entry, freeL2Entry);
  yield "make the S-EPT entry free";
  setFreeAndUnlock(call, entry);
  yield "count the child pages down in the TDR";
  addChildren(call, tdr, -(SMALL_PAGES[entry.level] as number));
  yield "make the page free in the PAMT";
  setPageType(call, page, PT_NDA);
  call.setNum(RCX, hpa);
}
