/**
 * The entry of an L2 VM's Secure EPT. It lies where the entry for the same GPA lies in the TD's own S-EPT (L1), and that one
 * has an alias bit for each VM whose entry is not free (bits 60:58). Bits: R 0, W 1, X 2, memory type 5:3, IPAT 6, PS 7, XU 10,
 * HPA 51:12, TDB 55, VGP 57, PWA 58, SSS 60, suppress #VE 63. A blocked leaf has RWX and XU clear and keeps them: R, X, XU in
 * the memory type's bits, W in bit 59.
 *
 * States: L2_FREE; L2_NL_MAPPED, L2_NL_BLOCKED (a table); L2_MAPPED, L2_BLOCKED (the page that the L1 entry maps; a page that
 * waits for its acceptance is blocked for the L2 VMs).
 */
import { RCX, RDX } from "../arch/registers.ts";
import type { Call } from "./call.ts";
import {
  SEPT_IPAT,
  SEPT_MT_MASK,
  SEPT_MT_WB,
  SEPT_PS,
  SEPT_RWX,
  SEPT_SUPPRESS_VE,
  SEPT_TDB,
  type SeptEntry,
} from "./sept-entry.ts";

// Low word.
const R = 1 << 0;
const W = 1 << 1;
const X = 1 << 2;
const SAVED_R = 1 << 3;
const SAVED_X = 1 << 4;
const SAVED_XU = 1 << 5;
const XU = 1 << 10;
const ACCESS = SEPT_RWX | XU;
const HPA_LO = 0xffff_f000;

// High word.
const HPA_HI = 0x000f_ffff;
const VGP = 1 << 25;
const PWA = 1 << 26;
const SAVED_W = 1 << 27;
const SSS = 1 << 28;

// Attributes of a page in one VM, as hosts and guests read and write them.
export const ATTR_R = 1 << 0;
export const ATTR_W = 1 << 1;
export const ATTR_XS = 1 << 2;
export const ATTR_XU = 1 << 3;
export const ATTR_VGP = 1 << 4;
export const ATTR_PWA = 1 << 5;
export const ATTR_SSS = 1 << 6;
export const ATTR_SVE = 1 << 7;
export const ATTR_RESERVED = 0x7f00;
export const ATTR_VALID = 1 << 15;
/** With none of these there is no mapping. */
export const ATTR_PRESENT = ATTR_R | ATTR_W | ATTR_XS | ATTR_XU;

/** What a leaf reports as the state of an entry, by TDB, IPAT, PS and R (bits 0 to 3); others 0. */
const reportedStates: Readonly<Record<number, number>> = { 0: 64, 1: 193, 6: 68, 7: 65, 8: 196 };

type Words = { lo: number; hi: number };

function set(entry: Words, lo: number, hi: number): void {
  entry.lo = lo >>> 0;
  entry.hi = hi >>> 0;
}

export function isL2Free({ lo, hi }: Words): boolean {
  return (lo & (R | SEPT_IPAT | SEPT_PS)) === 0 && (hi & SEPT_TDB) === 0;
}

function isL2Leaf({ lo }: Words): boolean {
  return (lo & SEPT_PS) !== 0;
}

function isBlockedLeaf({ lo, hi }: Words): boolean {
  return (lo & SEPT_IPAT) !== 0 && (lo & SEPT_PS) !== 0 && (hi & SEPT_TDB) !== 0;
}

/** Writes the copy to memory. */
export function writeL2Entry(call: Call, entry: SeptEntry): void {
  call.store.write(entry.cell, entry.lo);
  call.store.write(entry.cell + 1, entry.hi);
}

export function freeL2Entry(entry: Words): void {
  set(entry, 0, 0);
}

/** Makes the entry point to the table at `hpa`. */
export function setL2NonLeaf(entry: Words, hpa: number): void {
  set(entry, (hpa >>> 0) | ACCESS, Math.floor(hpa / 0x1_0000_0000));
}

/** `keepW`: W was saved by a blocking for writing already. */
export function blockL2(entry: Words, keepW: boolean): void {
  let { lo, hi } = entry;
  if (isL2Leaf(entry)) {
    lo &= ~SEPT_MT_MASK;
    lo |= (lo & R ? SAVED_R : 0) | (lo & X ? SAVED_X : 0) | (lo & XU ? SAVED_XU : 0);
    if (!keepW) hi = (hi & ~SAVED_W) | (lo & W ? SAVED_W : 0);
  } else {
    lo &= ~SEPT_IPAT;
  }
  set(entry, lo & ~ACCESS, hi | SEPT_TDB);
}

/** Undoes `blockL2`; an entry that is not blocked stays as it is. */
export function unblockL2(entry: Words): void {
  const { lo, hi } = entry;
  if (isBlockedLeaf(entry)) {
    const access = (lo & SAVED_R ? R : 0) | (hi & SAVED_W ? W : 0) | (lo & SAVED_X ? X : 0) | (lo & SAVED_XU ? XU : 0);
    set(entry, (lo & ~(ACCESS | SEPT_MT_MASK)) | access | SEPT_MT_WB, hi & ~(SEPT_TDB | SAVED_W));
  } else if ((hi & SEPT_TDB) !== 0 && (lo & (R | SEPT_IPAT | SEPT_PS)) === 0) {
    set(entry, (lo & ~SEPT_MT_MASK) | ACCESS, hi & ~(SEPT_TDB | SAVED_W));
  }
}

/** Makes the entry a leaf that maps the page at `hpa` with these attributes; blocked while the page waits for its acceptance. */
export function setL2Leaf(entry: Words, attributes: number, hpa: number, isBlocked: boolean): void {
  const kept = entry.lo & ~(ACCESS | SEPT_MT_MASK | HPA_LO);
  const lo = kept | SEPT_MT_WB | SEPT_IPAT | SEPT_PS | (hpa >>> 0);
  set(entry, lo, (entry.hi & ~(HPA_HI | SEPT_TDB | SAVED_W)) | Math.floor(hpa / 0x1_0000_0000));
  setL2Attributes(entry, attributes);
  if (isBlocked) blockL2(entry, false);
}

/** Changes the attributes of a leaf. */
export function setL2Attributes(entry: Words, attributes: number): void {
  const wasBlocked = isBlockedLeaf(entry);
  const lo =
    (attributes & ATTR_R ? R : 0) |
    (attributes & ATTR_W ? W : 0) |
    (attributes & ATTR_XS ? X : 0) |
    (attributes & ATTR_XU ? XU : 0);
  const hi =
    (attributes & ATTR_VGP ? VGP : 0) |
    (attributes & ATTR_PWA ? PWA : 0) |
    (attributes & ATTR_SSS ? SSS : 0) |
    (attributes & ATTR_SVE ? SEPT_SUPPRESS_VE : 0);
  set(entry, (entry.lo & ~ACCESS) | lo, (entry.hi & ~(VGP | PWA | SSS | SEPT_SUPPRESS_VE)) | hi);
  if (wasBlocked) blockL2(entry, false);
}

/** Attributes of the page in the entry's VM. `keptW`: the L1 entry is blocked for writing. */
export function l2Attributes(entry: Words, keptW: boolean): number {
  const { lo, hi } = entry;
  if (isL2Free(entry)) return hi & SEPT_SUPPRESS_VE ? ATTR_SVE : 0;
  if (!isL2Leaf(entry)) return ATTR_PRESENT | ATTR_VALID;
  const blocked = isBlockedLeaf(entry);
  const bits = blocked && !keptW ? [SAVED_R, SAVED_X, SAVED_XU] : [R, X, XU];
  const [r = 0, x = 0, xu = 0] = bits;
  return (
    ATTR_VALID |
    (lo & r ? ATTR_R : 0) |
    ((blocked ? hi & SAVED_W : lo & W) ? ATTR_W : 0) |
    (lo & x ? ATTR_XS : 0) |
    (lo & xu ? ATTR_XU : 0) |
    (hi & VGP ? ATTR_VGP : 0) |
    (hi & PWA ? ATTR_PWA : 0) |
    (hi & SSS ? ATTR_SSS : 0) |
    (hi & SEPT_SUPPRESS_VE ? ATTR_SVE : 0)
  );
}

/**
 * Reports the entry of VM `vm` in RCX and RDX, as sept.ts does an L1 entry. What a VM may do with a page is told of debuggable
 * TDs only.
 */
export function reportL2Entry(call: Call, entry: SeptEntry, vm: number, isDebug: boolean): void {
  const { lo, hi } = entry;
  if (isL2Free(entry)) {
    call.set(RCX, 0, SEPT_SUPPRESS_VE);
  } else if (!isL2Leaf(entry)) {
    call.set(RCX, lo & (ACCESS | SEPT_PS), 0);
  } else {
    const leafLo = SEPT_MT_MASK | HPA_LO | SEPT_IPAT | SEPT_PS;
    const leafHi = HPA_HI | SEPT_SUPPRESS_VE;
    if (isDebug) call.set(RCX, lo & (leafLo | ACCESS), hi & (leafHi | VGP | PWA | SSS));
    else call.set(RCX, (lo & leafLo) | (isBlockedLeaf(entry) ? 0 : ACCESS), hi & leafHi);
  }
  const encoding = (hi & SEPT_TDB ? 1 : 0) | (lo & SEPT_IPAT ? 2 : 0) | (lo & SEPT_PS ? 4 : 0) | (lo & R ? 8 : 0);
  call.set(RDX, entry.level | ((reportedStates[encoding] ?? 0) << 8) | (vm << 16), 0);
}
