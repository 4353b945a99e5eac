import { PT_NDA, PT_REG } from "../../arch/generated/pamt-types.ts";
import { SEPT_MAPPED } from "../../arch/generated/sept-states.ts";
import { TDX_EPT_WALK_FAILED, TDX_OPERAND_INVALID } from "../../arch/generated/status-codes.ts";
import { R8, R9, RCX, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { checkAlignedSharedHpa } from "../hpa.ts";
import { EXCLUSIVE } from "../lock-words.ts";
import { measurePageAdd } from "../measurement.ts";
import { assignPage, lockPage, PAGE_4K, PG_4K } from "../pamt.ts";
import { checkGpaAndLevel, checkSeptStateAllowsLeaf, isPrivateGpa, walkSept } from "../sept.ts";
import { SEPT_RWX, setLeaf } from "../sept-entry.ts";
import { clearReport, failWithEntry } from "../sept-report.ts";
import type { Steps } from "../step.ts";
import { addChildren, checkStateAndLockTdcs, claimTdPage, lockTdr, NO_LOCK } from "../td.ts";

/**
 * TDH.MEM.PAGE.ADD: gives a TD that is not finalised a 4 KiB page with the contents of a host's page, and measures its GPA.
 *
 * RCX GPA and level (0) · RDX TDR · R8 the page · R9 the page to copy, with a shared KeyID.
 * Returns in RCX and RDX the S-EPT entry where a walk or its state failed, else 0.
 */
export function* tdhMemPageAdd(call: Call): Steps {
  clearReport(call);

  yield "lock the TDR (exclusive): that keeps everybody out of the TD, so its S-EPT needs no lock";
  const tdr = yield* lockTdr(call, RDX, EXCLUSIVE);
  const tdcs = yield* checkStateAndLockTdcs(call, tdr, NO_LOCK);

  yield "check the GPA and the level";
  const { gpa } = checkGpaAndLevel(call, RCX, PG_4K, PG_4K);
  if (!isPrivateGpa(call, tdcs, gpa)) fail(TDX_OPERAND_INVALID, RCX);

  yield "walk the S-EPT to the entry";
  const entry = walkSept(call, tdcs, gpa, PG_4K);
  if (entry.level !== PG_4K) failWithEntry(call, entry, TDX_EPT_WALK_FAILED, RCX);
  yield "check that the entry is free";
  checkSeptStateAllowsLeaf(call, entry, RCX);

  yield "check the page to copy";
  const source = checkAlignedSharedHpa(call, call.num(R9), PAGE_4K, R9);
  yield "lock the new page (exclusive) and check that it is free";
  const hpa = call.num(R8);
  const page = yield* lockPage(call, hpa, PG_4K, EXCLUSIVE, PT_NDA, R8);

  yield "copy the contents";
  claimTdPage(call, tdr, hpa);
  call.memory.copyPage(source, hpa);
  yield "map the page";
  setLeaf(call, entry, hpa, SEPT_MAPPED, SEPT_RWX);
  yield "extend the TD's measurement by the GPA";
  measurePageAdd(call, tdcs, gpa);
  yield "count the new child page in the TDR";
  addChildren(call, tdr, 1);
  yield "make the page the TD's own in the PAMT";
  assignPage(call, page.cell, PT_REG, call.num(RDX));
}
