/**
 * Walks of a TD's Secure EPT and locks of its entries. The tree's own lock (TDCS.SECURE_EPT_LOCK) is shared by leaves that
 * change one entry under that entry's lock, and exclusive for those that change the shape of the tree.
 */

import { OPERAND_SEPT_TREE } from "../arch/generated/operand-ids.ts";
import { septStateAllowsHostLeaf } from "../arch/generated/sept-states.ts";
import {
  TDX_EPT_ENTRY_NOT_PRESENT,
  TDX_EPT_ENTRY_STATE_INCORRECT,
  TDX_EPT_WALK_FAILED,
  TDX_OPERAND_BUSY,
  TDX_OPERAND_BUSY_HOST_PRIORITY,
  TDX_OPERAND_INVALID,
} from "../arch/generated/status-codes.ts";
import { RCX, RDX } from "../arch/registers.ts";
import { type Call, fail } from "./call.ts";
import { TDCS_EPTP, TDCS_GPAW, TDCS_SECURE_EPT_LOCK } from "./layout.ts";
import { HELD_SEPT_ENTRY, SHARED } from "./lock-words.ts";
import { lockSharex } from "./locks.ts";
import { implicitEntry, PG_4K } from "./pamt.ts";
import {
  isLeaf,
  leafHpa,
  levelBytes,
  readSeptEntry,
  SEPT_HOST_LOCK,
  SEPT_HOST_PRIORITY,
  SEPT_PS,
  SEPT_RWX,
  type SeptEntry,
  septHpa,
  septState,
} from "./sept-entry.ts";
import { clearReport, failWithEntry } from "./sept-report.ts";
import type { Steps } from "./step.ts";
import { checkStateAndLockTdcs, lockTdr } from "./td.ts";
import { hex } from "./why.ts";

/** HPA bits of an entry, low and high word. */
const HPA_LO = 0xffff_f000;
const HPA_HI = 0x000f_ffff;

/** What a GPA-and-level operand may hold: level in bits 2:0, GPA in bits 51:12, all else zero. */
const LEVEL_MASK = 7;
const PAGE_INFO_RESERVED_LO = 0xff8;
const PAGE_INFO_RESERVED_HI = 0xfff0_0000;

/**
 * Address bits that must be zero by level, low and high half. By the specification that of level 4 is aligned to 2^48, but the
 * recorded module computes the address in a 40-bit field and so lets bits 47:40 pass.
 */
const UNALIGNED_LO = [0xfff, 0x1f_ffff, 0x3fff_ffff, 0xffff_ffff, 0xffff_ffff] as const;
const UNALIGNED_HI = [0, 0, 0, 0x7f, 0xff] as const;

/** GPA and level of a register that holds both: checked for reserved bits, level range and alignment to the level. */
export function checkGpaAndLevel(
  call: Call,
  register: number,
  minLevel: number,
  maxLevel: number,
): { gpa: number; level: number } {
  const lo = call.lo(register);
  const hi = call.hi(register);
  const level = lo & LEVEL_MASK;
  if (
    (lo & PAGE_INFO_RESERVED_LO) !== 0 ||
    (hi & PAGE_INFO_RESERVED_HI) !== 0 ||
    level < minLevel ||
    level > maxLevel ||
    ((lo - level) & (UNALIGNED_LO[level] as number)) !== 0 ||
    (hi & (UNALIGNED_HI[level] as number)) !== 0
  ) {
    const given = `GPA ${hex(call.num(register) - level)} with level ${level}`;
    fail(TDX_OPERAND_INVALID, register, `${given}: it must be aligned, with level ${minLevel} to ${maxLevel}`);
  }
  return { gpa: hi * 0x1_0000_0000 + (lo - level), level };
}

/** True if `gpa` is a private address of the TD: below the shared bit, which is bit 47 or, with GPAW, bit 51. */
export function isPrivateGpa(call: Call, tdcs: number, gpa: number): boolean {
  const end = call.store.read(tdcs + TDCS_GPAW) !== 0 ? 2 ** 51 : 2 ** 47;
  return gpa < end && gpa < call.platform.keyedAddressEnd;
}

/** Level of the entries of the root table: 3, or 4 with 5-level paging. */
export function rootLevel(call: Call, tdcs: number): number {
  return (call.store.read(tdcs + TDCS_EPTP) >>> 3) & 7;
}

/** Walks from the root towards `level`; stops before it at an entry that maps nothing or a page. */
export function walkSept(call: Call, tdcs: number, gpa: number, level: number): SeptEntry {
  const { store, memory } = call;
  const eptpLo = store.read(tdcs + TDCS_EPTP);
  const gpaLo = gpa >>> 0;
  const gpaHi = Math.floor(gpa / 0x1_0000_0000);
  let table = store.read(tdcs + TDCS_EPTP + 1) * 0x1_0000_0000 + ((eptpLo & 0xffff_f000) >>> 0);
  for (let at = rootLevel(call, tdcs); ; at--) {
    const cell = memory.cell(table) + indexAt(gpaLo, gpaHi, at) * 2;
    const lo = store.read(cell);
    const hi = store.read(cell + 1);
    if (at === level || (lo & SEPT_RWX) === 0 || (lo & SEPT_PS) !== 0) return { cell, level: at, lo, hi };
    table = (hi & HPA_HI) * 0x1_0000_0000 + ((lo & HPA_LO) >>> 0);
  }
}

/** Walks from a root table, whose entries are of level `from`; stops at the first entry of which `isEnd` is true. */
export function walkTables(
  call: Call,
  root: number,
  from: number,
  gpa: number,
  level: number,
  isEnd: (lo: number, hi: number) => boolean,
): SeptEntry {
  const gpaLo = gpa >>> 0;
  const gpaHi = Math.floor(gpa / 0x1_0000_0000);
  let table = root;
  for (let at = from; ; at--) {
    const cell = call.memory.cell(table) + indexAt(gpaLo, gpaHi, at) * 2;
    const entry: SeptEntry = { cell, level: at, lo: call.store.read(cell), hi: call.store.read(cell + 1) };
    if (at === level || isEnd(entry.lo, entry.hi)) return entry;
    table = septHpa(entry);
  }
}

/** Index of a GPA's entry in the table of a level: nine address bits, from bit 12 + 9 * level on. */
function indexAt(lo: number, hi: number, level: number): number {
  if (level < 2) return (lo >>> (12 + 9 * level)) & 0x1ff;
  if (level === 2) return ((lo >>> 30) | (hi << 2)) & 0x1ff;
  return (hi >>> (9 * level - 20)) & 0x1ff;
}

/** A mapped byte of a TD: the S-EPT leaf that maps its page, and its HPA. */
export interface MappedByte {
  readonly entry: SeptEntry;
  readonly hpa: number;
}

/**
 * Walks to the page, of any size, that maps a private GPA. Takes no lock.
 * Errors: TDX_OPERAND_INVALID; TDX_EPT_ENTRY_NOT_PRESENT, with the entry where the walk ended in RCX and RDX.
 */
export function walkToMappedPage(call: Call, tdcs: number, gpa: number, operand: number): MappedByte {
  if (!isPrivateGpa(call, tdcs, gpa)) fail(TDX_OPERAND_INVALID, operand, `GPA ${hex(gpa)} is not private`);
  const entry = walkSept(call, tdcs, gpa, 0);
  if (!isLeaf(entry) || (entry.lo & SEPT_RWX) === 0) failWithEntry(call, entry, TDX_EPT_ENTRY_NOT_PRESENT, operand);
  const inPage = gpa % levelBytes(entry.level);
  const page = septHpa(entry);
  return { entry, hpa: page - (page % levelBytes(entry.level)) + inPage };
}

/** Checks the GPA, locks the S-EPT tree in `mode` and walks. Errors: TDX_OPERAND_INVALID, TDX_OPERAND_BUSY(SEPT_TREE). */
function* lockSeptAndWalk(
  call: Call,
  tdcs: number,
  gpa: number,
  level: number,
  mode: number,
  operand: number,
): Steps<SeptEntry> {
  yield "check that the GPA is private";
  if (!isPrivateGpa(call, tdcs, gpa)) fail(TDX_OPERAND_INVALID, operand, `GPA ${hex(gpa)} is not private`);
  yield "lock the S-EPT tree";
  yield* lockSharex(call, tdcs + TDCS_SECURE_EPT_LOCK, mode, OPERAND_SEPT_TREE);
  yield "walk the S-EPT";
  return walkSept(call, tdcs, gpa, level);
}

/** As above, to an entry of exactly `level`; else TDX_EPT_WALK_FAILED, with the entry where the walk ended in RCX and RDX. */
export function* lockSeptAndWalkToLevel(
  call: Call,
  tdcs: number,
  gpa: number,
  level: number,
  mode: number,
  operand: number,
): Steps<SeptEntry> {
  const entry = yield* lockSeptAndWalk(call, tdcs, gpa, level, mode, operand);
  if (entry.level !== level) failWithEntry(call, entry, TDX_EPT_WALK_FAILED, operand);
  return entry;
}

/** Tries to take an entry's lock as a host. False if somebody has it; then the host has priority over guests from now on. */
export function takeSeptEntryLock(call: Call, entry: SeptEntry): boolean {
  const { store } = call;
  const lo = store.read(entry.cell);
  const hi = store.read(entry.cell + 1);
  if ((lo & SEPT_HOST_LOCK) !== 0) {
    store.write(entry.cell + 1, hi | SEPT_HOST_PRIORITY);
    call.refused = entry.cell;
    return false;
  }
  if ((hi & SEPT_HOST_PRIORITY) !== 0) store.write(entry.cell + 1, hi & ~SEPT_HOST_PRIORITY);
  if (!call.atomic) store.write(entry.cell, lo | SEPT_HOST_LOCK);
  call.hold(entry.cell, HELD_SEPT_ENTRY);
  return true;
}

/** Locks an entry as a host; the copy is read again. Errors: TDX_OPERAND_BUSY, with the entry in RCX and RDX. */
export function* lockSeptEntry(call: Call, entry: SeptEntry, operand: number): Steps {
  if (!takeSeptEntryLock(call, entry)) failWithEntry(call, entry, TDX_OPERAND_BUSY, operand);
  yield "the S-EPT entry is locked";
  readSeptEntry(call, entry);
}

/** Locks an entry for a guest: it fails while the host has priority, even if the entry is free. Returns the busy status or 0. */
export function tryLockSeptEntryAsGuest(call: Call, entry: SeptEntry): number {
  const { store } = call;
  if ((store.read(entry.cell) & SEPT_HOST_LOCK) !== 0 || call.holds(entry.cell) >= 0) {
    call.refused = entry.cell;
    return TDX_OPERAND_BUSY;
  }
  if ((store.read(entry.cell + 1) & SEPT_HOST_PRIORITY) !== 0) return TDX_OPERAND_BUSY_HOST_PRIORITY;
  if (!call.atomic) store.write(entry.cell, store.read(entry.cell) | SEPT_HOST_LOCK);
  call.hold(entry.cell, HELD_SEPT_ENTRY);
  readSeptEntry(call, entry);
  return 0;
}

/** As a highest level: that of the root's entries. */
export const ROOT_LEVEL = -1;

/** A TD whose TDR and operation state the leaf has locked. */
export interface LockedTd {
  readonly tdr: number;
  readonly tdcs: number;
}

/** That, and one of its S-EPT entries, locked too. */
export interface LockedSeptEntry extends LockedTd {
  readonly gpa: number;
  readonly entry: SeptEntry;
}

/**
 * What most leaves of the S-EPT begin with: RCX and RDX, which report an entry that makes a leaf fail, become 0; the TDR that
 * RDX names (`tdrHpa`, where it holds flags too) and the operation state are locked shared.
 * Errors: those of `lockTdr` and `checkStateAndLockTdcs`.
 */
export function* lockTd(call: Call, tdrHpa = call.num(RDX)): Steps<LockedTd> {
  clearReport(call);
  yield "lock the TDR (shared)";
  const tdr = yield* lockTdr(call, RDX, SHARED, tdrHpa);
  const tdcs = yield* checkStateAndLockTdcs(call, tdr, SHARED);
  return { tdr, tdcs };
}

/**
 * What they go on with: the GPA and level in RCX are checked, the S-EPT tree is locked in `treeMode`, and the entry.
 * Errors: those of `checkGpaAndLevel`, `lockSeptAndWalkToLevel` and `lockSeptEntry`.
 */
export function* lockEntryOfTd(
  call: Call,
  td: LockedTd,
  minLevel: number,
  maxLevel: number,
  treeMode: number,
): Steps<LockedSeptEntry> {
  const { tdr, tdcs } = td;
  yield "check the GPA and the level";
  const max = maxLevel === ROOT_LEVEL ? rootLevel(call, tdcs) : maxLevel;
  const { gpa, level } = checkGpaAndLevel(call, RCX, minLevel, max);

  yield "lock the S-EPT tree and walk to the entry";
  const entry = yield* lockSeptAndWalkToLevel(call, tdcs, gpa, level, treeMode, RCX);
  yield "lock the S-EPT entry";
  yield* lockSeptEntry(call, entry, RCX);
  return { tdr, tdcs, gpa, entry };
}

/** Both. */
export function* lockTdAndSeptEntry(
  call: Call,
  minLevel: number,
  maxLevel: number,
  treeMode: number,
  tdrHpa = call.num(RDX),
): Steps<LockedSeptEntry> {
  const td = yield* lockTd(call, tdrHpa);
  return yield* lockEntryOfTd(call, td, minLevel, maxLevel, treeMode);
}

/** PAMT entry of what an entry maps: a page, or the next table. */
export function mappedPage(call: Call, entry: SeptEntry): number {
  return isLeaf(entry) ? implicitEntry(call, leafHpa(entry), entry.level) : implicitEntry(call, septHpa(entry), PG_4K);
}

/** Errors: TDX_EPT_ENTRY_STATE_INCORRECT, with the entry in RCX and RDX. */
export function checkSeptStateAllowsLeaf(call: Call, entry: SeptEntry, operand: number): void {
  if (!septStateAllowsHostLeaf(call.leaf, septState(entry))) {
    failWithEntry(call, entry, TDX_EPT_ENTRY_STATE_INCORRECT, operand);
  }
}
