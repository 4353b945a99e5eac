import { PT_EPT, PT_NDA } from "../../arch/generated/pamt-types.ts";
import { TDX_INTERRUPTED_RESTARTABLE } from "../../arch/generated/status-codes.ts";
import { R8, RCX, RDX } from "../../arch/registers.ts";
import type { Call } from "../call.ts";
import { endIfInterrupted } from "../interrupt.ts";
import { EXCLUSIVE, SHARED } from "../lock-words.ts";
import { demotePamt, lockPage, PG_1G, PG_2M, PG_4K, setPageOwner, setPageType } from "../pamt.ts";
import { checkSeptStateAllowsLeaf, clearReport, lockTdAndSeptEntry, mappedPage } from "../sept.ts";
import { clearAcceptCounter, leafHpa, setNonLeaf, unblock } from "../sept-entry.ts";
import { splitEntry } from "../sept-merge.ts";
import type { Steps } from "../step.ts";
import { addChildren, tdrHpaWithFlag } from "../td.ts";
import { checkBlockedAndTracked } from "../tracking.ts";

/**
 * TDH.MEM.PAGE.DEMOTE: splits a large page of a TD into 512 pages of the next smaller size.
 *
 * RCX GPA and level (1: 2 MiB, 2: 1 GiB) · RDX TDR · R8 a free page for the new S-EPT table.
 * Returns in RCX and RDX the S-EPT entry where a walk or its state failed, else 0; as they were if an interrupt was pending.
 */
export function* tdhMemPageDemote(call: Call): Steps {
  clearReport(call);
  yield "check the TDR operand";
  const tdrHpa = tdrHpaWithFlag(call, RDX);
  const { tdr, tdcs, entry } = yield* lockTdAndSeptEntry(call, PG_2M, PG_1G, SHARED, tdrHpa);
  yield "check that the entry maps a page";
  checkSeptStateAllowsLeaf(call, entry, RCX);
  clearAcceptCounter(entry);
  yield "check that the page is blocked and no LP can use it any more";
  checkBlockedAndTracked(call, tdcs, entry, mappedPage(call, entry), RCX);

  yield "lock the new S-EPT page (exclusive) and check that it is free";
  const tableHpa = call.num(R8);
  const table = yield* lockPage(call, tableHpa, PG_4K, EXCLUSIVE, PT_NDA, R8);

  yield "fill the new table: each small page mapped like the large one, unblocked";
  const hpa = leafHpa(entry);
  unblock(entry);
  splitEntry(call, entry, hpa, tableHpa);

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
}
