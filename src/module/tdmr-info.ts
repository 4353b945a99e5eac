/**
 * TDMR_INFO: how a host describes one TDMR to TDH.SYS.CONFIG, and the checks of a list of them. Values are the host's, any
 * 64 bits, so this cold code works with bigint.
 */
import {
  TDX_INVALID_PAMT,
  TDX_INVALID_RESERVED_IN_TDMR,
  TDX_INVALID_TDMR,
  TDX_NON_ORDERED_RESERVED_IN_TDMR,
  TDX_NON_ORDERED_TDMR,
  TDX_PAMT_OUTSIDE_CMRS,
  TDX_PAMT_OVERLAP,
  TDX_TDMR_OUTSIDE_CMRS,
} from "../arch/generated/status-codes.ts";
import type { MemoryRange } from "../platform/config.ts";
import { type Call, fail } from "./call.ts";
import { PAGE_BYTES, PAMT_ENTRY_BYTES, PG_1G, PG_2M, PG_4K } from "./pamt.ts";
import { MAX_RESERVED_AREAS } from "./sys.ts";

export interface Range {
  readonly base: bigint;
  readonly size: bigint;
}

export interface TdmrInfo extends Range {
  /** By page size: PG_4K, PG_2M, PG_1G. */
  readonly pamt: readonly [Range, Range, Range];
  /** All MAX_RESERVED_AREAS of them; the base is the offset in the TDMR, a size of 0 ends the list. */
  readonly reserved: readonly Range[];
}

const PAGE_4K = 1n << 12n;
const PAGE_1G = 1n << 30n;
const MAX_UINT64 = (1n << 64n) - 1n;
const RESERVED_AREAS_OFFSET = 64;

/** Reads the 320 bytes of a TDMR_INFO. */
export function readTdmrInfo(call: Call, hpa: number): TdmrInfo {
  const range = (offset: number): Range => ({
    base: call.memory.readBig(hpa + offset),
    size: call.memory.readBig(hpa + offset + 8),
  });
  return {
    ...range(0),
    pamt: [range(48), range(32), range(16)],
    reserved: Array.from({ length: MAX_RESERVED_AREAS }, (_, i) => range(RESERVED_AREAS_OFFSET + i * 16)),
  };
}

/** Bits 31:0 of the status: up to three numbers, a byte each. */
function detail(a: number, b = 0, c = 0): number {
  return (a & 0xff) | ((b & 0xff) << 8) | ((c & 0xff) << 16);
}

const end = (range: Range): bigint => range.base + range.size;
const wraps = (range: Range): boolean => end(range) > MAX_UINT64;
const overlap = (a: Range, b: Range): boolean => a.base < end(b) && b.base < end(a);
const aligned = (range: Range, to: bigint): boolean => range.base % to === 0n && range.size % to === 0n;

/** No KeyID bits and nothing above them, from the first byte to the last. */
function isPhysical(call: Call, range: Range): boolean {
  const limit = 1n << BigInt(call.platform.addressBits);
  const last = BigInt.asUintN(64, end(range) - 1n);
  return range.base < limit && last < limit;
}

/** Checks TDMR `index` by itself and against those before it. Bits 31:0 of a status name the TDMR and what is wrong in it. */
export function checkTdmr(call: Call, tdmrs: readonly TdmrInfo[], index: number): void {
  const tdmr = tdmrs[index] as TdmrInfo;
  const previous = tdmrs[index - 1];
  if (wraps(tdmr)) fail(TDX_INVALID_TDMR, detail(index));
  if (previous !== undefined && tdmr.base < end(previous)) fail(TDX_NON_ORDERED_TDMR, detail(index));
  if (!aligned(tdmr, PAGE_1G) || tdmr.size === 0n || !isPhysical(call, tdmr)) fail(TDX_INVALID_TDMR, detail(index));
  checkReservedAreas(tdmr, index);
  checkPamtAreas(call, tdmr, index);
  checkPamtOverlaps(tdmrs, index);
  checkPamtOutsideAvailable(tdmrs, index);
  for (const size of [PG_1G, PG_2M, PG_4K]) {
    if (!isConvertible(call, tdmr.pamt[size] as Range)) fail(TDX_PAMT_OUTSIDE_CMRS, detail(index, size));
  }
  for (const area of availableAreas(tdmr)) {
    if (!isConvertible(call, area)) fail(TDX_TDMR_OUTSIDE_CMRS, detail(index));
  }
}

function checkReservedAreas(tdmr: TdmrInfo, index: number): void {
  for (const [i, area] of tdmr.reserved.entries()) {
    const next = tdmr.reserved[i + 1];
    if (area.size === 0n) {
      if (next !== undefined && next.size !== 0n) fail(TDX_NON_ORDERED_RESERVED_IN_TDMR, detail(index, i));
      continue;
    }
    const previous = tdmr.reserved[i - 1];
    if (wraps(area)) fail(TDX_INVALID_RESERVED_IN_TDMR, detail(index, i));
    if (previous !== undefined && area.base < end(previous)) fail(TDX_NON_ORDERED_RESERVED_IN_TDMR, detail(index, i));
    if (!aligned(area, PAGE_4K) || end(area) > tdmr.size) fail(TDX_INVALID_RESERVED_IN_TDMR, detail(index, i));
  }
}

function checkPamtAreas(call: Call, tdmr: TdmrInfo, index: number): void {
  for (const size of [PG_1G, PG_2M, PG_4K]) {
    const area = tdmr.pamt[size] as Range;
    const needed = (tdmr.size / BigInt(PAGE_BYTES[size] as number)) * BigInt(PAMT_ENTRY_BYTES);
    if (wraps(area) || !aligned(area, PAGE_4K) || !isPhysical(call, area) || area.size < needed) {
      fail(TDX_INVALID_PAMT, detail(index, size));
    }
  }
}

/** PAMT areas may overlap neither those of TDMRs before nor each other. */
function checkPamtOverlaps(tdmrs: readonly TdmrInfo[], index: number): void {
  const { pamt } = tdmrs[index] as TdmrInfo;
  for (let other = 0; other < index; other++) {
    for (const size of [PG_4K, PG_2M, PG_1G]) {
      if ((tdmrs[other] as TdmrInfo).pamt.some((area) => overlap(area, pamt[size] as Range))) {
        fail(TDX_PAMT_OVERLAP, detail(index, size, other));
      }
    }
  }
  if (overlap(pamt[PG_4K], pamt[PG_2M]) || overlap(pamt[PG_4K], pamt[PG_1G])) {
    fail(TDX_PAMT_OVERLAP, detail(index, PG_4K, index));
  }
  if (overlap(pamt[PG_2M], pamt[PG_1G])) fail(TDX_PAMT_OVERLAP, detail(index, PG_2M, index));
}

/** A PAMT area may lie in a TDMR only where that one is reserved. */
function checkPamtOutsideAvailable(tdmrs: readonly TdmrInfo[], index: number): void {
  const check = (owner: number, other: number): void => {
    for (const size of [PG_4K, PG_2M, PG_1G]) {
      const area = (tdmrs[owner] as TdmrInfo).pamt[size] as Range;
      if (availableAreas(tdmrs[other] as TdmrInfo).some((available) => overlap(available, area))) {
        fail(TDX_PAMT_OVERLAP, detail(owner, size, other));
      }
    }
  };
  for (let other = 0; other <= index; other++) {
    check(index, other);
    if (other < index) check(other, index);
  }
}

/** The parts of a TDMR that are not reserved. */
function availableAreas(tdmr: TdmrInfo): Range[] {
  const areas: Range[] = [];
  let from = tdmr.base;
  for (const { base: offset, size } of tdmr.reserved) {
    if (size === 0n) break;
    if (tdmr.base + offset > from) areas.push({ base: from, size: tdmr.base + offset - from });
    from = tdmr.base + offset + size;
  }
  if (end(tdmr) > from) areas.push({ base: from, size: end(tdmr) - from });
  return areas;
}

/** True if the range lies in convertible memory: in one CMR, or in several that touch. */
function isConvertible(call: Call, range: Range): boolean {
  let start = 0n;
  let stop = 0n;
  for (const cmr of call.platform.config.cmrs as readonly MemoryRange[]) {
    if (cmr.size === 0) continue;
    if (BigInt(cmr.base) !== stop) start = BigInt(cmr.base);
    stop = BigInt(cmr.base) + BigInt(cmr.size);
    if (range.base >= start && end(range) <= stop) return true;
  }
  return false;
}
