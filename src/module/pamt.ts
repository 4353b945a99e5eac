/**
 * The physical address metadata table: for each TDMR three arrays of 16-byte entries, one entry a page of 1 GiB, 2 MiB and
 * 4 KiB, in memory that the host gave. A page is described by exactly one entry: the largest one whose type is PT_REG,
 * else the 4 KiB one.
 *
 * An entry's words: 0 page type, with bits 39:32 of the owner's page number in bits 15:8; 1 owner's page number, low half;
 * 2 BEPOCH; 3 lock (sharex with host priority, alone in its word).
 */

import { PT_NDA, PT_REG } from "../arch/generated/pamt-types.ts";
import { TDX_OPERAND_ADDR_RANGE_ERROR, TDX_PAGE_METADATA_INCORRECT } from "../arch/generated/status-codes.ts";
import { PAGE_SIZE } from "../arch/page.ts";
import { type Call, fail } from "./call.ts";
import { checkHpa } from "./hpa.ts";
import { EXCLUSIVE, SHARED } from "./lock-words.ts";
import { lockSharexHp, promoteLock } from "./locks.ts";
import type { Steps } from "./step.ts";
import {
  SYS_NUM_TDMRS,
  SYS_TDMRS,
  TDMR_BASE,
  TDMR_LAST_INITIALIZED,
  TDMR_PAMT_1G_BASE,
  TDMR_PAMT_2M_BASE,
  TDMR_PAMT_4K_BASE,
  TDMR_SIZE,
  TDMR_WORDS,
} from "./sys.ts";
import { hex, whyPage } from "./why.ts";

/** Page sizes, and levels of an S-EPT leaf. */
export const PG_4K = 0;
export const PG_2M = 1;
export const PG_1G = 2;

export const PAGE_4K = PAGE_SIZE;
export const PAGE_2M = 2 ** 21;
export const PAGE_1G = 2 ** 30;
/** Bytes of a page by size, and pages of 4 KiB in it. */
export const PAGE_BYTES = [PAGE_4K, PAGE_2M, PAGE_1G] as const;
export const SMALL_PAGES = [1, 2 ** 9, 2 ** 18] as const;

export const PAMT_ENTRY_BYTES = 16;
const PAMT_TYPE = 0;
const PAMT_OWNER_LO = 1;
const PAMT_BEPOCH = 2;
const PAMT_LOCK = 3;

/** A PAMT entry that was found: its first cell, and the size of the page that it describes. */
export interface PamtEntry {
  readonly cell: number;
  readonly size: number;
}

export function pageType(call: Call, entry: number): number {
  return call.store.read(entry + PAMT_TYPE) & 0xff;
}

/** HPA of the owner's TDR. */
export function pageOwner(call: Call, entry: number): number {
  const high = call.store.read(entry + PAMT_TYPE) >>> 8;
  return (high * 0x1_0000_0000 + call.store.read(entry + PAMT_OWNER_LO)) * PAGE_4K;
}

export function setPageType(call: Call, entry: number, type: number): void {
  call.store.write(entry + PAMT_TYPE, (call.store.read(entry + PAMT_TYPE) & ~0xff) | type);
}

export function setPageOwner(call: Call, entry: number, tdrHpa: number): void {
  const page = tdrHpa / PAGE_4K;
  call.store.write(entry + PAMT_TYPE, pageType(call, entry) | (Math.floor(page / 0x1_0000_0000) << 8));
  call.store.write(entry + PAMT_OWNER_LO, page >>> 0);
}

/** Gives a free page to a TD. An old epoch must not be taken for a blocking of it, hence BEPOCH 0. */
export function assignPage(call: Call, entry: number, type: number, tdrHpa: number): void {
  setPageType(call, entry, type);
  setPageOwner(call, entry, tdrHpa);
  setPageBepoch(call, entry, 0);
}

/** TD epoch at which the page was blocked. */
export function pageBepoch(call: Call, entry: number): number {
  return call.store.read(entry + PAMT_BEPOCH);
}

export function setPageBepoch(call: Call, entry: number, epoch: number): void {
  call.store.write(entry + PAMT_BEPOCH, epoch);
}

/** Cell of the lock of a PAMT entry. */
export function pamtLock(entry: number): number {
  return entry + PAMT_LOCK;
}

/** First cell of the TDMR that has `hpa` in an initialised GiB, or -1. TDMRs ascend by base. */
export function findTdmr(call: Call, hpa: number): number {
  const { store, sys } = call;
  let found = -1;
  const count = store.read(sys + SYS_NUM_TDMRS);
  for (let i = 0, tdmr = sys + SYS_TDMRS; i < count; i++, tdmr += TDMR_WORDS) {
    if (store.readNumber(tdmr + TDMR_BASE) > hpa) break;
    found = tdmr;
  }
  if (found < 0 || hpa >= store.readNumber(found + TDMR_BASE) + store.readNumber(found + TDMR_SIZE)) return -1;
  const gibs = (store.readNumber(found + TDMR_LAST_INITIALIZED) / PAGE_1G) | 0;
  return ((hpa / PAGE_1G) | 0) < gibs ? found : -1;
}

/** Shift of a page number by size. */
const PAGE_SHIFT = [0, 9, 18] as const;

/** Number of the page that has `hpa` in a TDMR that `findTdmr` found. Below 2^31: a TDMR has less than 8 TiB. */
function pageInTdmr(call: Call, tdmr: number, hpa: number): number {
  return ((hpa - call.store.readNumber(tdmr + TDMR_BASE)) / PAGE_4K) | 0;
}

/** HPA of the entry for the page of `size` that has page number `page` of the TDMR. */
function entryHpa(call: Call, tdmr: number, page: number, size: number): number {
  const base = size === PG_4K ? TDMR_PAMT_4K_BASE : size === PG_2M ? TDMR_PAMT_2M_BASE : TDMR_PAMT_1G_BASE;
  return call.store.readNumber(tdmr + base) + (page >> (PAGE_SHIFT[size] as number)) * PAMT_ENTRY_BYTES;
}

/** First cell of that entry. */
function entryOf(call: Call, tdmr: number, page: number, size: number): number {
  return call.memory.cell(entryHpa(call, tdmr, page, size));
}

/** Calls `visit` with the cell of each of the 512 entries of the next smaller size below a 2 MiB or 1 GiB page. They fill two pages of the PAMT. */
export function forEachChildEntry(call: Call, hpa: number, size: number, visit: (entry: number) => void): void {
  const tdmr = findTdmr(call, hpa);
  const first = entryHpa(call, tdmr, pageInTdmr(call, tdmr, hpa), size - 1);
  for (let page = 0; page < 2; page++) {
    const base = call.memory.cell(first + page * PAGE_4K);
    for (let i = 0; i < 256; i++) visit(base + i * (PAMT_ENTRY_BYTES / 4));
  }
}

/** True if all 512 small entries of a 2 MiB range are PT_NDA. A page of the PAMT that was never written has only those. */
function isRangeFree(call: Call, hpa: number): boolean {
  const tdmr = findTdmr(call, hpa);
  const first = entryHpa(call, tdmr, pageInTdmr(call, tdmr, hpa), PG_4K);
  for (let page = 0; page < 2; page++) {
    const base = call.memory.peek(first + page * PAGE_4K);
    if (base === 0) continue;
    for (let i = 0; i < 256; i++) if (pageType(call, base + i * (PAMT_ENTRY_BYTES / 4)) !== PT_NDA) return false;
  }
  return true;
}

/** First cell of the entry for a page that is known to be in the PAMT. */
export function implicitEntry(call: Call, hpa: number, size: number): number {
  const tdmr = findTdmr(call, hpa);
  return entryOf(call, tdmr, pageInTdmr(call, tdmr, hpa), size);
}

/**
 * Locks the path to a page's entry: larger sizes shared, the entry itself in `mode`. Ends at the first PT_REG entry on the
 * way down, else at `target`. A shared lock on a large entry that must be exclusive is promoted.
 * Errors: TDX_OPERAND_ADDR_RANGE_ERROR, TDX_OPERAND_BUSY.
 */
export function* walkPamt(call: Call, hpa: number, mode: number, target: number, operand: number): Steps<PamtEntry> {
  const tdmr = findTdmr(call, hpa);
  if (tdmr < 0) fail(TDX_OPERAND_ADDR_RANGE_ERROR, operand, `${hex(hpa)} is in no initialised GiB of a TDMR`);
  const page = pageInTdmr(call, tdmr, hpa);

  yield "lock the PAMT entry of the 1 GiB block (shared)";
  const entry1g = entryOf(call, tdmr, page, PG_1G);
  yield* lockSharexHp(call, pamtLock(entry1g), SHARED, operand);
  if (pageType(call, entry1g) === PT_REG || target === PG_1G) {
    if (mode === EXCLUSIVE) yield* promoteLock(call, pamtLock(entry1g), operand);
    return { cell: entry1g, size: PG_1G };
  }

  yield "lock the PAMT entry of the 2 MiB block (shared)";
  const entry2m = entryOf(call, tdmr, page, PG_2M);
  yield* lockSharexHp(call, pamtLock(entry2m), SHARED, operand);
  if (pageType(call, entry2m) === PT_REG || target === PG_2M) {
    if (mode === EXCLUSIVE) yield* promoteLock(call, pamtLock(entry2m), operand);
    return { cell: entry2m, size: PG_2M };
  }

  yield "lock the PAMT entry of the 4 KiB page";
  const entry4k = entryOf(call, tdmr, page, PG_4K);
  yield* lockSharexHp(call, pamtLock(entry4k), mode, operand);
  return { cell: entry4k, size: PG_4K };
}

/** Locks the entry of a page that the TD has, without a walk, in exclusive mode. Errors: TDX_OPERAND_BUSY. */
export function* lockImplicitPage(call: Call, hpa: number, size: number, operand: number): Steps<number> {
  const entry = implicitEntry(call, hpa, size);
  yield* lockSharexHp(call, pamtLock(entry), EXCLUSIVE, operand);
  return entry;
}

/** Makes 512 pages of one owner one page of `size`. Errors: TDX_OPERAND_BUSY. */
export function* promotePamt(call: Call, hpa: number, size: number, operand: number): Steps {
  const entry = implicitEntry(call, hpa, size);
  yield* lockSharexHp(call, pamtLock(entry), EXCLUSIVE, operand);
  let first = true;
  forEachChildEntry(call, hpa, size, (child) => {
    if (first) {
      setPageType(call, entry, pageType(call, child));
      setPageOwner(call, entry, pageOwner(call, child));
      first = false;
    }
    setPageType(call, child, PT_NDA);
  });
  call.release(pamtLock(entry));
}

/** Makes a page of `size` 512 pages of the same type and owner. Errors: TDX_OPERAND_BUSY. */
export function* demotePamt(call: Call, hpa: number, size: number, operand: number): Steps {
  const entry = implicitEntry(call, hpa, size);
  yield* lockSharexHp(call, pamtLock(entry), EXCLUSIVE, operand);
  const type = pageType(call, entry);
  const owner = pageOwner(call, entry);
  forEachChildEntry(call, hpa, size, (child) => assignPage(call, child, type, owner));
  setPageType(call, entry, PT_NDA);
  call.release(pamtLock(entry));
}

/**
 * Checks a page operand, locks its PAMT entry and checks its type and size.
 * Errors: TDX_OPERAND_INVALID, TDX_OPERAND_ADDR_RANGE_ERROR, TDX_OPERAND_BUSY, TDX_PAGE_METADATA_INCORRECT, all with `operand`.
 */
export function* lockPage(
  call: Call,
  hpa: number,
  size: number,
  mode: number,
  type: number,
  operand: number,
): Steps<PamtEntry> {
  yield "check the physical address";
  checkHpa(call, hpa, PAGE_BYTES[size] as number, operand);
  const entry = yield* walkPamt(call, hpa, mode, size, operand);
  yield "check the page's type and size in the PAMT";
  const found = pageType(call, entry.cell);
  if (entry.size !== size || found !== type) {
    fail(TDX_PAGE_METADATA_INCORRECT, operand, whyPage(hpa, found, entry.size, type, size));
  }
  return entry;
}

/** As `lockPage` for pages to be added: PT_NDA, exclusive; of a 2 MiB page all 512 small entries must be free too. */
export function* lockFreePage(call: Call, hpa: number, size: number, operand: number): Steps<PamtEntry> {
  const entry = yield* lockPage(call, hpa, size, EXCLUSIVE, PT_NDA, operand);
  if (size === PG_2M) {
    yield "check that all 4 KiB pages of the range are free";
    if (!isRangeFree(call, hpa)) {
      fail(TDX_PAGE_METADATA_INCORRECT, operand, `a 4 KiB page of the range at ${hex(hpa)} is in use`);
    }
  }
  return entry;
}
