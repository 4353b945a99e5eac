import { PT_REG } from "../../arch/generated/pamt-types.ts";
import { SEPT_PENDING } from "../../arch/generated/sept-states.ts";
import { R8, RCX, RDX } from "../../arch/registers.ts";
import type { Call } from "../call.ts";
import { SHARED } from "../lock-words.ts";
import { assignPage, lockFreePage, PG_2M, PG_4K, SMALL_PAGES } from "../pamt.ts";
import { checkSeptStateAllowsLeaf, lockTdAndSeptEntry } from "../sept.ts";
import { setLeafAndUnlock } from "../sept-entry.ts";
import type { Steps } from "../step.ts";
import { addChildren } from "../td.ts";

/**
 * TDH.MEM.PAGE.AUG: gives a TD a page that its guest has to accept before it can use it.
 *
 * RCX GPA and level (0: 4 KiB, 1: 2 MiB) · RDX TDR · R8 the page.
 * Returns in RCX and RDX the S-EPT entry where a walk or its state failed, else 0.
 */
export function* tdhMemPageAug(call: Call): Steps {
  const { tdr, entry } = yield* lockTdAndSeptEntry(call, PG_4K, PG_2M, SHARED);
  yield "check that the entry is free";
  checkSeptStateAllowsLeaf(call, entry, RCX);

  yield "lock the new page (exclusive) and check that it is free";
  const hpa = call.num(R8);
  const page = yield* lockFreePage(call, hpa, entry.level, R8);

  yield "map the page as pending";
  setLeafAndUnlock(call, entry, hpa, SEPT_PENDING, 0);

  yield "count the new child pages in the TDR";
  addChildren(call, tdr, SMALL_PAGES[entry.level] as number);

  yield "make the page the TD's own in the PAMT";
  assignPage(call, page.cell, PT_REG, call.num(RDX));
}
