/** Reads a TD's Secure EPT as an onlooker: no locks, no new blocks. */
import { SEPT_FREE, SEPT_STATES } from "../../arch/generated/sept-states.ts";
import { TDCS_EPTP, TDCS_SEPT_ROOT } from "../../module/layout.ts";
import type { Machine } from "../../module/machine.ts";
import { isLeaf, levelBytes, SEPT_HOST_LOCK, SEPT_HOST_PRIORITY, septHpa, septState } from "../../module/sept-entry.ts";
import { BLOCK_WORDS, type Store } from "../../state/store.ts";
import { hex } from "./format.ts";

/** Entries of a table. */
export const ENTRIES = 512;

/** Which page of the TDCS is the root table. */
export const ROOT_PAGE = TDCS_SEPT_ROOT / BLOCK_WORDS;

export interface SeptTable {
  readonly hpa: number;
  /** Level of its entries: 0 map 4 KiB. */
  readonly level: number;
  /** GPA that its first entry maps. */
  readonly gpa: number;
}

export interface SeptNode {
  readonly gpa: number;
  readonly level: number;
  /** Cell of the entry's low word. */
  readonly cell: number;
  readonly state: number;
  /** Page or table that it maps; 0 if none. */
  readonly hpa: number;
  /** It points to a table. */
  readonly isTable: boolean;
  /** Held by a call that is inside the module. */
  readonly isLocked: boolean;
  readonly hasHostPriority: boolean;
  /** The TD's own bits, as the entry has them: R, W, X. */
  readonly permissions: string;
}

/** The root table; undefined while the TD has none. `tdcs` is the cell of the TDCS's first page, `pages` the HPAs of all. */
export function rootTable(machine: Machine, tdcs: number, pages: readonly number[]): SeptTable | undefined {
  const hpa = pages[ROOT_PAGE];
  const walkLength = (machine.store.read(tdcs + TDCS_EPTP) >>> 3) & 7;
  if (hpa === undefined || walkLength === 0) return undefined;
  return { hpa, level: walkLength, gpa: 0 };
}

export function stateName(state: number): string {
  return SEPT_STATES[state]?.name ?? "no valid state";
}

/** Bytes that an entry maps. */
export function nodeBytes({ level }: SeptNode): number {
  return levelBytes(level);
}

/** The entry at a cell without what the host has set in it: the lock, and that a host waits for it. */
export function septEntry(store: Store, cell: number): { readonly lo: number; readonly hi: number } {
  return {
    lo: (store.read(cell) & ~SEPT_HOST_LOCK) >>> 0,
    hi: (store.read(cell + 1) & ~SEPT_HOST_PRIORITY) >>> 0,
  };
}

/** The entries of a table that are not free. */
export function usedSeptEntries(machine: Machine, table: SeptTable): SeptNode[] {
  const { store, platform } = machine;
  const base = platform.memory.peek(table.hpa);
  const nodes: SeptNode[] = [];
  if (base === 0) return nodes;
  const size = levelBytes(table.level);
  for (let i = 0; i < ENTRIES; i++) {
    const cell = base + i * 2;
    const entry = septEntry(store, cell);
    const state = septState(entry);
    const isLocked = entry.lo !== store.read(cell);
    if ((state === SEPT_FREE && !isLocked) || (entry.lo === 0 && entry.hi === 0)) continue;
    const isTable = state !== SEPT_FREE && !isLeaf(entry);
    nodes.push({
      gpa: table.gpa + i * size,
      level: table.level,
      cell,
      state,
      hpa: septHpa(entry),
      isTable,
      isLocked,
      hasHostPriority: entry.hi !== store.read(cell + 1),
      permissions: ["R", "W", "X"].map((name, bit) => ((entry.lo >>> bit) & 1 ? name : "-")).join(""),
    });
  }
  return nodes;
}

/** What a person calls an entry. */
export function entryName(td: string, level: number, gpa: number): string {
  return `S-EPT entry of ${td}, level ${level}, GPA ${hex(gpa)}`;
}

/** The table below an entry that points to one. */
export function tableBelow(node: SeptNode): SeptTable {
  return { hpa: node.hpa, level: node.level - 1, gpa: node.gpa };
}
