/**
 * TLB tracking. TDCS.TD_EPOCH counts up with each TDH.MEM.TRACK; a VCPU that is entered takes the current epoch and counts
 * in TDCS.REFCOUNT of that epoch's parity until its TD exit. A page blocked in epoch n may be removed once no VCPU runs in
 * an epoch up to n any more: then no LP can still use an old translation.
 */
import { OPERAND_TD_EPOCH } from "../arch/generated/operand-ids.ts";
import type { Call } from "./call.ts";
import { TDCS_EPOCH_LOCK, TDCS_REFCOUNT, TDCS_TD_EPOCH, TDVPS_VCPU_EPOCH } from "./layout.ts";
import { SHARED } from "./lock-words.ts";
import { lockSharex } from "./locks.ts";
import type { Steps } from "./step.ts";

export function tdEpoch(call: Call, tdcs: number): number {
  return call.store.readNumber(tdcs + TDCS_TD_EPOCH);
}

/** Cell of the number of VCPUs that run in epochs of the same parity as `epoch`. */
export function refcountCell(tdcs: number, epoch: number): number {
  return tdcs + TDCS_REFCOUNT + (epoch % 2);
}

function count(call: Call, cell: number, by: number): void {
  call.store.write(cell, call.store.read(cell) + by);
}

/** The VCPU about to be entered takes the TD's epoch and is counted in it. Errors: TDX_OPERAND_BUSY(TD_EPOCH). */
export function* enterEpoch(call: Call, tdcs: number, tdvpr: number): Steps {
  const { store } = call;
  yield "lock the TD's epoch (shared)";
  yield* lockSharex(call, tdcs + TDCS_EPOCH_LOCK, SHARED, OPERAND_TD_EPOCH);
  yield "take the TD's epoch and count the VCPU in it";
  const epoch = tdEpoch(call, tdcs);
  count(call, refcountCell(tdcs, epoch), 1);
  call.release(tdcs + TDCS_EPOCH_LOCK);
  if (store.readNumber(tdvpr + TDVPS_VCPU_EPOCH) !== epoch) call.platform.tlb.flush(call.lp);
  store.writeNumber(tdvpr + TDVPS_VCPU_EPOCH, epoch);
}

/** Takes a VCPU out of its epoch's count: its TD exit, or a TD entry that fails late. */
export function releaseVcpuEpoch(call: Call, tdcs: number, tdvpr: number): void {
  count(call, refcountCell(tdcs, call.store.readNumber(tdvpr + TDVPS_VCPU_EPOCH)), -1);
}
