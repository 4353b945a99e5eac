import { RCX } from "../../arch/registers.ts";
import type { Call } from "../call.ts";
import { SHARED } from "../lock-words.ts";
import { CONTEXT_TD } from "../metadata/field-id.ts";
import type { Steps } from "../step.ts";
import { checkStateAndLockTdcs, lockTdr } from "../td.ts";
import { beginRead, readField } from "./rd-wr.ts";

/**
 * TDH.MNG.RD: reads a field of a TD's TDR or TDCS.
 *
 * RCX TDR · RDX field id. Version 1: all ones asks for the first field.
 * Returns in R8 the value; version 1 in RDX the id of the next readable field.
 */
export function* tdhMngRd(call: Call): Steps {
  yield "check the version, and clear the outputs";
  beginRead(call);
  yield "lock the TDR (shared)";
  const tdr = yield* lockTdr(call, RCX, SHARED);
  const tdcs = yield* checkStateAndLockTdcs(call, tdr, SHARED);
  yield* readField(call, CONTEXT_TD, { tdr, tdcs, tdvpr: -1 });
}
