/**
 * The 64-bit Secure EPT entry. Bits: R 0, W 1, X 2, memory type 5:3, IPAT 6, PS 7, guest-side lock 8, D 9, XU 10, host-side
 * lock 11, HPA 51:12 (of a pending 2 MiB leaf bits 20:12 count accepted 4 KiB pages), host priority 52, TDEX 53, TDBW 54,
 * TDB 55, TDP 56, suppress #VE 63. The state is the combination of D, TDEX, TDBW, TDB, TDP, IPAT and PS.
 *
 * States of an entry (arch: sept-states.json) and what is mapped by them:
 * - SEPT_FREE: nothing; no page, no table below.
 * - SEPT_NL_MAPPED, SEPT_NL_BLOCKED: a table (PT_EPT); blocked: no new translation is made through it.
 * - SEPT_MAPPED, SEPT_BLOCKED: a PT_REG page that the guest has accepted or that was added before finalisation.
 * - SEPT_PENDING, SEPT_PENDING_BLOCKED: a PT_REG page that the guest has not accepted yet; RWX are clear.
 * - the others belong to live migration.
 * A blocked entry goes back by an unblock, or is removed once TLB tracking has shown that no LP can use it any more.
 */
import {
  SEPT_ANY_BLOCKEDW_STATES,
  SEPT_ANY_PENDING_AND_GUEST_ACCEPTABLE_STATES,
  SEPT_ANY_PENDING_STATES,
  SEPT_BLOCKED,
  SEPT_EXPORTED_DIRTY,
  SEPT_FREE,
  SEPT_MAPPED,
  SEPT_NL_BLOCKED,
  SEPT_NL_MAPPED,
  SEPT_PENDING,
  SEPT_PENDING_BLOCKED,
  SEPT_PENDING_BLOCKEDW,
  SEPT_STATES,
} from "../arch/generated/sept-states.ts";
import type { Call } from "./call.ts";

const LEVEL_BYTES = [2 ** 12, 2 ** 21, 2 ** 30, 2 ** 39, 2 ** 48] as const;

/** Bytes that an entry of a level covers. */
export function levelBytes(level: number): number {
  return LEVEL_BYTES[level] as number;
}

/** An entry that a walk found: its place, level, and its two words as they were read. */
export interface SeptEntry {
  /** Cell of the low word; the high word is the next one. */
  readonly cell: number;
  /** Level of the table that it lies in: 0 maps 4 KiB, 1 maps 2 MiB or a table of level 0, … */
  readonly level: number;
  lo: number;
  hi: number;
}

// Low word.
export const SEPT_RWX = 0b111;
export const SEPT_MT_WB = 6 << 3;
export const SEPT_MT_MASK = 7 << 3;
export const SEPT_IPAT = 1 << 6;
export const SEPT_PS = 1 << 7;
export const SEPT_D = 1 << 9;
export const SEPT_HOST_LOCK = 1 << 11;
/** HPA bits of the low word. */
const SEPT_HPA_LO = 0xffff_f000;
/** Accepted pages of a pending 2 MiB leaf, bits 20:12. */
export const SEPT_ACCEPT_COUNTER = 0x1ff << 12;

// High word.
/** HPA bits 51:32. */
const SEPT_HPA_HI = 0x000f_ffff;
export const SEPT_HOST_PRIORITY = 1 << 20;
export const SEPT_TDEX = 1 << 21;
export const SEPT_TDBW = 1 << 22;
export const SEPT_TDB = 1 << 23;
export const SEPT_TDP = 1 << 24;
export const SEPT_SUPPRESS_VE = 0x8000_0000;

const STATE_LO = SEPT_D | SEPT_IPAT | SEPT_PS;
const STATE_HI = SEPT_TDEX | SEPT_TDBW | SEPT_TDB | SEPT_TDP;

/** State bits of each state, by its index. */
const stateLo: number[] = [];
const stateHi: number[] = [];
/** Index of the state by the seven state bits in the order TDEX, TDBW, TDB, TDP, D, IPAT, PS from bit 0; -1: no such state. */
const stateOfBits = new Int8Array(128).fill(-1);

function stateBits(lo: number, hi: number): number {
  return ((hi >>> 21) & 0xf) | ((lo & SEPT_D) >>> 5) | ((lo & (SEPT_IPAT | SEPT_PS)) >>> 1);
}

for (const { index, bits } of SEPT_STATES) {
  stateLo[index] = (bits.D ? SEPT_D : 0) | (bits.IPAT_TDMEM ? SEPT_IPAT : 0) | (bits.PS ? SEPT_PS : 0);
  stateHi[index] =
    (bits.TDEX ? SEPT_TDEX : 0) | (bits.TDBW ? SEPT_TDBW : 0) | (bits.TDB ? SEPT_TDB : 0) | (bits.TDP ? SEPT_TDP : 0);
  stateOfBits[stateBits(stateLo[index], stateHi[index])] = index;
}
// D is the hardware's own in a mapped leaf: both values are SEPT_MAPPED.
for (const { index, name } of SEPT_STATES) {
  if (name === "SEPT_MAPPED")
    stateOfBits[stateBits((stateLo[index] as number) | SEPT_D, stateHi[index] as number)] = index;
}

/** Index of an entry's state in SEPT_STATES, or -1. */
export function septState(entry: { readonly lo: number; readonly hi: number }): number {
  return stateOfBits[stateBits(entry.lo, entry.hi)] as number;
}

/** Maps a page or is free for one: IPAT marks private memory, and a leaf has PS at every level. */
export function isLeaf(entry: { readonly lo: number }): boolean {
  return (entry.lo & SEPT_PS) !== 0;
}

/** Waits for the guest's acceptance. */
export function isAnyPending(entry: { readonly lo: number; readonly hi: number }): boolean {
  return ((SEPT_ANY_PENDING_STATES >>> septState(entry)) & 1) !== 0;
}

export function isBlockedForWriting(entry: { readonly lo: number; readonly hi: number }): boolean {
  return ((SEPT_ANY_BLOCKEDW_STATES >>> septState(entry)) & 1) !== 0;
}

/** HPA of the page or table below. */
export function septHpa(entry: { readonly lo: number; readonly hi: number }): number {
  return (entry.hi & SEPT_HPA_HI) * 0x1_0000_0000 + ((entry.lo & SEPT_HPA_LO) >>> 0);
}

/** Entries of a table. */
export const TABLE_ENTRIES = 512;

/** Index of the state of the entry at `cell`, as `septState`. */
export function septStateAt(call: Call, cell: number): number {
  const { store } = call;
  return stateOfBits[stateBits(store.read(cell), store.read(cell + 1))] as number;
}

/** HPA of the page that a leaf of level 0 to 2 maps: whatever else stands in the address bits of a large one is left out. */
export function leafHpa(entry: SeptEntry): number {
  const lo = entry.level === 2 ? 0xc000_0000 : entry.level === 1 ? 0xffe0_0000 : SEPT_HPA_LO;
  return (entry.hi & SEPT_HPA_HI) * 0x1_0000_0000 + ((entry.lo & lo) >>> 0);
}

// ---- changes of the copy ----

/** Replaces the state bits and sets suppress-#VE. */
function changeState(entry: SeptEntry, state: number): void {
  entry.lo = ((entry.lo & ~STATE_LO) | (stateLo[state] as number)) >>> 0;
  entry.hi = ((entry.hi & ~STATE_HI) | (stateHi[state] as number) | SEPT_SUPPRESS_VE) >>> 0;
}

/** Forgets how many small pages of a pending 2 MiB page the guest has accepted. */
export function clearAcceptCounter(entry: SeptEntry): void {
  const pending = (SEPT_ANY_PENDING_AND_GUEST_ACCEPTABLE_STATES >>> septState(entry)) & 1;
  if (pending !== 0 && entry.level === 1) entry.lo = (entry.lo & ~SEPT_ACCEPT_COUNTER) >>> 0;
}

/** Maps a pending page with all permissions: its guest has accepted it. */
export function accept(entry: SeptEntry): void {
  changeState(entry, septState(entry) === SEPT_PENDING ? SEPT_MAPPED : SEPT_EXPORTED_DIRTY);
  entry.lo = (entry.lo | SEPT_RWX) >>> 0;
}

/** Blocks an entry whose state TDH.MEM.RANGE.BLOCK allows: no translation is made through it any more. */
export function block(entry: SeptEntry): void {
  clearAcceptCounter(entry);
  const state = septState(entry);
  if (state === SEPT_PENDING || state === SEPT_PENDING_BLOCKEDW) {
    changeState(entry, SEPT_PENDING_BLOCKED);
  } else {
    changeState(entry, state === SEPT_NL_MAPPED ? SEPT_NL_BLOCKED : SEPT_BLOCKED);
    entry.lo = (entry.lo & ~SEPT_RWX) >>> 0; // implied by the state, so the unblocking knows them
  }
}

/** Undoes `block`; an entry that is not blocked stays as it is. */
export function unblock(entry: SeptEntry): void {
  const state = septState(entry);
  if (state === SEPT_NL_BLOCKED) {
    changeState(entry, SEPT_NL_MAPPED);
    entry.lo = ((entry.lo & ~SEPT_MT_MASK) | SEPT_RWX) >>> 0;
  } else if (state === SEPT_BLOCKED) {
    changeState(entry, SEPT_MAPPED);
    entry.lo = ((entry.lo & ~SEPT_MT_MASK) | SEPT_RWX | SEPT_MT_WB) >>> 0;
  } else if (state === SEPT_PENDING_BLOCKED) {
    changeState(entry, SEPT_PENDING);
  }
}

/** Makes a leaf map `hpa` instead; everything else stays. */
export function relocate(entry: SeptEntry, hpa: number): void {
  entry.lo = ((entry.lo & ~SEPT_HPA_LO) | (hpa >>> 0)) >>> 0;
  entry.hi = ((entry.hi & ~SEPT_HPA_HI) | Math.floor(hpa / 0x1_0000_0000)) >>> 0;
}

// ---- changes in memory ----

/**
 * Writes both words of an entry, and into the copy. While this call holds the entry's lock its bit stays set in memory; an
 * atomic call never shows it (nobody could see it, and the journal would keep it).
 */
export function writeSeptEntry(call: Call, entry: SeptEntry, lo: number, hi: number): void {
  entry.lo = lo >>> 0;
  entry.hi = hi >>> 0;
  const locked = !call.atomic && call.holds(entry.cell) >= 0;
  call.store.write(entry.cell, locked ? lo | SEPT_HOST_LOCK : lo);
  call.store.write(entry.cell + 1, hi);
}

/**
 * Reads the entry again, into the copy, without its lock bit. The host-priority flag is read like any other bit: a leaf
 * that writes the copy back keeps a flag that was set before it read, and drops one that was set after.
 */
export function readSeptEntry(call: Call, entry: SeptEntry): void {
  entry.lo = (call.store.read(entry.cell) & ~SEPT_HOST_LOCK) >>> 0;
  entry.hi = call.store.read(entry.cell + 1);
}

/** Makes the entry a leaf in `state` that maps `hpa` with `permissions` (RWX) and releases its lock with the same write. */
export function setLeafAndUnlock(call: Call, entry: SeptEntry, hpa: number, state: number, permissions: number): void {
  call.forget(entry.cell);
  setLeaf(call, entry, hpa, state, permissions);
}

/** Makes the entry a leaf in `state` that maps `hpa` with `permissions` (RWX). */
export function setLeaf(call: Call, entry: SeptEntry, hpa: number, state: number, permissions: number): void {
  const lo = (hpa >>> 0) | permissions | SEPT_MT_WB | SEPT_IPAT | (stateLo[state] as number);
  const hi = Math.floor(hpa / 0x1_0000_0000) | (stateHi[state] as number) | SEPT_SUPPRESS_VE;
  writeSeptEntry(call, entry, lo, hi);
}

/** Makes the entry point to the table at `hpa`. */
export function setNonLeaf(call: Call, entry: SeptEntry, hpa: number): void {
  const lo = (hpa >>> 0) | SEPT_RWX | (stateLo[SEPT_NL_MAPPED] as number);
  const hi = Math.floor(hpa / 0x1_0000_0000) | (stateHi[SEPT_NL_MAPPED] as number) | SEPT_SUPPRESS_VE;
  writeSeptEntry(call, entry, lo, hi);
}

/** Makes the entry free and releases its lock with the same write. */
export function setFreeAndUnlock(call: Call, entry: SeptEntry): void {
  call.forget(entry.cell);
  const [lo, hi] = freeEntryWords(SEPT_FREE);
  writeSeptEntry(call, entry, lo, hi);
}

/** Writes the copy unblocked and releases the entry's lock with the same write. */
export function setUnblockedAndUnlock(call: Call, entry: SeptEntry): void {
  call.forget(entry.cell);
  unblock(entry);
  writeSeptEntry(call, entry, entry.lo, entry.hi);
}

/** Makes the page at `hpa` an S-EPT page with free entries only. */
export function fillFreeTable(call: Call, hpa: number): void {
  const [lo, hi] = freeEntryWords(SEPT_FREE);
  call.store.fillBlock(call.memory.cell(hpa), lo, hi);
}

/** Words of a free entry, as a fresh S-EPT page is filled with. */
export function freeEntryWords(freeState: number): readonly [lo: number, hi: number] {
  return [stateLo[freeState] as number, ((stateHi[freeState] as number) | SEPT_SUPPRESS_VE) >>> 0];
}
