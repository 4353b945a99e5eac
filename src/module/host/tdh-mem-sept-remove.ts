import { PT_NDA } from "../../arch/generated/pamt-types.ts";
import { SEPT_FREE } from "../../arch/generated/sept-states.ts";
import { TDX_EPT_PAGE_NOT_FREE, TDX_OPERAND_INVALID } from "../../arch/generated/status-codes.ts";
import { RAX, RCX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { aliasesOf, dropL2Table, type L2Table, lockL2Table, returnNoL2Pages } from "../l2-sept.ts";
import { EXCLUSIVE } from "../lock-words.ts";
import { lockImplicitPage, PG_2M, PG_4K, setPageType } from "../pamt.ts";
import { checkSeptStateAllowsLeaf, lockTdAndSeptEntry, ROOT_LEVEL } from "../sept.ts";
import { septHpa, septStateAt, setFreeAndUnlock, TABLE_ENTRIES } from "../sept-entry.ts";
import { clearReport, failWithEntry } from "../sept-report.ts";
import type { Steps } from "../step.ts";
import { addChildren } from "../td.ts";
import { checkBlockedAndTracked } from "../tracking.ts";

/**
 * TDH.MEM.SEPT.REMOVE: takes an empty S-EPT page back from a TD. Versions 0 and 1.
 *
 * RCX GPA and level (from 1) of the entry that points to the page · RDX TDR.
 * Returns the page's HPA in RCX; in RCX and RDX the S-EPT entry where a walk or its state failed. Version 1 returns in R9 to
 * R11 the pages of L2 VMs that were removed with it, all ones for none.
 */
export function* tdhMemSeptRemove(call: Call): Steps {
  if (call.version > 0) returnNoL2Pages(call);
  if (call.version > 1) {
    clearReport(call);
    fail(TDX_OPERAND_INVALID, RAX);
  }

  const locked = yield* lockTdAndSeptEntry(call, PG_2M, ROOT_LEVEL, EXCLUSIVE);
  const { tdr, tdcs, entry } = locked;
  yield "check that the entry points to a table";
  checkSeptStateAllowsLeaf(call, entry, RCX);

  yield "lock the PAMT entry of the S-EPT page (exclusive)";
  const hpa = septHpa(entry);
  const page = yield* lockImplicitPage(call, hpa, PG_4K, RCX);
  yield "check that the page is blocked and no LP can use it any more";
  checkBlockedAndTracked(call, tdcs, entry, page, RCX);
  yield "check that all entries of the page are free";
  const table = call.memory.cell(hpa);
  for (let i = 0; i < TABLE_ENTRIES; i++) {
    if (septStateAt(call, table + i * 2) !== SEPT_FREE) failWithEntry(call, entry, TDX_EPT_PAGE_NOT_FREE, RCX);
  }

  const l2Tables: L2Table[] = [];
  for (const vm of aliasesOf(entry)) l2Tables.unshift(yield* lockL2Table(call, locked, entry, vm));

  yield "give the tables of L2 VMs back";
  for (const l2Table of l2Tables) dropL2Table(call, tdr, l2Table);
  yield "make the entry above free";
  setFreeAndUnlock(call, entry);
  yield "count the child page down in the TDR";
  addChildren(call, tdr, -1);
  yield "make the page free in the PAMT";
  setPageType(call, page, PT_NDA);
  call.setNum(RCX, hpa);
}
