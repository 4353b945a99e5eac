import { PT_NDA, PT_REG } from "../../arch/generated/pamt-types.ts";
import { TDX_OPERAND_INVALID } from "../../arch/generated/status-codes.ts";
import { R8, RCX, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { unblockL2 } from "../l2-entry.ts";
import { changeAliases } from "../l2-sept.ts";
import { EXCLUSIVE, SHARED } from "../lock-words.ts";
import { assignPage, lockImplicitPage, lockPage, PG_4K, setPageType } from "../pamt.ts";
import { checkSeptStateAllowsLeaf, lockTdAndSeptEntry } from "../sept.ts";
import { isAnyPending, leafHpa, relocate, unblock, writeSeptEntry } from "../sept-entry.ts";
import type { Steps } from "../step.ts";
import { claimTdPage } from "../td.ts";
import { checkBlockedAndTracked } from "../tracking.ts";

/**
 * TDH.MEM.PAGE.RELOCATE: moves a blocked 4 KiB page of a TD to another physical page, and unblocks it.
 *
 * RCX GPA and level (0) · RDX TDR · R8 the new page.
 * Returns the old page's HPA in RCX; in RCX and RDX the S-EPT entry where a walk or its state failed.
 */
export function* tdhMemPageRelocate(call: Call): Steps {
  const locked = yield* lockTdAndSeptEntry(call, PG_4K, PG_4K, SHARED);
  const { tdr, tdcs, entry } = locked;
  yield "check that the entry maps a page";
  checkSeptStateAllowsLeaf(call, entry, RCX);

  yield "check that the new page is another one";
  const oldHpa = leafHpa(entry);
  const hpa = call.num(R8);
  const withinMaxpa = (call.hi(R8) & 0x000f_ffff) * 0x1_0000_0000 + call.lo(R8);
  if (withinMaxpa === oldHpa) fail(TDX_OPERAND_INVALID, R8);

  yield "lock the old page's PAMT entry (exclusive)";
  const oldPage = yield* lockImplicitPage(call, oldHpa, PG_4K, RCX);
  yield "check that the page is blocked and no LP can use it any more";
  checkBlockedAndTracked(call, tdcs, entry, oldPage, RCX);
  yield "lock the new page (exclusive) and check that it is free";
  const page = yield* lockPage(call, hpa, PG_4K, EXCLUSIVE, PT_NDA, R8);

  yield "copy the contents, which a page that the guest has not accepted does not have";
  if (!isAnyPending(entry)) {
    claimTdPage(call, tdr, hpa);
    call.memory.copyPage(oldHpa, hpa);
  }
  yield "make the old page free in the PAMT";
  setPageType(call, oldPage, PT_NDA);
  yield "make the new page the TD's own in the PAMT";
  assignPage(call, page.cell, PT_REG, call.num(RDX));
  yield "map the new page for L2 VMs, unblocked if it is accepted";
  changeAliases(call, locked, entry, (alias) => {
    relocate(alias, hpa);
    if (!isAnyPending(entry)) unblockL2(alias);
  });
  yield "map the new page, unblocked";
  relocate(entry, hpa);
  unblock(entry);
  writeSeptEntry(call, entry, entry.lo, entry.hi);
  call.setNum(RCX, oldHpa);
}
