/**
 * Guest-physical addresses as the processor, or the module on the guest's behalf, translates them: through the Secure EPT for
 * private addresses, through the host's shared EPT for the others.
 */

import { septStateAllowsGuestLeaf } from "../../arch/generated/sept-states.ts";
import { TDX_OPERAND_INVALID, TDX_SUCCESS } from "../../arch/generated/status-codes.ts";
import { type Call, endEntry, fail } from "../call.ts";
import { isSharedHpa } from "../hpa.ts";
import { TDCS_EPTP, TDCS_GPAW, TDCS_TD_CTLS, VMCS_SHARED_EPTP } from "../layout.ts";
import { isLeaf, levelBytes, SEPT_RWX, SEPT_SUPPRESS_VE, septHpa, septState } from "../sept-entry.ts";
import type { Steps } from "../step.ts";
import { hex } from "../why.ts";
import { injectVe } from "./events.ts";
import * as Reason from "./reasons.ts";
import { returnToGuest } from "./return.ts";
import { makesSense } from "./shared-ept.ts";
import { EXTENDED_PENDING, tdExit } from "./td-exit.ts";

export const READ = 1;
export const WRITE = 2;
export const EXECUTE = 4;

/** TD_CTLS: an access to a pending page is a TD exit instead of a #VE. */
const PENDING_VE_DISABLE = 1;
/** Leaf number of TDG.MEM.PAGE.ACCEPT: a state that it may work on is one of a pending page. */
const ACCEPT_LEAF = 6;

export interface Translation {
  /** True if every entry on the way gives the rights. */
  readonly allowed: boolean;
  /** HPA of the byte; only if allowed. */
  readonly hpa: number;
  /** Rights (READ, WRITE, EXECUTE) that all entries on the way give. */
  readonly rights: number;
  /** The entry where the walk ended. */
  readonly lo: number;
  readonly hi: number;
  readonly level: number;
  /** The entry makes no sense to the processor; only in the host's tables. */
  readonly misconfigured: boolean;
}

/** Width of a GPA, shared bit included. */
export function gpaBits(call: Call, tdcs: number): number {
  return call.store.read(tdcs + TDCS_GPAW) !== 0 ? 52 : 48;
}

/** True if the shared bit, the topmost of the GPA's width, is set. */
export function isShared(call: Call, tdcs: number, gpa: number): boolean {
  return Math.floor(gpa / 2 ** (gpaBits(call, tdcs) - 1)) % 2 === 1;
}

function walk(
  call: Call,
  eptpLo: number,
  eptpHi: number,
  gpa: number,
  wanted: number,
  makesSense: (call: Call, lo: number, hi: number, level: number) => boolean,
): Translation {
  const { memory } = call;
  let table = (eptpHi & 0xf_ffff) * 0x1_0000_0000 + ((eptpLo & 0xffff_f000) >>> 0);
  let rights = SEPT_RWX;
  for (let level = (eptpLo >>> 3) & 7; ; level--) {
    const at = (table % call.platform.addressEnd) + (Math.floor(gpa / levelBytes(level)) % 512) * 8;
    const lo = memory.read32(at);
    const hi = memory.read32(at + 4);
    rights &= lo;
    const misconfigured = !makesSense(call, lo, hi, level);
    if (misconfigured || (lo & SEPT_RWX) === 0 || (lo & wanted) !== wanted) {
      return { allowed: false, hpa: 0, rights, lo, hi, level, misconfigured };
    }
    if (level === 0 || isLeaf({ lo })) {
      const size = levelBytes(level);
      const page = septHpa({ lo, hi });
      const hpa = page - (page % size) + (gpa % size);
      return { allowed: true, hpa, rights, lo, hi, level, misconfigured: false };
    }
    table = septHpa({ lo, hi });
  }
}

/** Through the Secure EPT. */
export function translatePrivate(call: Call, tdcs: number, gpa: number, wanted: number): Translation {
  const eptp = tdcs + TDCS_EPTP;
  return walk(call, call.store.read(eptp), call.store.read(eptp + 1), gpa, wanted, () => true);
}

/** Through the host's tables; they are of the same depth as the Secure EPT. */
function translateShared(call: Call, gpa: number, wanted: number): Translation {
  const { store, tdcs, vmcs } = call;
  const lo = (store.read(vmcs + VMCS_SHARED_EPTP) & 0xffff_f000) | (store.read(tdcs + TDCS_EPTP) & 0xfff);
  const found = walk(call, lo >>> 0, store.read(vmcs + VMCS_SHARED_EPTP + 1), gpa, wanted, makesSense);
  if (found.allowed && !isSharedHpa(call, found.hpa - (found.hpa % 4096), 4096)) {
    return { ...found, allowed: false, misconfigured: true };
  }
  return { ...found, hpa: found.hpa % 2 ** call.platform.addressBits };
}

/** True if a violation at the entry is a #VE: bit 63 does not count where it points to a table (SDM, "Convertible EPT Violations"). */
function isConvertible({ lo, hi, level }: Translation): boolean {
  const pointsToTable = (lo & SEPT_RWX) !== 0 && level > 0 && !isLeaf({ lo });
  return !pointsToTable && (hi & SEPT_SUPPRESS_VE) === 0;
}

/** True if the walk ended at a page that waits to be accepted. */
export function isPending(entry: { readonly lo: number; readonly hi: number }): boolean {
  return septStateAllowsGuestLeaf(ACCEPT_LEAF, septState(entry));
}

/** True if the TD wants a TD exit, not a #VE, for an access to a pending page. */
export function pendingMeansExit(call: Call): boolean {
  return (call.store.read(call.tdcs + TDCS_TD_CTLS) & PENDING_VE_DISABLE) !== 0;
}

/**
 * The HPA of a buffer of the guest's that a leaf reads (or, with `wanted` READ | WRITE, writes). An access that the guest
 * itself could not make ends the leaf: with #VE, or with a TD exit.
 * Errors: TDX_OPERAND_INVALID(operand) for an address that is too wide, or shared where only private ones are allowed.
 */
export function* guestBuffer(call: Call, register: number, wanted: number, onlyPrivate: boolean): Steps<number> {
  const gpa = call.num(register);
  yield "check the guest-physical address of the buffer";
  const width = Math.min(gpaBits(call, call.tdcs), call.platform.config.maxpa);
  if (gpa >= 2 ** width) fail(TDX_OPERAND_INVALID, register, `${hex(gpa)} is wider than ${width} bits`);
  const shared = isShared(call, call.tdcs, gpa);
  if (shared && onlyPrivate) fail(TDX_OPERAND_INVALID, register, `${hex(gpa)} is shared`);

  yield "translate it as the guest would";
  const found = shared ? translateShared(call, gpa, wanted) : translatePrivate(call, call.tdcs, gpa, wanted);
  const page = gpa - (gpa % 4096);
  if (found.misconfigured) {
    yield* tdExit(call, TDX_SUCCESS, Reason.EPT_MISCONFIGURATION, { gpa: page });
  }
  if (found.allowed) return found.hpa;

  yield "the access is an EPT violation";
  const qualification = (wanted & ~found.rights) | (found.rights << 3);
  const pending = !shared && isPending(found);
  if ((shared && isConvertible(found)) || (pending && !pendingMeansExit(call))) {
    injectVe(call, Reason.EPT_VIOLATION, BigInt(qualification), BigInt(gpa), 0n);
    yield* returnToGuest(call);
    endEntry();
  }
  const extended = pending ? BigInt(EXTENDED_PENDING) : 0n;
  return yield* tdExit(call, TDX_SUCCESS, Reason.EPT_VIOLATION, {
    qualification: BigInt(qualification),
    extended,
    gpa: page,
  });
}
