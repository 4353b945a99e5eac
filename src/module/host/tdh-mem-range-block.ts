import { SEPT_ANY_BLOCKED_STATES } from "../../arch/generated/sept-states.ts";
import { TDX_GPA_RANGE_ALREADY_BLOCKED } from "../../arch/generated/status-codes.ts";
import { RCX } from "../../arch/registers.ts";
import type { Call } from "../call.ts";
import { tdEpoch } from "../epoch.ts";
import { blockL2 } from "../l2-entry.ts";
import { changeAliases } from "../l2-sept.ts";
import { EXCLUSIVE } from "../lock-words.ts";
import { PG_4K, setPageBepoch } from "../pamt.ts";
import { checkSeptStateAllowsLeaf, lockTdAndSeptEntry, mappedPage, ROOT_LEVEL } from "../sept.ts";
import { block, isBlockedForWriting, septState, writeSeptEntry } from "../sept-entry.ts";
import { failWithEntry } from "../sept-report.ts";
import type { Steps } from "../step.ts";

/**
 * TDH.MEM.RANGE.BLOCK: blocks an S-EPT entry, so that no LP makes a new translation through it.
 *
 * RCX GPA and level · RDX TDR.
 * Returns in RCX and RDX the S-EPT entry where a walk or its state failed, else 0.
 */
export function* tdhMemRangeBlock(call: Call): Steps {
  const locked = yield* lockTdAndSeptEntry(call, PG_4K, ROOT_LEVEL, EXCLUSIVE);
  const { tdcs, entry } = locked;
  yield "check that the entry is not blocked yet and maps a page or a table";
  if (((SEPT_ANY_BLOCKED_STATES >>> septState(entry)) & 1) !== 0) {
    failWithEntry(call, entry, TDX_GPA_RANGE_ALREADY_BLOCKED, RCX);
  }
  checkSeptStateAllowsLeaf(call, entry, RCX);

  yield "block the entry";
  const page = mappedPage(call, entry);
  const keptW = isBlockedForWriting(entry);
  block(entry);
  writeSeptEntry(call, entry, entry.lo, entry.hi);
  yield "block it in the S-EPTs of L2 VMs too";
  changeAliases(call, locked, entry, (alias) => blockL2(alias, keptW));
  yield "note the TD's epoch in the PAMT entry of what it maps";
  setPageBepoch(call, page, tdEpoch(call, tdcs));
}
