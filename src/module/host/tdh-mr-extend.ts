import { SEPT_STATES, septStateAllowsHostLeaf } from "../../arch/generated/sept-states.ts";
import { TDX_EPT_ENTRY_NOT_PRESENT, TDX_OPERAND_INVALID } from "../../arch/generated/status-codes.ts";
import { RCX, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { EXCLUSIVE } from "../lock-words.ts";
import { EXTENSION_BYTES, measureExtension } from "../measurement.ts";
import { walkToMappedPage } from "../sept.ts";
import { septState } from "../sept-entry.ts";
import { clearReport } from "../sept-report.ts";
import type { Steps } from "../step.ts";
import { checkStateAndLockTdcs, lockTdr, NO_LOCK } from "../td.ts";
import { hex } from "../why.ts";

/**
 * TDH.MR.EXTEND: extends the measurement of a TD's build by 256 bytes of a page that was added.
 *
 * RCX GPA of the bytes, aligned · RDX TDR.
 * Returns in RCX and RDX the S-EPT entry where a walk failed, else 0.
 */
export function* tdhMrExtend(call: Call): Steps {
  clearReport(call);
  yield "lock the TDR (exclusive)";
  const tdr = yield* lockTdr(call, RDX, EXCLUSIVE);
  const tdcs = yield* checkStateAndLockTdcs(call, tdr, NO_LOCK);

  yield "check the GPA's alignment";
  if (call.lo(RCX) % EXTENSION_BYTES !== 0) {
    fail(TDX_OPERAND_INVALID, RCX, `GPA ${hex(call.big(RCX))} is not aligned to ${EXTENSION_BYTES} bytes`);
  }
  const gpa = call.num(RCX);
  yield "check that the GPA is private and walk the S-EPT to the page";
  const page = walkToMappedPage(call, tdcs, gpa, RCX);
  const state = septState(page.entry);
  if (!septStateAllowsHostLeaf(call.leaf, state)) {
    fail(TDX_EPT_ENTRY_NOT_PRESENT, 0, `the S-EPT entry is ${SEPT_STATES[state]?.name ?? "in no known state"}`);
  }

  yield "extend the measurement by a header and the bytes";
  measureExtension(call, tdcs, gpa, page.hpa);
}
