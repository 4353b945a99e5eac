import { SEPT_FREE } from "../../arch/generated/sept-states.ts";
import { TDX_OPERAND_INVALID } from "../../arch/generated/status-codes.ts";
import { R8, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { readL2Attributes } from "../l2-sept.ts";
import { TDCS_ATTRIBUTES } from "../layout.ts";
import { SHARED } from "../lock-words.ts";
import { PG_4K } from "../pamt.ts";
import { lockEntryOfTd, lockTd, ROOT_LEVEL } from "../sept.ts";
import { septState } from "../sept-entry.ts";
import { reportEntry } from "../sept-report.ts";
import type { Steps } from "../step.ts";

/** RDX bit 0: report the attributes of the page in L2 VMs. */
const READ_L2_ATTRIBUTES = 1;
/** TD attribute DEBUG, bit 0. */
const ATTRIBUTE_DEBUG = 1;

/**
 * TDH.MEM.SEPT.RD: reads an S-EPT entry.
 *
 * RCX GPA and level · RDX TDR, and in bit 0 whether to read L2 attributes (of a debuggable TD only).
 * Returns the entry in RCX and RDX (sept.ts, `reportEntry`), its L2 attributes in R8 if they were asked for, 16 bits for each VM.
 */
export function* tdhMemSeptRd(call: Call): Steps {
  const attributes = (call.lo(RDX) & READ_L2_ATTRIBUTES) !== 0;
  const td = yield* lockTd(call, call.num(RDX) - (attributes ? READ_L2_ATTRIBUTES : 0));

  yield "check that L2 attributes may be read";
  const debug = (call.store.read(td.tdcs + TDCS_ATTRIBUTES) & ATTRIBUTE_DEBUG) !== 0;
  if (attributes && !debug) fail(TDX_OPERAND_INVALID, RDX);

  const locked = yield* lockEntryOfTd(call, td, PG_4K, ROOT_LEVEL, SHARED);
  const { entry } = locked;
  yield "report the entry";
  if (attributes) call.setBig(R8, septState(entry) === SEPT_FREE ? 0n : readL2Attributes(call, locked, entry));
  reportEntry(call, entry);
}
