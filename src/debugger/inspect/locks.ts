/** Locks in words (module/lock-words.ts has the rules): whether a lock word is free, and which lock a call holds. */
import {
  TDCS_EPOCH_LOCK,
  TDCS_OP_STATE_LOCK,
  TDCS_RTMR_LOCK,
  TDCS_SECURE_EPT_LOCK,
  TDCS_SERVTD_LOCK,
} from "../../module/layout.ts";
import {
  HELD_HP_EXCLUSIVE,
  HELD_HP_SHARED,
  HELD_MUTEX,
  HELD_SEPT_ENTRY,
  HELD_SHAREX_EXCLUSIVE,
  HELD_SHAREX_SHARED,
} from "../../module/lock-words.ts";
import { PAGE_BYTES, PAMT_ENTRY_BYTES } from "../../module/pamt.ts";
import { SYS_KOT_LOCK, SYS_LOCK, TDMR_LOCK } from "../../module/sys.ts";
import type { Domains } from "./domains.ts";
import { bytes, hex } from "./format.ts";
import type { Moment } from "./moment.ts";
import { pamtArrays } from "./pamt-scan.ts";

/** A shared/exclusive lock; `hasPriority`: with the host-priority flag in bit 1. */
export function lockText(word: number, hasPriority: boolean): string {
  const flag = hasPriority && word & 2 ? ", a host waits" : "";
  if (word & 1) return `exclusive${flag}`;
  const readers = hasPriority ? word >>> 2 : word >>> 1;
  return readers === 0 ? `free${flag}` : `shared by ${readers}${flag}`;
}

export function mutexText(word: number): string {
  return word === 0 ? "free" : "taken";
}

const MODES: Readonly<Record<number, string>> = {
  [HELD_MUTEX]: "exclusive",
  [HELD_SHAREX_SHARED]: "shared",
  [HELD_SHAREX_EXCLUSIVE]: "exclusive",
  [HELD_HP_SHARED]: "shared",
  [HELD_HP_EXCLUSIVE]: "exclusive",
  [HELD_SEPT_ENTRY]: "exclusive",
};

const TDCS_LOCKS: readonly (readonly [place: number, name: string])[] = [
  [TDCS_OP_STATE_LOCK, "operation state"],
  [TDCS_SECURE_EPT_LOCK, "S-EPT tree"],
  [TDCS_EPOCH_LOCK, "TD epoch"],
  [TDCS_RTMR_LOCK, "RTMRs"],
  [TDCS_SERVTD_LOCK, "service TDs"],
];

/** A lock that a call holds: what it locks, and how. */
export function heldLock(moment: Moment, cell: number, kind: number): { readonly what: string; readonly mode: string } {
  return { what: lockedObject(moment, cell), mode: MODES[kind] ?? `kind ${kind}` };
}

function lockedObject(moment: Moment, cell: number): string {
  const { machine, domains } = moment;
  if (cell === machine.sys + SYS_LOCK) return "TDX module";
  if (cell === machine.sys + SYS_KOT_LOCK) return "key ownership table";
  const tdmr = domains.tdmrs.find((candidate) => candidate.cell + TDMR_LOCK === cell);
  if (tdmr) return `TDMR ${tdmr.index}`;
  for (const td of domains.all) {
    const field = td.tdcs === 0 ? undefined : TDCS_LOCKS.find(([place]) => td.tdcs + place === cell);
    if (field) return `${field[1]} of ${td.name}`;
  }
  const hpa = machine.platform.memory.hpaOf(cell);
  if (hpa === undefined) return "global data of the TDX module";
  return pamtEntry(moment, domains, hpa) ?? `S-EPT entry at ${moment.hpa(hpa)}`;
}

/** The page that a PAMT entry describes; undefined if there is none at `hpa`. */
export function pamtEntry(moment: Moment, { tdmrs }: Domains, hpa: number): string | undefined {
  for (const tdmr of tdmrs) {
    for (const { size, base, entries } of pamtArrays(tdmr)) {
      const pageBytes = PAGE_BYTES[size] as number;
      const index = Math.floor((hpa - base) / PAMT_ENTRY_BYTES);
      if (hpa < base || index >= entries) continue;
      const page = tdmr.base + index * pageBytes;
      return size === 0 ? `PAMT entry of ${moment.hpa(page)}` : `PAMT entry of the ${bytes(pageBytes)} at ${hex(page)}`;
    }
  }
  return undefined;
}
