import { OPERAND_SEPT_TREE } from "../../arch/generated/operand-ids.ts";
import { TDX_OPERAND_INVALID, TDX_TD_NON_DEBUG } from "../../arch/generated/status-codes.ts";
import { R8, RCX, RDX } from "../../arch/registers.ts";
import { ATTRIBUTE_DEBUG } from "../attributes.ts";
import { type Call, fail } from "../call.ts";
import { TDCS_ATTRIBUTES, TDCS_SECURE_EPT_LOCK } from "../layout.ts";
import { SHARED } from "../lock-words.ts";
import { lockSharex } from "../locks.ts";
import { checkSeptStateAllowsLeaf, lockSeptEntry, walkToMappedPage } from "../sept.ts";
import { clearReport } from "../sept-report.ts";
import type { Steps } from "../step.ts";
import { checkStateAndLockTdcs, lockTdr } from "../td.ts";
import { hex } from "../why.ts";

/** Locks and checks all that an access to 8 bytes of a debug TD's memory needs. Returns their HPA. */
function* lockBytes(call: Call): Steps<number> {
  clearReport(call);
  call.setNum(R8, 0);
  yield "lock the TDR (shared)";
  const tdr = yield* lockTdr(call, RDX, SHARED);
  const tdcs = yield* checkStateAndLockTdcs(call, tdr, SHARED);
  yield "check that this is a debug TD";
  if ((call.store.read(tdcs + TDCS_ATTRIBUTES) & ATTRIBUTE_DEBUG) === 0) {
    fail(TDX_TD_NON_DEBUG, 0, "ATTRIBUTES.DEBUG of the TD is 0");
  }
  yield "check the GPA's alignment";
  if (call.lo(RCX) % 8 !== 0) fail(TDX_OPERAND_INVALID, RCX, `GPA ${hex(call.big(RCX))} is not aligned to 8 bytes`);

  yield "lock the S-EPT tree (shared)";
  yield* lockSharex(call, tdcs + TDCS_SECURE_EPT_LOCK, SHARED, OPERAND_SEPT_TREE);
  yield "check that the GPA is private and walk the S-EPT to the page";
  const { entry, hpa } = walkToMappedPage(call, tdcs, call.num(RCX), RCX);
  yield "lock the S-EPT entry";
  yield* lockSeptEntry(call, entry, RCX);
  yield "check that the entry's state allows the access";
  checkSeptStateAllowsLeaf(call, entry, RCX);
  return hpa;
}

/**
 * TDH.MEM.RD: reads 8 bytes of a debug TD's private memory.
 *
 * RCX GPA · RDX TDR.
 * Returns in R8 the bytes; in RCX and RDX the S-EPT entry where a walk or its state failed, else 0.
 */
export function* tdhMemRd(call: Call): Steps {
  const hpa = yield* lockBytes(call);
  yield "read the bytes";
  call.setBig(R8, call.memory.readBig(hpa));
}

/**
 * TDH.MEM.WR: writes 8 bytes of a debug TD's private memory.
 *
 * RCX GPA · RDX TDR · R8 the bytes.
 * Returns in R8 the bytes as they were; in RCX and RDX the S-EPT entry where a walk or its state failed, else 0.
 */
export function* tdhMemWr(call: Call): Steps {
  const hpa = yield* lockBytes(call);
  yield "write the bytes; the old ones go to R8";
  const old = call.memory.readBig(hpa);
  call.memory.writeBig(hpa, call.big(R8));
  call.setBig(R8, old);
}
