import { PT_NDA } from "../../arch/generated/pamt-types.ts";
import { TDX_INTERRUPTED_RESTARTABLE, TDX_OPERAND_INVALID } from "../../arch/generated/status-codes.ts";
import { RAX, RCX, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { endIfInterrupted } from "../interrupt.ts";
import { aliasesOf, dropL2Table, type L2Table, lockL2Table, returnNoL2Pages } from "../l2-sept.ts";
import { SHARED } from "../lock-words.ts";
import { lockImplicitPage, PG_1G, PG_2M, PG_4K, promotePamt, setPageType } from "../pamt.ts";
import { checkSeptStateAllowsLeaf, lockTdAndSeptEntry } from "../sept.ts";
import { leafHpa, septHpa, writeSeptEntry } from "../sept-entry.ts";
import { checkMergeableL2Table, dropLockedTable, lockMergeableTable } from "../sept-merge.ts";
import { clearReport } from "../sept-report.ts";
import type { Steps } from "../step.ts";
import { addChildren } from "../td.ts";
import { checkBlockedAndTracked } from "../tracking.ts";

/**
 * TDH.MEM.PAGE.PROMOTE: merges the 512 pages that an S-EPT page maps into one of the next size. Versions 0 and 1.
 *
 * RCX GPA and level (1: 2 MiB, 2: 1 GiB) · RDX TDR.
 * Returns the HPA of the S-EPT page that is free now in RCX; in RCX and RDX the S-EPT entry where a walk or its state failed;
 * RCX and RDX as they were if an interrupt was pending. Version 1 returns in R9 to R11 the pages of L2 VMs that are free now, all ones for none.
 */
export function* tdhMemPagePromote(call: Call): Steps {
  if (call.version > 0) returnNoL2Pages(call);
  if (call.version > 1) {
    clearReport(call);
    fail(TDX_OPERAND_INVALID, RAX);
  }

  const locked = yield* lockTdAndSeptEntry(call, PG_2M, PG_1G, SHARED);
  const { tdr, tdcs, entry } = locked;
  yield "check that the entry points to a table";
  checkSeptStateAllowsLeaf(call, entry, RCX);

  yield "lock the PAMT entry of the S-EPT page (exclusive)";
  const tableHpa = septHpa(entry);
  const tablePage = yield* lockImplicitPage(call, tableHpa, PG_4K, RCX);
  yield "check that the table is blocked and no LP can use it any more";
  checkBlockedAndTracked(call, tdcs, entry, tablePage, RCX);

  yield "lock all entries of the table and check that they map one range of pages in one state";
  const first = yield* lockMergeableTable(call, tableHpa, entry);

  const l2Tables: L2Table[] = [];
  for (const vm of aliasesOf(entry)) {
    yield "look whether an interrupt waits";
    endIfInterrupted(call, TDX_INTERRUPTED_RESTARTABLE, [RCX, RDX]);
    const l2Table = yield* lockL2Table(call, locked, entry, vm);
    yield "check that all entries of the VM's table are alike";
    checkMergeableL2Table(call, l2Table.hpa, entry);
    l2Tables.push(l2Table);
  }

  yield "look whether an interrupt waits";
  endIfInterrupted(call, TDX_INTERRUPTED_RESTARTABLE, [RCX, RDX]);

  yield "merge the pages in the PAMT";
  yield* promotePamt(call, leafHpa(first), entry.level, RCX);

  yield "let the entry map the large page, as its first small page was mapped";
  writeSeptEntry(call, entry, first.lo, first.hi);
  dropLockedTable(call, tableHpa);
  yield "do the same for L2 VMs";
  for (const l2Table of l2Tables) {
    const small = call.memory.cell(l2Table.hpa);
    dropL2Table(call, tdr, l2Table, call.store.read(small), call.store.read(small + 1));
  }
  yield "count the child page down in the TDR";
  addChildren(call, tdr, -1);
  yield "make the S-EPT page free in the PAMT";
  setPageType(call, tablePage, PT_NDA);
  call.setNum(RCX, tableHpa);
}
