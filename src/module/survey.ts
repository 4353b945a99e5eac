/**
 * The whole machine as an onlooker sees it: every page that the PAMT knows, every TD and VCPU, every mapping of their Secure
 * EPTs. Takes no locks and changes nothing. What the invariants and tests look at.
 */
import { OP_STATE_UNINITIALIZED } from "../arch/generated/op-states.ts";
import { PT_NDA, PT_RSVD, PT_TDR, PT_TDVPR } from "../arch/generated/pamt-types.ts";
import { SEPT_FREE } from "../arch/generated/sept-states.ts";
import type { Store } from "../state/store.ts";
import type { Call } from "./call.ts";
import { isL2Free } from "./l2-entry.ts";
import {
  TDCS_EPTP,
  TDCS_L2_SEPT_ROOT_1,
  TDCS_NUM_L2_VMS,
  TDCS_OP_STATE,
  TDR_HKID,
  TDR_LIFECYCLE_STATE,
  TDR_NUM_TDCX,
  TDR_TD_UUID,
  TDR_TDCX_PA,
  TDVPS_HP_LOCK_BUSY_START,
  TDVPS_NUM_TDVPS_PAGES,
  TDVPS_TDVPS_PAGE_PA,
} from "./layout.ts";
import type { Machine } from "./machine.ts";
import { PAGE_4K, PAGE_BYTES, PAMT_ENTRY_BYTES, PG_1G, PG_2M, PG_4K, pageBepoch, pageOwner, pageType } from "./pamt.ts";
import { rootLevel } from "./sept.ts";
import { isLeaf, levelBytes, septHpa, septState, TABLE_ENTRIES } from "./sept-entry.ts";
import {
  SYS_NUM_TDMRS,
  SYS_TDMRS,
  TDMR_BASE,
  TDMR_LAST_INITIALIZED,
  TDMR_PAMT_1G_BASE,
  TDMR_PAMT_2M_BASE,
  TDMR_PAMT_4K_BASE,
  TDMR_WORDS,
} from "./sys.ts";
import { MIN_NUM_TDCS_PAGES, TD_TEARDOWN } from "./td.ts";

/** Pages for whose addresses a TDR and a TDVPS have room: up to the field that comes next. */
export const MAX_TDCX_PAGES = (TDR_TD_UUID - TDR_TDCX_PA) / 2;
export const MAX_TDVPS_PAGES = (TDVPS_HP_LOCK_BUSY_START - TDVPS_TDVPS_PAGE_PA) / 2;

/** Index of the TDCS page that is the root table of L2 VM 1. */
const L2_ROOT = TDCS_L2_SEPT_ROOT_1 >>> 10;

/** A page that is not free. */
export interface Page {
  readonly hpa: number;
  /** PG_4K, PG_2M, PG_1G. */
  readonly size: number;
  /** PT_… */
  readonly type: number;
  /** HPA of the owner's TDR. */
  readonly owner: number;
  /** TD epoch at which it was blocked. */
  readonly bepoch: number;
  /** Its PAMT entry. */
  readonly entry: number;
}

/** An S-EPT entry that is not free. */
export interface Mapping {
  readonly gpa: number;
  readonly level: number;
  /** SEPT_…, or -1 if it is none or the entry is an L2 VM's. */
  readonly state: number;
  /** Of the page or table that it points to. */
  readonly hpa: number;
  readonly isTable: boolean;
  readonly cell: number;
}

export interface Td {
  /** Of the TDR. */
  readonly hpa: number;
  readonly tdr: number;
  readonly lifecycle: number;
  readonly hkid: number;
  /** HPAs of its TDCS pages. */
  readonly tdcx: readonly number[];
  /** 0 while the TD is not initialised. */
  readonly tdcs: number;
  readonly opState: number;
  /** None while it is not initialised, nor once its pages are being reclaimed. */
  readonly mappings: readonly Mapping[];
  /** The same of its L2 VMs, from VM 1 on. */
  readonly l2Mappings: readonly (readonly Mapping[])[];
}

export interface VcpuPages {
  /** Of the TDVPR. */
  readonly hpa: number;
  readonly tdvpr: number;
  readonly owner: number;
  /** HPAs of its pages, the TDVPR first. */
  readonly pages: readonly number[];
}

export interface Survey {
  readonly pages: readonly Page[];
  readonly tds: readonly Td[];
  readonly vcpus: readonly VcpuPages[];
}

export function survey(machine: Machine): Survey {
  const call = machine.calls[0] as Call; // for the accessors; they read what is common to all LPs
  const pages = [...allPages(call)];
  return {
    pages,
    tds: pages.filter(({ type }) => type === PT_TDR).map(({ hpa }) => surveyTd(call, hpa)),
    vcpus: pages.filter(({ type }) => type === PT_TDVPR).map((page) => surveyVcpu(call, page)),
  };
}

/** The PAMT's entries of pages that are neither free nor reserved. */
function allPages(call: Call): Page[] {
  const { store, sys } = call;
  const pages: Page[] = [];
  for (let i = 0; i < store.read(sys + SYS_NUM_TDMRS); i++) {
    const tdmr = sys + SYS_TDMRS + i * TDMR_WORDS;
    const base = store.readNumber(tdmr + TDMR_BASE);
    const bytes = store.readNumber(tdmr + TDMR_LAST_INITIALIZED) - base;
    for (const [size, array] of [
      [PG_1G, TDMR_PAMT_1G_BASE],
      [PG_2M, TDMR_PAMT_2M_BASE],
      [PG_4K, TDMR_PAMT_4K_BASE],
    ] as const) {
      addPages(call, pages, base, Math.floor(bytes / PAGE_BYTES[size]), store.readNumber(tdmr + array), size);
    }
  }
  return pages;
}

/** Adds the pages of one size, from the array of their entries. */
function addPages(call: Call, pages: Page[], base: number, count: number, array: number, size: 0 | 1 | 2): void {
  const perPage = PAGE_4K / PAMT_ENTRY_BYTES;
  for (let first = 0; first < count; first += perPage) {
    const block = call.memory.peek(array + first * PAMT_ENTRY_BYTES);
    if (block === 0) continue;
    for (let i = first; i < Math.min(first + perPage, count); i++) {
      const entry = block + (i - first) * (PAMT_ENTRY_BYTES / 4);
      const type = pageType(call, entry);
      if (type === PT_NDA || type === PT_RSVD) continue;
      const hpa = base + i * PAGE_BYTES[size];
      pages.push({ hpa, size, type, owner: pageOwner(call, entry), bepoch: pageBepoch(call, entry), entry });
    }
  }
}

/** Errors: RangeError for more than the structure has room for, which only somebody else can have written there. */
function pageCount(store: Store, cell: number, room: number): number {
  const count = store.read(cell);
  if (count > room) throw new RangeError(`a structure counts ${count} pages and has room for ${room}`);
  return count;
}

function surveyTd(call: Call, hpa: number): Td {
  const { store, memory } = call;
  const tdr = memory.cell(hpa);
  const count = pageCount(store, tdr + TDR_NUM_TDCX, MAX_TDCX_PAGES);
  const tdcx = Array.from({ length: count }, (_, i) => store.readNumber(tdr + TDR_TDCX_PA + i * 2));
  const lifecycle = store.read(tdr + TDR_LIFECYCLE_STATE);
  const usable = count >= MIN_NUM_TDCS_PAGES && lifecycle !== TD_TEARDOWN;
  const tdcs = usable ? memory.cell(tdcx[0] as number) : 0;
  const opState = usable ? store.read(tdcs + TDCS_OP_STATE) : OP_STATE_UNINITIALIZED;
  const initialized = opState !== OP_STATE_UNINITIALIZED;
  return {
    hpa,
    tdr,
    lifecycle,
    hkid: store.read(tdr + TDR_HKID),
    tdcx,
    tdcs: initialized ? tdcs : 0,
    opState,
    mappings: initialized ? mappingsOf(call, eptRoot(call, tdcs), rootLevel(call, tdcs), 0, false) : [],
    l2Mappings: initialized
      ? tdcx
          .slice(L2_ROOT, L2_ROOT + store.read(tdcs + TDCS_NUM_L2_VMS))
          .map((root) => mappingsOf(call, root, rootLevel(call, tdcs), 0, true))
      : [],
  };
}

function eptRoot(call: Call, tdcs: number): number {
  const eptp = call.store.readNumber(tdcs + TDCS_EPTP);
  return eptp - (eptp % PAGE_4K);
}

/** What the entries of a table and those below it map. */
function mappingsOf(call: Call, table: number, level: number, gpa: number, l2: boolean): Mapping[] {
  const base = call.memory.peek(table);
  if (base === 0) return [];
  const mappings: Mapping[] = [];
  for (let i = 0; i < TABLE_ENTRIES; i++) {
    const cell = base + i * 2;
    const entry = { lo: call.store.read(cell), hi: call.store.read(cell + 1) };
    const state = l2 ? -1 : septState(entry);
    if (l2 ? isL2Free(entry) : state === SEPT_FREE) continue;
    const isTable = !isLeaf(entry);
    const hpa = isTable ? septHpa(entry) : septHpa(entry) - (septHpa(entry) % levelBytes(level));
    const at = gpa + i * levelBytes(level);
    mappings.push({ gpa: at, level, state, hpa, isTable, cell });
    if (isTable && level > 0) mappings.push(...mappingsOf(call, hpa, level - 1, at, l2));
  }
  return mappings;
}

function surveyVcpu(call: Call, { hpa, owner }: Page): VcpuPages {
  const { store } = call;
  const tdvpr = call.memory.cell(hpa);
  const pages = Array.from({ length: pageCount(store, tdvpr + TDVPS_NUM_TDVPS_PAGES, MAX_TDVPS_PAGES) }, (_, i) =>
    i === 0 ? hpa : store.readNumber(tdvpr + TDVPS_TDVPS_PAGE_PA + i * 2),
  );
  return { hpa, tdvpr, owner, pages };
}
