import { PT_EPT, PT_NDA } from "../../arch/generated/pamt-types.ts";
import { SEPT_FREE, SEPT_NL_MAPPED } from "../../arch/generated/sept-states.ts";
import {
  TDX_EPT_ENTRY_STATE_INCORRECT,
  TDX_INTERRUPTED_RESUMABLE,
  TDX_L2_SEPT_ENTRY_NOT_FREE,
  TDX_OPERAND_INVALID,
} from "../../arch/generated/status-codes.ts";
import { R8, RAX, RCX, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { endIfInterrupted } from "../interrupt.ts";
import { isL2Free } from "../l2-entry.ts";
import {
  failWithL2Entry,
  hangL2Table,
  isNullPa,
  l2Vms,
  MAX_L2_VMS,
  pageOperand,
  pageRegister,
  returnNullPa,
  returnPage,
  UNUSED,
  walkL2ToLevel,
} from "../l2-sept.ts";
import { EXCLUSIVE, SHARED } from "../lock-words.ts";
import { assignPage, lockPage, PG_2M, PG_4K } from "../pamt.ts";
import { checkSeptStateAllowsLeaf, type LockedSeptEntry, lockTdAndSeptEntry, ROOT_LEVEL } from "../sept.ts";
import { fillFreeTable, type SeptEntry, septState, setNonLeaf } from "../sept-entry.ts";
import { clearReport, failWithEntry } from "../sept-report.ts";
import type { Steps } from "../step.ts";
import { addChildren, claimTdPage, tdrHpaWithFlag } from "../td.ts";

/** RDX bit 0: it is no error if a table exists already. */
const ALLOW_EXISTING = 1;

/**
 * TDH.MEM.SEPT.ADD: adds a page to a TD's S-EPT, and in version 1 to those of its L2 VMs.
 *
 * RCX GPA and level (from 1) of the entry that is to point to the page · RDX TDR, in bit 0 whether the page may exist · R8 the
 * page. Version 1: R9, R10, R11 pages for L2 VMs 1 to 3; all ones for no page, in R8 too if the table exists.
 * Returns in RCX and RDX the S-EPT entry where a walk or its state failed, else 0; as they were if an interrupt was pending,
 * when the call has to be made again. Version 1 returns R8 to R11 with bit 63 set for a page that was not used, and all ones
 * for one that was.
 */
export function* tdhMemSeptAdd(call: Call): Steps {
  if (call.version > 1) {
    clearReport(call);
    fail(TDX_OPERAND_INVALID, RAX);
  }
  if (call.version === 1) for (let vm = 0; vm <= MAX_L2_VMS; vm++) returnPage(call, pageRegister(vm), 0);

  clearReport(call);
  yield "check the TDR operand";
  const tdrHpa = tdrHpaWithFlag(call, RDX);
  const locked = yield* lockTdAndSeptEntry(call, PG_2M, ROOT_LEVEL, SHARED, tdrHpa);
  const { tdr, entry } = locked;
  yield "check that the entry is free or points to a table";
  checkSeptStateAllowsLeaf(call, entry, RCX);

  const page = yield* lockNewTable(call, entry);
  const l2Pages = call.version === 1 ? yield* lockNewL2Tables(call, locked) : [];

  if (page !== 0) {
    const hpa = pageOperand(call, R8);
    yield "fill the page with free entries";
    claimTdPage(call, tdr, hpa);
    fillFreeTable(call, hpa);
    yield "make the page the TD's own in the PAMT";
    assignPage(call, page, PT_EPT, tdrHpa);
    yield "count the new child page in the TDR";
    addChildren(call, tdr, 1);
    yield "let the entry point to the page";
    setNonLeaf(call, entry, hpa);
    if (call.version === 1) returnNullPa(call, R8);
  }
  let isAnyAdded = page !== 0;
  for (const { vm, parent, entry: pamtEntry } of l2Pages) {
    const register = pageRegister(vm);
    if (isAnyAdded) {
      yield "look whether an interrupt waits";
      endIfInterrupted(call, TDX_INTERRUPTED_RESUMABLE, [RCX, RDX]);
    }
    yield "add the page of the next L2 VM";
    claimTdPage(call, tdr, pageOperand(call, register));
    call.memory.zeroPage(pageOperand(call, register));
    assignPage(call, pamtEntry, PT_EPT, tdrHpa);
    hangL2Table(call, tdr, entry, vm, parent, pageOperand(call, register));
    returnNullPa(call, register);
    isAnyAdded = true;
  }
}

/** Locks the page for the TD's own S-EPT. Returns its PAMT entry, or 0 if no page is to be added. */
function* lockNewTable(call: Call, entry: SeptEntry): Steps<number> {
  if (isNullPa(call, R8)) {
    yield "check that no page is needed: the entry points to a table";
    if (call.version === 0) fail(TDX_OPERAND_INVALID, R8);
    if (septState(entry) !== SEPT_NL_MAPPED) failWithEntry(call, entry, TDX_EPT_ENTRY_STATE_INCORRECT, RCX);
    return 0;
  }
  if (septState(entry) === SEPT_FREE) {
    yield "lock the new page (exclusive) and check that it is free";
    const page = yield* lockPage(call, pageOperand(call, R8), PG_4K, EXCLUSIVE, PT_NDA, R8);
    return page.cell;
  }
  yield "check that the page may exist";
  if ((call.lo(RDX) & ALLOW_EXISTING) === 0) failWithEntry(call, entry, TDX_EPT_ENTRY_STATE_INCORRECT, RCX);
  if (call.version === 1) returnPage(call, R8, UNUSED);
  return 0;
}

interface NewL2Table {
  readonly vm: number;
  /** Where it is to hang. */
  readonly parent: SeptEntry;
  /** Its PAMT entry. */
  readonly entry: number;
}

/** Finds the places in the S-EPTs of L2 VMs, and locks the pages for those that are free. */
function* lockNewL2Tables(call: Call, locked: LockedSeptEntry): Steps<NewL2Table[]> {
  const pages: NewL2Table[] = [];
  for (let vm = 1; vm <= MAX_L2_VMS; vm++) {
    const register = pageRegister(vm);
    if (isNullPa(call, register)) continue;
    yield "check that the L2 VM exists and walk its S-EPT";
    if (vm > l2Vms(call, locked.tdcs)) fail(TDX_OPERAND_INVALID, register);
    const parent = walkL2ToLevel(call, locked, vm, locked.entry.level);
    if (isL2Free(parent)) {
      yield "lock the VM's page (exclusive) and check that it is free";
      const page = yield* lockPage(call, pageOperand(call, register), PG_4K, EXCLUSIVE, PT_NDA, register);
      pages.push({ vm, parent, entry: page.cell });
    } else {
      if ((call.lo(RDX) & ALLOW_EXISTING) === 0) {
        failWithL2Entry(call, locked.tdcs, parent, vm, TDX_L2_SEPT_ENTRY_NOT_FREE);
      }
      returnPage(call, register, UNUSED);
    }
  }
  return pages;
}
