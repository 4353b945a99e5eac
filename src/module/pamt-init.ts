/** The first contents of PAMT entries, written by TDH.SYS.TDMR.INIT. */
import { PT_NDA, PT_RSVD } from "../arch/generated/pamt-types.ts";
import type { Call } from "./call.ts";
import { PAGE_1G, PAGE_2M, PAGE_4K, PAMT_ENTRY_BYTES, setPageType } from "./pamt.ts";
import {
  SYS_HKID,
  TDMR_BASE,
  TDMR_NUM_RSVD,
  TDMR_PAMT_1G_BASE,
  TDMR_PAMT_2M_BASE,
  TDMR_PAMT_4K_BASE,
  TDMR_RSVD,
} from "./sys.ts";

const LINE_BYTES = 64;

/**
 * Initialises the entries of `pages` 4 KiB pages from `hpa` on, and those of the larger pages that end among them: free, or
 * PT_RSVD in the TDMR's reserved areas. `hpa` and `pages` are such that the 4 KiB entries fill whole pages of the PAMT.
 */
export function initPamt(call: Call, tdmr: number, hpa: number, pages: number): void {
  const { store, memory } = call;
  const offset = hpa - store.readNumber(tdmr + TDMR_BASE);
  const end = offset + pages * PAGE_4K;

  const entries = store.readNumber(tdmr + TDMR_PAMT_4K_BASE) + (offset / PAGE_4K) * PAMT_ENTRY_BYTES;
  for (let at = entries; at < entries + pages * PAMT_ENTRY_BYTES; at += PAGE_4K) {
    call.claimPage(at, store.read(call.sys + SYS_HKID));
    memory.zeroPage(at);
  }
  for (let i = 0; i < store.read(tdmr + TDMR_NUM_RSVD); i++) {
    const area = tdmr + TDMR_RSVD + i * 4;
    const from = store.readNumber(area);
    const to = from + store.readNumber(area + 2);
    for (let page = Math.max(from, offset); page < Math.min(to, end); page += PAGE_4K) {
      setPageType(call, memory.cell(entries + ((page - offset) / PAGE_4K) * PAMT_ENTRY_BYTES), PT_RSVD);
    }
  }
  initLarge(call, store.readNumber(tdmr + TDMR_PAMT_2M_BASE), Math.floor(offset / PAGE_2M), Math.floor(end / PAGE_2M));
  initLarge(call, store.readNumber(tdmr + TDMR_PAMT_1G_BASE), Math.floor(offset / PAGE_1G), Math.floor(end / PAGE_1G));
}

/** Entries `from` to `to` of an array at `base`. The module zeroes by cache lines of four entries, when it meets their first. */
function initLarge(call: Call, base: number, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const at = base + i * PAMT_ENTRY_BYTES;
    if (at % LINE_BYTES === 0) for (let word = 0; word < LINE_BYTES; word += 4) call.memory.write32(at + word, 0);
    else setPageType(call, call.memory.cell(at), PT_NDA);
  }
}
