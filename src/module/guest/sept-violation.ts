/** A guest leaf met an S-EPT entry that it cannot work on: the host is told by an EPT violation, with details of the entry. */
import { SEPT_GUEST_ACCESSIBLE_LEAF_STATES, SEPT_STATES } from "../../arch/generated/sept-states.ts";
import { TDX_SUCCESS } from "../../arch/generated/status-codes.ts";
import type { Call } from "../call.ts";
import { isLeaf, SEPT_RWX, type SeptEntry, septState } from "../sept-entry.ts";
import type { Steps } from "../step.ts";
import * as Reason from "./reasons.ts";
import { tdExit } from "./td-exit.ts";
import { WRITE } from "./translate.ts";

/** XU, bit 10 of an entry, beside RWX. */
const XU_OF_QUALIFICATION = 1 << 3;
/** Extended exit qualification: details of an L2 VM's S-EPT entry follow. */
const EXTENDED_GPA_DETAILS = 2;

/** Why a guest did not get an entry. */
export const WHY_ENTRY_BUSY = "the S-EPT entry is locked, or a host waits for it";

/** Leaf entries that a guest can at least read through. */
export function isGuestAccessible(entry: SeptEntry): boolean {
  const state = septState(entry);
  return state >= 0 && ((SEPT_GUEST_ACCESSIBLE_LEAF_STATES >>> state) & 1) !== 0;
}

/** `requested` level, and the `kind` of extended exit qualification (td-exit.ts). */
export function* septViolationExit(
  call: Call,
  gpa: number,
  requested: number,
  entry: SeptEntry,
  kind: number,
): Steps<never> {
  const state = septState(entry);
  const reported = state < 0 ? 0 : (SEPT_STATES[state]?.reportedState ?? 0);
  const details = requested | (entry.level << 3) | (reported << 6) | (isLeaf(entry) ? 1 << 14 : 0);
  return yield* tdExit(call, TDX_SUCCESS, Reason.EPT_VIOLATION, {
    qualification: BigInt(WRITE | ((entry.lo & SEPT_RWX) << 3)),
    extended: (BigInt(details) << 32n) | BigInt(kind),
    gpa: gpa - (gpa % 4096),
  });
}

/** The S-EPT of L2 VM `vm` lacks a page on the way to `gpa`: `entry` is where the walk ended. */
export function* l2ViolationExit(call: Call, gpa: number, entry: SeptEntry, vm: number): Steps<never> {
  const access = (entry.lo & SEPT_RWX) | ((entry.lo >>> 7) & XU_OF_QUALIFICATION);
  const details = (entry.level << 3) | (vm << 20);
  return yield* tdExit(call, TDX_SUCCESS, Reason.EPT_VIOLATION, {
    qualification: BigInt(WRITE | (access << 3)),
    extended: (BigInt(details) << 32n) | BigInt(EXTENDED_GPA_DETAILS),
    gpa: gpa - (gpa % 4096),
  });
}
