import { PT_EPT, PT_NDA } from "../../arch/generated/pamt-types.ts";
import { SEPT_FREE, SEPT_NL_MAPPED } from "../../arch/generated/sept-states.ts";
import { TDX_EPT_ENTRY_STATE_INCORRECT, TDX_OPERAND_INVALID } from "../../arch/generated/status-codes.ts";
import { R8, RAX, RCX, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { FIRST_L2_REGISTER, isNullPa, LAST_L2_REGISTER, NULL_PA_HALF } from "../l2-registers.ts";
import { EXCLUSIVE, SHARED } from "../lock-words.ts";
import { assignPage, lockPage, PG_2M, PG_4K } from "../pamt.ts";
import { checkSeptStateAllowsLeaf, clearReport, failWithEntry, lockTdAndSeptEntry, ROOT_LEVEL } from "../sept.ts";
import { fillFreeTable, septState, setNonLeaf } from "../sept-entry.ts";
import type { Steps } from "../step.ts";
import { addChildren, claimTdPage, tdrHpaWithFlag } from "../td.ts";

/** RDX bit 0: it is no error if the table exists already. */
const ALLOW_EXISTING = 1;
/** Bit 63 of a page operand: on return, that the page was not used. On entry it is ignored. */
const UNUSED = 0x8000_0000;

/**
 * TDH.MEM.SEPT.ADD: adds a page to a TD's S-EPT. Versions 0 and 1.
 *
 * RCX GPA and level (from 1) of the entry that is to point to the page · RDX TDR, in bit 0 whether the page may exist · R8 the
 * page. Version 1: R8 all ones means that it exists; R9, R10 and R11 pages for L2 VMs.
 * Returns in RCX and RDX the S-EPT entry where a walk or its state failed, else 0. Version 1 returns R8 to R11 with bit 63
 * set for a page that was not used, and all ones for one that was.
 */
export function* tdhMemSeptAdd(call: Call): Steps {
  if (call.version > 1) {
    clearReport(call);
    fail(TDX_OPERAND_INVALID, RAX);
  }
  if (call.version === 1) for (let r = R8; r <= LAST_L2_REGISTER; r++) returnPage(call, r, 0);

  clearReport(call);
  yield "check the TDR operand";
  const tdrHpa = tdrHpaWithFlag(call, RDX);
  const td = yield* lockTdAndSeptEntry(call, PG_2M, ROOT_LEVEL, SHARED, tdrHpa);
  const { tdr, entry } = td;
  yield "check that the entry is free or points to a table";
  checkSeptStateAllowsLeaf(call, entry, RCX);

  const allowExisting = (call.lo(RDX) & ALLOW_EXISTING) !== 0;
  const hpa = pageHpa(call, R8);
  let page = 0;
  if (isNullPa(call, R8)) {
    yield "check that no page is needed: the entry points to a table";
    if (call.version === 0) fail(TDX_OPERAND_INVALID, R8);
    if (septState(entry) !== SEPT_NL_MAPPED) failWithEntry(call, entry, TDX_EPT_ENTRY_STATE_INCORRECT, RCX);
  } else if (septState(entry) === SEPT_FREE) {
    yield "lock the new page (exclusive) and check that it is free";
    page = (yield* lockPage(call, hpa, PG_4K, EXCLUSIVE, PT_NDA, R8)).cell;
  } else {
    yield "check that the page may exist";
    if (!allowExisting) failWithEntry(call, entry, TDX_EPT_ENTRY_STATE_INCORRECT, RCX);
    if (call.version === 1) returnPage(call, R8, UNUSED);
  }
  if (call.version === 1) {
    yield "check that no page is given for an L2 VM, which the TD does not have";
    for (let r = FIRST_L2_REGISTER; r <= LAST_L2_REGISTER; r++) if (!isNullPa(call, r)) fail(TDX_OPERAND_INVALID, r);
  }
  if (page === 0) return;

  yield "fill the page with free entries";
  claimTdPage(call, tdr, hpa);
  fillFreeTable(call, hpa);
  yield "make the page the TD's own in the PAMT";
  assignPage(call, page, PT_EPT, tdrHpa);
  yield "count the new child page in the TDR";
  addChildren(call, tdr, 1);
  yield "let the entry point to the page";
  setNonLeaf(call, entry, hpa);
  if (call.version === 1) call.set(R8, NULL_PA_HALF, NULL_PA_HALF);
}

/** HPA of a page operand, without the bit that is ignored. */
function pageHpa(call: Call, register: number): number {
  return (call.hi(register) & ~UNUSED) * 0x1_0000_0000 + call.lo(register);
}

/** Returns a page operand with `flag` in its high word. "No page" stays that. */
function returnPage(call: Call, register: number, flag: number): void {
  if (!isNullPa(call, register)) call.set(register, call.lo(register), ((call.hi(register) & ~UNUSED) | flag) >>> 0);
}
