import { R8, RCX } from "../../arch/registers.ts";
import type { Call } from "../call.ts";
import { SHARED } from "../lock-words.ts";
import { CONTEXT_VP } from "../metadata/field-id.ts";
import type { Steps } from "../step.ts";
import { checkStateAndLockTdcs } from "../td.ts";
import { associateVcpu, checkTdvpsPages, lockVcpu } from "../vcpu.ts";
import { writeField } from "./rd-wr.ts";

/**
 * TDH.VP.WR: writes bits of a field of a VCPU; the VCPU is associated with this LP.
 *
 * RCX TDVPR · RDX field id · R8 value · R9 mask of the bits to write.
 * Returns in R8 the old value.
 */
export function* tdhVpWr(call: Call): Steps {
  call.setNum(R8, 0);
  yield "lock the TDVPR (shared)";
  const { tdvpr, tdr } = yield* lockVcpu(call, RCX, SHARED);
  const tdcs = yield* checkStateAndLockTdcs(call, tdr, SHARED);
  yield "check that the VCPU's pages are there";
  checkTdvpsPages(call, tdvpr, tdcs);
  yield* associateVcpu(call, tdvpr, tdcs, false);
  yield* writeField(call, CONTEXT_VP, { tdr, tdcs, tdvpr });
}
