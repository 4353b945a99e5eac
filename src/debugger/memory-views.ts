/**
 * Memory as somebody sees it. A reference is an address with whose view it is: `0x…` or `raw:0x…` the bytes as they are, whatever
 * key they were written with; `host:0x…` as software outside SEAM reads them, the address with its KeyID; `td0:0x…` a GPA as that
 * TD reads it. Looking changes nothing: what would be a machine check is not readable.
 */
import { PAGE_SIZE } from "../arch/page.ts";
import type { Machine } from "../module/machine.ts";
import { isLeaf, levelBytes, septHpa } from "../module/sept-entry.ts";
import { HostAccessError, splitAddress } from "../platform/host-access.ts";
import type { Domain } from "./inspect/domains.ts";
import type { Moment } from "./inspect/moment.ts";
import { ENTRIES, type SeptTable, septEntry } from "./inspect/sept-scan.ts";

const READABLE = 1;

export interface MemoryReference {
  /** "raw", "host" or the name of a TD. */
  readonly view: string;
  readonly address: number;
}

export interface MemoryPart {
  readonly data: Uint8Array;
  /** HPAs of the pages that were read. */
  readonly pages: readonly number[];
  /** Why it ends before what was asked for. */
  readonly end: string;
}

/** Whether a text begins as a reference that names its view: it can be no expression. */
export function namesView(text: string): boolean {
  return /^\s*(raw|host|td\d+):/i.test(text);
}

/** Undefined if the text is no reference. */
export function memoryReference(text: string): MemoryReference | undefined {
  const [, view = "raw", digits] = /^(?:(raw|host|td\d+):)?(0x[0-9a-f]+)$/i.exec(text.trim()) ?? [];
  const address = Number(digits);
  return digits !== undefined && Number.isSafeInteger(address) ? { view: view.toLowerCase(), address } : undefined;
}

/** Where a view ends: the first address past it. */
export function viewEnd(machine: Machine, view: string): number {
  const { platform } = machine;
  return view === "raw" ? 2 ** platform.addressBits : 2 ** platform.config.maxpa;
}

/** Up to so many bytes: those before the first page that cannot be read. */
export function readView(moment: Moment, { view, address }: MemoryReference, count: number): MemoryPart {
  const parts: Uint8Array[] = [];
  const pages: number[] = [];
  const { memory } = moment.machine.platform;
  const whole = (end: string): MemoryPart => ({ data: joined(parts), pages, end });
  for (let at = address; at < address + count; at = (Math.floor(at / PAGE_SIZE) + 1) * PAGE_SIZE) {
    const length = Math.min(address + count - at, PAGE_SIZE - (at % PAGE_SIZE));
    const page = pageOf(moment, view, at, length);
    if (typeof page === "string") return whole(page);
    pages.push(page.hpa - (page.hpa % PAGE_SIZE));
    parts.push(page.isZeros ? new Uint8Array(length) : memory.readBytes(page.hpa, length));
  }
  return whole("");
}

type Found = { readonly hpa: number; readonly isZeros: boolean } | string;

function pageOf(moment: Moment, view: string, address: number, length: number): Found {
  const { machine } = moment;
  if (address < 0 || address >= viewEnd(machine, view)) return "there is no such address";
  if (view === "raw") return { hpa: address, isZeros: false };
  if (view === "host") return hostPage(machine, address, length);
  const td = moment.domains.all.find(({ name }) => name === view);
  return td === undefined ? `there is no TD called ${view}` : guestPage(machine, td, address, length);
}

function hostPage(machine: Machine, address: number, length: number): Found {
  try {
    const { hpa, hkid } = splitAddress(machine.platform, address);
    return { hpa, isZeros: machine.platform.keyed.wouldMeet(hpa, length, hkid) === "zeros" };
  } catch (error) {
    if (error instanceof HostAccessError) return error.message;
    throw error;
  }
}

function guestPage(machine: Machine, td: Domain, gpa: number, length: number): Found {
  const hpa = td.sept && translate(machine, td.sept, gpa);
  if (hpa === undefined) return `${td.name} has no readable private page at GPA 0x${gpa.toString(16)}`;
  const met = machine.platform.keyed.wouldMeet(hpa, length, td.hkid);
  return met === "data" ? { hpa, isZeros: false } : "reading it would be a machine check";
}

/** The HPA that a TD's own access to a private GPA reaches; undefined where there is no mapped page. */
function translate(machine: Machine, root: SeptTable, gpa: number): number | undefined {
  const { store, platform } = machine;
  if (gpa >= levelBytes(root.level) * ENTRIES) return undefined;
  for (let { hpa, level } = root; level >= 0; level--) {
    const cell = platform.memory.peek(hpa);
    if (cell === 0) return undefined;
    const at = cell + (Math.floor(gpa / levelBytes(level)) % ENTRIES) * 2;
    const entry = septEntry(store, at);
    if ((entry.lo & READABLE) === 0) return undefined;
    if (isLeaf(entry)) return septHpa(entry) + (gpa % levelBytes(level));
    hpa = septHpa(entry);
  }
  return undefined;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
