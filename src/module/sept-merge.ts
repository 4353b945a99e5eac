/** One S-EPT table against one large entry: what TDH.MEM.PAGE.PROMOTE checks and TDH.MEM.PAGE.DEMOTE makes. */
import { SEPT_MAPPED_OR_PENDING_STATES } from "../arch/generated/sept-states.ts";
import { TDX_EPT_INVALID_PROMOTE_CONDITIONS, TDX_OPERAND_BUSY } from "../arch/generated/status-codes.ts";
import { RCX } from "../arch/registers.ts";
import type { Call } from "./call.ts";
import { isL2Free } from "./l2-entry.ts";
import { takeSeptEntryLock } from "./sept.ts";
import {
  clearAcceptCounter,
  isLeaf,
  leafHpa,
  levelBytes,
  readSeptEntry,
  relocate,
  SEPT_HOST_LOCK,
  type SeptEntry,
  septHpa,
  septState,
  TABLE_ENTRIES,
} from "./sept-entry.ts";
import { failWithEntry } from "./sept-report.ts";
import type { Steps } from "./step.ts";

/**
 * Locks every entry of the table and checks that it could be one entry of the level of `parent`: all in the same state, mapped
 * or pending, and their pages one behind the other from an aligned address on. Returns the first entry, as it
 * stands in memory.
 * Errors: TDX_OPERAND_BUSY, TDX_EPT_INVALID_PROMOTE_CONDITIONS, with `parent` in RCX and RDX.
 */
export function* lockMergeableTable(call: Call, tableHpa: number, parent: SeptEntry): Steps<SeptEntry> {
  const table = call.memory.cell(tableHpa);
  const level = parent.level - 1;
  const first: SeptEntry = { cell: table, level, lo: 0, hi: 0 };
  const next: SeptEntry = { cell: table, level, lo: 0, hi: 0 };
  for (let i = 0; i < TABLE_ENTRIES; i++) {
    const entry: SeptEntry = { cell: table + i * 2, level, lo: 0, hi: 0 };
    if (!takeSeptEntryLock(call, entry)) failWithEntry(call, parent, TDX_OPERAND_BUSY, RCX);
    yield "an entry of the table is locked";
    readSeptEntry(call, entry);
    clearAcceptCounter(entry);
    if (i === 0) {
      const mapped = (SEPT_MAPPED_OR_PENDING_STATES >>> septState(entry)) & 1;
      if (leafHpa(entry) % levelBytes(parent.level) !== 0 || mapped === 0) {
        failWithEntry(call, parent, TDX_EPT_INVALID_PROMOTE_CONDITIONS, RCX);
      }
      next.lo = entry.lo;
      next.hi = entry.hi;
    } else {
      relocate(next, septHpa(next) + levelBytes(level));
      if (entry.lo !== next.lo || entry.hi !== next.hi) {
        failWithEntry(call, parent, TDX_EPT_INVALID_PROMOTE_CONDITIONS, RCX);
      }
    }
  }
  readSeptEntry(call, first);
  return first;
}

/**
 * Checks the table of an L2 VM beside one that `lockMergeableTable` checked: all its entries are alike but for their pages.
 * Errors: TDX_EPT_INVALID_PROMOTE_CONDITIONS, with `parent` in RCX and RDX.
 */
export function checkMergeableL2Table(call: Call, tableHpa: number, parent: SeptEntry): void {
  const { store } = call;
  const table = call.memory.cell(tableHpa);
  const first: SeptEntry = { cell: table, level: parent.level - 1, lo: store.read(table), hi: store.read(table + 1) };
  const aligned = leafHpa(first) % levelBytes(parent.level) === 0;
  let mergeable = isL2Free(first) || (aligned && isLeaf(first));
  relocate(first, 0);
  for (let i = 1; mergeable && i < TABLE_ENTRIES; i++) {
    const entry: SeptEntry = {
      cell: table + i * 2,
      level: first.level,
      lo: store.read(table + i * 2),
      hi: store.read(table + i * 2 + 1),
    };
    relocate(entry, 0);
    mergeable = entry.lo === first.lo && entry.hi === first.hi;
  }
  if (!mergeable) failWithEntry(call, parent, TDX_EPT_INVALID_PROMOTE_CONDITIONS, RCX);
}

/**
 * Drops the locks of a table that `lockMergeableTable` locked and that is no table any more. Its entries keep their lock bits:
 * nobody will look at them before the page is filled anew.
 */
export function dropLockedTable(call: Call, tableHpa: number): void {
  const table = call.memory.cell(tableHpa);
  for (let i = TABLE_ENTRIES - 1; i >= 0; i--) {
    const cell = table + i * 2;
    call.forget(cell);
    call.store.write(cell, call.store.read(cell) | SEPT_HOST_LOCK);
  }
}

/** Fills the page at `tableHpa` with entries like `entry` for the 512 small pages from `hpa` on. */
export function splitEntry(call: Call, entry: SeptEntry, hpa: number, tableHpa: number): void {
  const table = call.memory.cell(tableHpa);
  const bytes = levelBytes(entry.level - 1);
  const small: SeptEntry = { cell: table, level: entry.level - 1, lo: entry.lo, hi: entry.hi };
  for (let i = 0; i < TABLE_ENTRIES; i++) {
    relocate(small, hpa + i * bytes);
    call.store.write(table + i * 2, small.lo);
    call.store.write(table + i * 2 + 1, small.hi);
  }
}
