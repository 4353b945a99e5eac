import { PT_REG } from "../../arch/generated/pamt-types.ts";
import { SEPT_PENDING } from "../../arch/generated/sept-states.ts";
import { R8, RCX, RDX } from "../../arch/registers.ts";
import type { Call } from "../call.ts";
import { SHARED } from "../lock-words.ts";
import { lockFreePage, PG_2M, PG_4K, setPageBepoch, setPageOwner, setPageType } from "../pamt.ts";
import { checkGpaAndLevel, checkSeptStateAllowsLeaf, lockSeptAndWalkToLevel, lockSeptEntry } from "../sept.ts";
import { setLeafAndUnlock } from "../sept-entry.ts";
import type { Steps } from "../step.ts";
import { addChildren, checkStateAndLockTdcs, lockTdr } from "../td.ts";

/**
 * TDH.MEM.PAGE.AUG: gives a TD a page that its guest has to accept before it can use it.
 *
 * RCX GPA and level (0: 4 KiB, 1: 2 MiB) · RDX TDR · R8 the page.
 * Returns in RCX and RDX the S-EPT entry where a walk or its state failed, else 0.
 */
export function* tdhMemPageAug(call: Call): Steps {
  call.setNum(RCX, 0);
  call.setNum(RDX, 0);

  yield "lock the TDR (shared)";
  const tdr = yield* lockTdr(call, RDX, SHARED);
  const tdcs = yield* checkStateAndLockTdcs(call, tdr, SHARED);

  yield "check the GPA and the level";
  const { gpa, level } = checkGpaAndLevel(call, RCX, PG_4K, PG_2M);

  yield "lock the S-EPT tree (shared) and walk to the entry";
  const entry = yield* lockSeptAndWalkToLevel(call, tdcs, gpa, level, SHARED, RCX);

  yield "lock the S-EPT entry";
  yield* lockSeptEntry(call, entry, RCX);
  yield "check that the entry is free";
  checkSeptStateAllowsLeaf(call, entry, RCX);

  yield "lock the new page (exclusive) and check that it is free";
  const page = yield* lockFreePage(call, call.num(R8), level, R8);

  yield "map the page as pending";
  setLeafAndUnlock(call, entry, call.num(R8), SEPT_PENDING, 0);

  yield "count the new child pages in the TDR";
  addChildren(call, tdr, 512 ** level);

  yield "make the page the TD's own in the PAMT";
  setPageType(call, page.cell, PT_REG);
  setPageOwner(call, page.cell, call.num(RDX));
  setPageBepoch(call, page.cell, 0); // no old epoch may be taken for a blocking of this page
}
