import { OPERAND_SEPT_TREE } from "../../arch/generated/operand-ids.ts";
import { RCX } from "../../arch/registers.ts";
import type { Call } from "../call.ts";
import { unblockL2 } from "../l2-entry.ts";
import { changeAliases } from "../l2-sept.ts";
import { EXCLUSIVE } from "../lock-words.ts";
import { PG_4K } from "../pamt.ts";
import { checkSeptStateAllowsLeaf, lockTdAndSeptEntry, mappedPage, ROOT_LEVEL } from "../sept.ts";
import { isAnyPending, setUnblockedAndUnlock } from "../sept-entry.ts";
import type { Steps } from "../step.ts";
import { checkTracked } from "../tracking.ts";

/**
 * TDH.MEM.RANGE.UNBLOCK: undoes the blocking of an S-EPT entry.
 *
 * RCX GPA and level · RDX TDR.
 * Returns in RCX and RDX the S-EPT entry where a walk or its state failed, else 0.
 */
export function* tdhMemRangeUnblock(call: Call): Steps {
  const locked = yield* lockTdAndSeptEntry(call, PG_4K, ROOT_LEVEL, EXCLUSIVE);
  const { tdcs, entry } = locked;
  yield "check that the entry is blocked";
  checkSeptStateAllowsLeaf(call, entry, RCX);
  yield "check that no LP can have an old translation";
  checkTracked(call, tdcs, entry, mappedPage(call, entry), OPERAND_SEPT_TREE);

  yield "unblock it in the S-EPTs of L2 VMs, unless the page waits for its acceptance";
  if (!isAnyPending(entry)) changeAliases(call, locked, entry, unblockL2);
  yield "unblock the entry";
  setUnblockedAndUnlock(call, entry);
}
