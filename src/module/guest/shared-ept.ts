/** Entries of the EPT that the host keeps for shared memory: what the processor calls a misconfiguration (SDM volume 3, 29.3.3.1). */
import { PAGE_SIZE } from "../../arch/page.ts";
import type { Call } from "../call.ts";
import { isSharedHpa } from "../hpa.ts";
import { isLeaf, levelBytes, SEPT_RWX, septHpa } from "../sept-entry.ts";

const R = 1;
const W = 2;
/** Bits 7:3 of an entry that points to a table, and memory types of a page, that are reserved. */
const RESERVED_IN_TABLE = 0xf8;
const RESERVED_MEMORY_TYPES = 0b1000_1100;
/** Largest page: 1 GiB. */
const LAST_LEAF_LEVEL = 2;

/** False for an entry of `level` that the processor cannot use, whatever the access. The platform has execute-only pages. */
export function makesSense(call: Call, lo: number, hi: number, level: number): boolean {
  if ((lo & (R | W)) === W) return false;
  if ((lo & SEPT_RWX) === 0) return true;
  const hpa = septHpa({ lo, hi });
  if (level === 0 || (isLeaf({ lo }) && level <= LAST_LEAF_LEVEL)) {
    const type = (lo >>> 3) & 7;
    return ((RESERVED_MEMORY_TYPES >>> type) & 1) === 0 && hpa % levelBytes(level) === 0;
  }
  return (lo & RESERVED_IN_TABLE) === 0 && isSharedHpa(call, hpa, PAGE_SIZE);
}
