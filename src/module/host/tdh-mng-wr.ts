import { R8, RCX } from "../../arch/registers.ts";
import type { Call } from "../call.ts";
import { SHARED } from "../lock-words.ts";
import { CONTEXT_TD } from "../metadata/field-id.ts";
import type { Steps } from "../step.ts";
import { checkStateAndLockTdcs, lockTdr } from "../td.ts";
import { writeField } from "./rd-wr.ts";

/**
 * TDH.MNG.WR: writes bits of a field of a TD's TDCS.
 *
 * RCX TDR · RDX field id · R8 value · R9 mask of the bits to write.
 * Returns in R8 the old value.
 */
export function* tdhMngWr(call: Call): Steps {
  call.setNum(R8, 0);
  yield "lock the TDR (shared)";
  const tdr = yield* lockTdr(call, RCX, SHARED);
  const tdcs = yield* checkStateAndLockTdcs(call, tdr, SHARED);
  yield* writeField(call, CONTEXT_TD, { tdr, tdcs, tdvpr: -1 });
}
