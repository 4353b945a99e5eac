import { RCX } from "../../arch/registers.ts";
import type { Call } from "../call.ts";
import { SHARED } from "../lock-words.ts";
import { CONTEXT_VP } from "../metadata/field-id.ts";
import type { Steps } from "../step.ts";
import { checkStateAndLockTdcs } from "../td.ts";
import { associateVcpu, checkTdvpsPages, lockVcpu } from "../vcpu.ts";
import { beginRead, readField } from "./rd-wr.ts";

/**
 * TDH.VP.RD: reads a field of a VCPU; the VCPU is associated with this LP.
 *
 * RCX TDVPR · RDX field id. Version 1: all ones asks for the first field.
 * Returns in R8 the value; version 1 in RDX the id of the next readable field.
 */
export function* tdhVpRd(call: Call): Steps {
  yield "check the version, and clear the outputs";
  beginRead(call);
  yield "lock the TDVPR (shared)";
  const { tdvpr, tdr } = yield* lockVcpu(call, RCX, SHARED);
  const tdcs = yield* checkStateAndLockTdcs(call, tdr, SHARED);
  yield "check that the VCPU's pages are there";
  checkTdvpsPages(call, tdvpr, tdcs);
  yield* associateVcpu(call, tdvpr, tdcs, true);
  yield* readField(call, CONTEXT_VP, { tdr, tdcs, tdvpr });
}
