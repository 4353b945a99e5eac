/**
 * When a mapping may be changed. A page's BEPOCH in the PAMT is the epoch (epoch.ts) in which its mapping was blocked. It is
 * tracked, that is, no LP can hold a translation to it any more, once the TD is in a later epoch and no VCPU runs that was
 * entered in BEPOCH or before. None of this matters while the TD cannot run, or for an entry that cannot be cached.
 */
import { OP_STATES_TLB_TRACKING_REQUIRED } from "../arch/generated/op-states.ts";
import { SEPT_ANY_BLOCKED_STATES, SEPT_TLB_TRACKING_REQUIRED_STATES } from "../arch/generated/sept-states.ts";
import { TDX_GPA_RANGE_NOT_BLOCKED, TDX_TLB_TRACKING_NOT_DONE } from "../arch/generated/status-codes.ts";
import { type Call, fail } from "./call.ts";
import { refcountCell, tdEpoch } from "./epoch.ts";
import { TDCS_OP_STATE } from "./layout.ts";
import { pageBepoch } from "./pamt.ts";
import { type SeptEntry, septState } from "./sept-entry.ts";
import { failWithEntry } from "./sept-report.ts";

/** True if no LP can hold a translation that was made before the end of epoch `bepoch`. */
function isTracked(call: Call, tdcs: number, bepoch: number): boolean {
  const previous = tdEpoch(call, tdcs) - 1;
  return bepoch < previous || (bepoch === previous && call.store.read(refcountCell(tdcs, bepoch)) === 0);
}

function needsTracking(call: Call, tdcs: number, entry: SeptEntry): boolean {
  const opState = call.store.read(tdcs + TDCS_OP_STATE);
  return (
    ((SEPT_TLB_TRACKING_REQUIRED_STATES >>> septState(entry)) & 1) !== 0 &&
    ((OP_STATES_TLB_TRACKING_REQUIRED >>> opState) & 1) !== 0
  );
}

function whyNotTracked(call: Call, tdcs: number, bepoch: number): string {
  const epoch = tdEpoch(call, tdcs);
  const left = call.store.read(refcountCell(tdcs, epoch - 1));
  return `it was blocked in epoch ${bepoch}; the TD is in epoch ${epoch}, and ${left} VCPUs run in the one before`;
}

/** Checks that what the entry maps is tracked. `page`: its PAMT entry. Errors: TDX_TLB_TRACKING_NOT_DONE. */
export function checkTracked(call: Call, tdcs: number, entry: SeptEntry, page: number, operand: number): void {
  if (!needsTracking(call, tdcs, entry)) return;
  const bepoch = pageBepoch(call, page);
  if (!isTracked(call, tdcs, bepoch)) fail(TDX_TLB_TRACKING_NOT_DONE, operand, whyNotTracked(call, tdcs, bepoch));
}

/** As `checkTracked`, and that the entry is blocked. Errors: TDX_GPA_RANGE_NOT_BLOCKED too, with the entry in RCX and RDX. */
export function checkBlockedAndTracked(
  call: Call,
  tdcs: number,
  entry: SeptEntry,
  page: number,
  operand: number,
): void {
  if (!needsTracking(call, tdcs, entry)) return;
  if (((SEPT_ANY_BLOCKED_STATES >>> septState(entry)) & 1) === 0) {
    failWithEntry(call, entry, TDX_GPA_RANGE_NOT_BLOCKED, operand);
  }
  checkTracked(call, tdcs, entry, page, operand);
}
