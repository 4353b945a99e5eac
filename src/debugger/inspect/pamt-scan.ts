/**
 * Reads the PAMT as an onlooker: takes no locks, gives no page a block, and skips memory that was never written, so that a
 * mostly empty PAMT of a terabyte is read in milliseconds.
 */
import { PT_NDA } from "../../arch/generated/pamt-types.ts";
import type { Machine } from "../../module/machine.ts";
import { PAGE_1G, PAGE_4K, PAGE_BYTES, PAMT_ENTRY_BYTES, PG_1G, PG_2M, PG_4K } from "../../module/pamt.ts";
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
} from "../../module/sys.ts";
import type { Memory } from "../../platform/memory.ts";
import { BLOCK_WORDS } from "../../state/store.ts";
import type { CellRange } from "./item.ts";

const PAMT_BASES = [TDMR_PAMT_4K_BASE, TDMR_PAMT_2M_BASE, TDMR_PAMT_1G_BASE] as const;
/** Words of an entry. */
export const ENTRY_WORDS = PAMT_ENTRY_BYTES / 4;
const ENTRIES_PER_PAGE = PAGE_4K / PAMT_ENTRY_BYTES;
const CHILDREN = 512;
/** Pages of the PAMT that the entries of 512 pages fill. */
const PAGES_OF_CHILDREN = CHILDREN / ENTRIES_PER_PAGE;

export interface Tdmr {
  readonly index: number;
  /** First cell of its entry in the module's table. */
  readonly cell: number;
  readonly base: number;
  readonly size: number;
  /** Address up to which the PAMT is initialised. */
  readonly initialized: number;
  /** HPA of its arrays by page size. */
  readonly pamt: readonly number[];
}

export interface PageEntry {
  /** HPA of the page. */
  readonly hpa: number;
  readonly size: number;
  readonly type: number;
  /** HPA of the owner's TDR, or 0. */
  readonly owner: number;
  readonly bepoch: number;
  /** First cell of the entry, or 0 if its page of the PAMT was never written. */
  readonly cell: number;
}

/** Neighbouring pages of one size, type and owner. */
export interface PageRun {
  readonly first: number;
  pages: number;
  readonly size: number;
  readonly type: number;
  readonly owner: number;
  readonly cells: CellRange[];
}

export function tdmrs(machine: Machine): Tdmr[] {
  const { store, sys } = machine;
  return Array.from({ length: store.read(sys + SYS_NUM_TDMRS) }, (_, index) => {
    const cell = sys + SYS_TDMRS + index * TDMR_WORDS;
    return {
      index,
      cell,
      base: store.readNumber(cell + TDMR_BASE),
      size: store.readNumber(cell + TDMR_SIZE),
      initialized: store.readNumber(cell + TDMR_LAST_INITIALIZED),
      pamt: PAMT_BASES.map((base) => store.readNumber(cell + base)),
    };
  });
}

/** One of a TDMR's arrays: that of the entries for pages of a size. */
export interface PamtArray {
  readonly size: number;
  /** HPA of the first entry, and how many there are. */
  readonly base: number;
  readonly entries: number;
}

/** The arrays that the TDMR has been given memory for. */
export function pamtArrays({ pamt, size: bytes }: Tdmr): PamtArray[] {
  return pamt
    .map((base, size) => ({ size, base, entries: bytes / (PAGE_BYTES[size] as number) }))
    .filter(({ base }) => base !== 0);
}

/** Whether an address lies in the pages that an array takes. */
export function isInArray({ base, entries }: PamtArray, hpa: number): boolean {
  return hpa >= base && hpa < base + Math.max(entries * PAMT_ENTRY_BYTES, PAGE_4K);
}

/** HPA of the entry for the page of `size` that has `hpa`. */
function entryHpa(tdmr: Tdmr, hpa: number, size: number): number {
  const index = Math.floor((hpa - tdmr.base) / (PAGE_BYTES[size] as number));
  return (tdmr.pamt[size] as number) + index * PAMT_ENTRY_BYTES;
}

function readEntry(machine: Machine, tdmr: Tdmr, hpa: number, size: number): PageEntry {
  const { store } = machine;
  const cell = machine.platform.memory.peek(entryHpa(tdmr, hpa, size));
  const page = hpa - (hpa % (PAGE_BYTES[size] as number));
  if (cell === 0) return { hpa: page, size, type: PT_NDA, owner: 0, bepoch: 0, cell };
  const word = store.read(cell);
  const owner = ((word >>> 8) * 0x1_0000_0000 + store.read(cell + 1)) * PAGE_4K;
  return { hpa: page, size, type: word & 0xff, owner, bepoch: store.read(cell + 2), cell };
}

/** The entry that describes the page with `hpa`; undefined outside the initialised part of all TDMRs. */
export function pageEntry(machine: Machine, all: readonly Tdmr[], hpa: number): PageEntry | undefined {
  const tdmr = all.find(({ base, size }) => hpa >= base && hpa < base + size);
  if (tdmr === undefined || hpa >= tdmr.initialized) return undefined;
  for (const size of [PG_1G, PG_2M]) {
    const entry = readEntry(machine, tdmr, hpa, size);
    if (entry.type !== PT_NDA) return entry;
  }
  return readEntry(machine, tdmr, hpa, PG_4K);
}

/** Every entry of a TDMR that is not free, in the order of addresses. */
export function* usedEntries(machine: Machine, tdmr: Tdmr): Generator<PageEntry> {
  const { store } = machine;
  const { memory } = machine.platform;
  const end = Math.min(tdmr.initialized, tdmr.base + tdmr.size);
  for (let block = tdmr.base; block < end; block += PAGE_1G) {
    const whole = readEntry(machine, tdmr, block, PG_1G);
    if (whole.type !== PT_NDA) {
      yield whole;
      continue;
    }
    const hasLarge = isWritten(memory, entryHpa(tdmr, block, PG_2M));
    for (let child = 0; child < CHILDREN; child++) {
      const range = block + child * (PAGE_BYTES[PG_2M] as number);
      const large = hasLarge ? readEntry(machine, tdmr, range, PG_2M) : undefined;
      if (large !== undefined && large.type !== PT_NDA) {
        yield large;
        continue;
      }
      const first = entryHpa(tdmr, range, PG_4K);
      for (let page = 0; page < PAGES_OF_CHILDREN; page++) {
        const cell = memory.peek(first + page * PAGE_4K);
        if (cell === 0) continue;
        const words = store.view(cell, BLOCK_WORDS);
        for (let i = 0; i < ENTRIES_PER_PAGE; i++) {
          if (((words[i * ENTRY_WORDS] as number) & 0xff) === PT_NDA) continue;
          yield readEntry(machine, tdmr, range + (page * ENTRIES_PER_PAGE + i) * PAGE_4K, PG_4K);
        }
      }
    }
  }
}

/** Whether any of the pages with the entries of a larger page's 512 children was ever written. */
function isWritten(memory: Memory, first: number): boolean {
  for (let page = 0; page < PAGES_OF_CHILDREN; page++) if (memory.peek(first + page * PAGE_4K) !== 0) return true;
  return false;
}

/** The same, folded into runs of like neighbours. */
export function usedRuns(machine: Machine, tdmr: Tdmr): PageRun[] {
  const runs: PageRun[] = [];
  let run: PageRun | undefined;
  for (const entry of usedEntries(machine, tdmr)) {
    const { hpa, size, type, owner, cell } = entry;
    const bytes = PAGE_BYTES[size] as number;
    if (
      run !== undefined &&
      run.size === size &&
      run.type === type &&
      run.owner === owner &&
      run.first + run.pages * bytes === hpa
    ) {
      run.pages++;
      const last = run.cells[run.cells.length - 1] as CellRange;
      if (last[0] + last[1] === cell) run.cells[run.cells.length - 1] = [last[0], last[1] + ENTRY_WORDS];
      else run.cells.push([cell, ENTRY_WORDS]);
    } else {
      run = { first: hpa, pages: 1, size, type, owner, cells: [[cell, ENTRY_WORDS]] };
      runs.push(run);
    }
  }
  return runs;
}

/** The entries of a run. */
export function entriesOf(machine: Machine, tdmr: Tdmr, run: PageRun): PageEntry[] {
  const size = PAGE_BYTES[run.size] as number;
  return Array.from({ length: run.pages }, (_, i) => readEntry(machine, tdmr, run.first + i * size, run.size));
}
