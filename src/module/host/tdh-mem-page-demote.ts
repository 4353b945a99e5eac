import { PT_EPT, PT_NDA } from "../../arch/generated/pamt-types.ts";
import { TDX_INTERRUPTED_RESTARTABLE, TDX_L2_SEPT_PAGE_NOT_PROVIDED } from "../../arch/generated/status-codes.ts";
import { R8, RCX, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { endIfInterrupted } from "../interrupt.ts";
import { unblockL2 } from "../l2-entry.ts";
import {
  aliasesOf,
  hangL2Table,
  isNullPa,
  l2Vms,
  pageOperand,
  pageRegister,
  UNUSED,
  walkL2ToLevel,
} from "../l2-sept.ts";
import { EXCLUSIVE, SHARED } from "../lock-words.ts";
import { demotePamt, lockPage, PG_1G, PG_2M, PG_4K, setPageOwner, setPageType } from "../pamt.ts";
import { checkSeptStateAllowsLeaf, type LockedSeptEntry, lockTdAndSeptEntry, mappedPage } from "../sept.ts";
import { clearAcceptCounter, isAnyPending, leafHpa, type SeptEntry, setNonLeaf, unblock } from "../sept-entry.ts";
import { splitEntry } from "../sept-merge.ts";
import { clearReport } from "../sept-report.ts";
import type { Steps } from "../step.ts";
import { addChildren, claimTdPage, tdrHpaWithFlag } from "../td.ts";
import { checkBlockedAndTracked } from "../tracking.ts";

/** RDX bit 0: pages for L2 VMs are used only where the page has an alias. */
const SPARSE = 1;

/** A table that is to be added to the S-EPT of an L2 VM. */
interface L2Table {
  readonly vm: number;
  readonly hpa: number;
  /** Its PAMT entry. */
  readonly entry: number;
}

/**
 * TDH.MEM.PAGE.DEMOTE: splits a large page of a TD into 512 pages of the next smaller size.
 *
 * RCX GPA and level (1: 2 MiB, 2: 1 GiB) · RDX TDR, in bit 0 whether pages for L2 VMs are used only where needed · R8 a free
 * page for the new S-EPT table · R9, R10, R11 the same for L2 VMs 1 to 3, all ones for none.
 * Returns in RCX and RDX the S-EPT entry where a walk or its state failed, else 0; as they were if an interrupt was pending.
 * R9 to R11 have bit 63 set for a page that was not used.
 */
export function* tdhMemPageDemote(call: Call): Steps {
  clearReport(call);
  yield "check the TDR operand";
  const tdrHpa = tdrHpaWithFlag(call, RDX);
  const locked = yield* lockTdAndSeptEntry(call, PG_2M, PG_1G, SHARED, tdrHpa);
  const { tdr, tdcs, entry } = locked;
  yield "check that the entry maps a page";
  checkSeptStateAllowsLeaf(call, entry, RCX);
  clearAcceptCounter(entry);
  yield "check that the page is blocked and no LP can use it any more";
  checkBlockedAndTracked(call, tdcs, entry, mappedPage(call, entry), RCX);

  yield "lock the new S-EPT page (exclusive) and check that it is free";
  const tableHpa = call.num(R8);
  const table = yield* lockPage(call, tableHpa, PG_4K, EXCLUSIVE, PT_NDA, R8);
  const l2Tables = yield* lockL2Tables(call, locked);

  yield "fill the new table: each small page mapped like the large one, unblocked";
  const hpa = leafHpa(entry);
  const aliases = aliasesOf(entry);
  unblock(entry);
  claimTdPage(call, tdr, tableHpa);
  splitEntry(call, entry, hpa, tableHpa);
  const parents: SeptEntry[] = [];
  for (const l2Table of l2Tables) parents.push(yield* fillL2Table(call, locked, l2Table, aliases.includes(l2Table.vm)));

  yield "look whether an interrupt waits";
  endIfInterrupted(call, TDX_INTERRUPTED_RESTARTABLE, [RCX, RDX]);

  yield "split the page in the PAMT";
  yield* demotePamt(call, hpa, entry.level, RCX);
  yield "let the entry point to the table";
  setNonLeaf(call, entry, tableHpa);
  yield "make the S-EPT page the TD's own in the PAMT";
  setPageOwner(call, table.cell, tdrHpa);
  setPageType(call, table.cell, PT_EPT);
  yield "count the new child page in the TDR";
  addChildren(call, tdr, 1);
  yield "do the same for L2 VMs";
  for (const [i, l2Table] of l2Tables.entries()) {
    hangL2Table(call, tdr, entry, l2Table.vm, parents[i] as SeptEntry, l2Table.hpa);
    setPageOwner(call, l2Table.entry, tdrHpa);
    setPageType(call, l2Table.entry, PT_EPT);
  }
  returnUnusedPages(call, locked, l2Tables);
}

/** Locks the pages for L2 VMs. Errors: TDX_L2_SEPT_PAGE_NOT_PROVIDED, and those of `lockPage`. */
function* lockL2Tables(call: Call, { tdcs, entry }: LockedSeptEntry): Steps<L2Table[]> {
  const isSparse = (call.lo(RDX) & SPARSE) !== 0;
  const tables: L2Table[] = [];
  for (let vm = 1; vm <= l2Vms(call, tdcs); vm++) {
    const register = pageRegister(vm);
    const isAliased = aliasesOf(entry).includes(vm);
    if (isNullPa(call, register)) {
      if (isAliased) fail(TDX_L2_SEPT_PAGE_NOT_PROVIDED, register);
    } else if (isAliased || !isSparse) {
      yield "lock the page of an L2 VM (exclusive) and check that it is free";
      const hpa = pageOperand(call, register);
      tables.push({ vm, hpa, entry: (yield* lockPage(call, hpa, PG_4K, EXCLUSIVE, PT_NDA, register)).cell });
    }
  }
  return tables;
}

/** Fills the new table of an L2 VM. Returns the entry where it is to hang. */
function* fillL2Table(
  call: Call,
  locked: LockedSeptEntry,
  { vm, hpa: tableHpa }: L2Table,
  isAliased: boolean,
): Steps<SeptEntry> {
  const { tdr, entry } = locked;
  yield "look whether an interrupt waits";
  endIfInterrupted(call, TDX_INTERRUPTED_RESTARTABLE, [RCX, RDX]);
  yield "walk the VM's S-EPT and fill its new table";
  const parent = walkL2ToLevel(call, locked, vm, entry.level);
  claimTdPage(call, tdr, tableHpa);
  if (isAliased) {
    const small: SeptEntry = { ...parent };
    if (!isAnyPending(entry)) unblockL2(small);
    splitEntry(call, small, leafHpa(entry), tableHpa);
  } else {
    call.memory.zeroPage(tableHpa);
  }
  return parent;
}

function returnUnusedPages(call: Call, { tdcs }: LockedSeptEntry, used: readonly L2Table[]): void {
  for (let vm = 1; vm <= l2Vms(call, tdcs); vm++) {
    if (used.some((table) => table.vm === vm)) continue;
    const register = pageRegister(vm);
    call.set(register, call.lo(register), (call.hi(register) | UNUSED) >>> 0);
  }
}
