/**
 * The Secure EPTs of a TD's L2 VMs: tables beside the TD's own, below roots in the TDCS. Host leaves change them together with
 * the L1 entry whose lock they hold; they have no locks of their own. L2 VMs cannot run here (guest/unsupported.ts), but their
 * tables are built and changed as the module does.
 */
import { PT_NDA } from "../arch/generated/pamt-types.ts";
import { TDX_L2_SEPT_WALK_FAILED } from "../arch/generated/status-codes.ts";
import { R8, RCX } from "../arch/registers.ts";
import { type Call, fail } from "./call.ts";
import { freeL2Entry, isL2Free, l2Attributes, reportL2Entry, setL2NonLeaf, writeL2Entry } from "./l2-entry.ts";
import { TDCS_ATTRIBUTES, TDCS_L2_SEPT_ROOT_1, TDCS_NUM_L2_VMS, TDR_TDCX_PA } from "./layout.ts";
import { lockImplicitPage, PG_4K, setPageType } from "./pamt.ts";
import { type LockedSeptEntry, rootLevel, walkTables } from "./sept.ts";
import { isBlockedForWriting, SEPT_PS, SEPT_RWX, type SeptEntry, septHpa } from "./sept-entry.ts";
import type { Steps } from "./step.ts";
import { addChildren } from "./td.ts";

/** Alias bits of an L1 entry, high word: bit 58 for VM 1. */
const ALIASES = 0b111 << 26;
const FIRST_ALIAS = 26;
export const MAX_L2_VMS = 3;
/** TD attribute DEBUG, bit 0. */
const ATTRIBUTE_DEBUG = 1;

// ---- the registers that name S-EPT pages: R8 for the TD itself, R9 to R11 for L2 VMs 1 to 3 ----

/** Halves of "no page". */
const NULL_PA_HALF = 0xffff_ffff;
/** Bit 63: on return, that the page was not used. On entry it is ignored. */
export const UNUSED = 0x8000_0000;

/** The register of VM `vm`, 0 for the TD itself. */
export function pageRegister(vm: number): number {
  return R8 + vm;
}

/** True if the register holds "no page". */
export function isNullPa(call: Call, register: number): boolean {
  return call.lo(register) === NULL_PA_HALF && call.hi(register) === NULL_PA_HALF;
}

/** HPA of the page in a register, without the bit that is ignored. */
export function pageOperand(call: Call, register: number): number {
  return (call.hi(register) & ~UNUSED) * 0x1_0000_0000 + call.lo(register);
}

/** Returns a page operand with `flag` in its high word. "No page" stays that. */
export function returnPage(call: Call, register: number, flag: number): void {
  if (!isNullPa(call, register)) call.set(register, call.lo(register), ((call.hi(register) & ~UNUSED) | flag) >>> 0);
}

export function returnNullPa(call: Call, register: number): void {
  call.set(register, NULL_PA_HALF, NULL_PA_HALF);
}

/** Returns "no page" for each L2 VM, whether or not the leaf succeeds. */
export function returnNoL2Pages(call: Call): void {
  for (let vm = 1; vm <= MAX_L2_VMS; vm++) returnNullPa(call, pageRegister(vm));
}

// ---- aliases ----

export function l2Vms(call: Call, tdcs: number): number {
  return call.store.read(tdcs + TDCS_NUM_L2_VMS);
}

/** The VMs in whose S-EPT the page or table of an L1 entry hangs too. */
export function aliasesOf({ hi }: { readonly hi: number }): number[] {
  if ((hi & ALIASES) === 0) return [];
  return [1, 2, 3].filter((vm) => ((hi >>> (FIRST_ALIAS + vm - 1)) & 1) !== 0);
}

/** Sets or clears the alias bit of a VM in an L1 entry, in memory and in the copy. */
export function setAlias(call: Call, entry: SeptEntry, vm: number, isSet: boolean): void {
  const bit = 1 << (FIRST_ALIAS + vm - 1);
  const hi = call.store.read(entry.cell + 1);
  call.store.write(entry.cell + 1, isSet ? hi | bit : hi & ~bit);
  entry.hi = (isSet ? entry.hi | bit : entry.hi & ~bit) >>> 0;
}

function root(call: Call, tdr: number, vm: number): number {
  return call.store.readNumber(tdr + TDR_TDCX_PA + ((TDCS_L2_SEPT_ROOT_1 >>> 10) + vm - 1) * 2);
}

/** Walks a VM's S-EPT as a host does: it stops at an entry that maps nothing, or nothing now. */
export function walkL2(call: Call, { tdr, tdcs, gpa }: LockedGpa, vm: number, level: number): SeptEntry {
  return walkTables(call, root(call, tdr, vm), rootLevel(call, tdcs), gpa, level, isDeadEnd);
}

/** As a guest does: a blocked table does not stop it, since it cannot have been blocked before the L1 entry was read. */
export function walkL2AsGuest(call: Call, { tdr, tdcs, gpa }: LockedGpa, vm: number, level: number): SeptEntry {
  return walkTables(call, root(call, tdr, vm), rootLevel(call, tdcs), gpa, level, isFreeEnd);
}

const isDeadEnd = (lo: number): boolean => (lo & SEPT_RWX) === 0 || (lo & SEPT_PS) !== 0;
const isFreeEnd = (lo: number, hi: number): boolean => isL2Free({ lo, hi }) || (lo & SEPT_PS) !== 0;

/** A GPA of a TD whose L1 entry the caller has locked. */
export type LockedGpa = Pick<LockedSeptEntry, "tdr" | "tdcs" | "gpa">;

/** The VM's entry for an L1 entry that has an alias there. */
export function aliasEntry(call: Call, at: LockedGpa, vm: number, level: number): SeptEntry {
  const entry = walkL2(call, at, vm, level);
  if (entry.level !== level) throw new Error(`VM ${vm} has no S-EPT entry for an alias of level ${level}`);
  return entry;
}

/** Changes the entries of all VMs in which the L1 entry `l1` has an alias. */
export function changeAliases(call: Call, at: LockedGpa, l1: SeptEntry, change: (entry: SeptEntry) => void): void {
  for (const vm of aliasesOf(l1)) {
    const entry = aliasEntry(call, at, vm, l1.level);
    change(entry);
    writeL2Entry(call, entry);
  }
}

/** Ends the leaf with a VM's entry in RCX and RDX, and level and VM in the status. */
export function failWithL2Entry(call: Call, tdcs: number, entry: SeptEntry, vm: number, code: number): never {
  const isDebug = (call.store.read(tdcs + TDCS_ATTRIBUTES) & ATTRIBUTE_DEBUG) !== 0;
  reportL2Entry(call, entry, vm, isDebug);
  fail(code, l2Detail(vm, entry.level));
}

/** Details of a status about a VM's S-EPT entry: level in bits 15:0, VM in bits 31:16. */
export function l2Detail(vm: number, level: number): number {
  return level | (vm << 16);
}

/** Errors: TDX_L2_SEPT_WALK_FAILED, with the entry where the walk ended. */
export function walkL2ToLevel(call: Call, at: LockedGpa, vm: number, level: number): SeptEntry {
  const entry = walkL2(call, at, vm, level);
  if (entry.level !== level) failWithL2Entry(call, at.tdcs, entry, vm, TDX_L2_SEPT_WALK_FAILED);
  return entry;
}

/** Attributes of the page of an L1 entry in each VM, 16 bits for each from VM 0 on. */
export function readL2Attributes(call: Call, at: LockedGpa, l1: SeptEntry): bigint {
  let attributes = 0n;
  for (const vm of aliasesOf(l1)) {
    const entry = call.isGuest ? walkL2AsGuest(call, at, vm, l1.level) : aliasEntry(call, at, vm, l1.level);
    attributes |= BigInt(l2Attributes(entry, isBlockedForWriting(l1))) << BigInt(16 * vm);
  }
  return attributes;
}

/** An S-EPT page of an L2 VM: the entry that points to it, its PAMT entry. */
export interface L2Table {
  readonly vm: number;
  readonly parent: SeptEntry;
  readonly hpa: number;
  readonly page: number;
}

/** Locks the VM's table below an alias of the L1 entry `l1` (exclusive). Errors: TDX_OPERAND_BUSY(RCX). */
export function* lockL2Table(call: Call, at: LockedGpa, l1: SeptEntry, vm: number): Steps<L2Table> {
  yield "walk the VM's S-EPT and lock the PAMT entry of its page (exclusive)";
  const parent = aliasEntry(call, at, vm, l1.level);
  const hpa = septHpa(parent);
  const page = yield* lockImplicitPage(call, hpa, PG_4K, RCX);
  return { vm, parent, hpa, page };
}

/** Gives a VM's table back, whose entry above becomes `lo`, `hi`. Version 1 of a leaf returns its HPA. */
export function dropL2Table(call: Call, tdr: number, { vm, parent, hpa, page }: L2Table, lo = 0, hi = 0): void {
  freeL2Entry(parent);
  parent.lo = lo;
  parent.hi = hi;
  writeL2Entry(call, parent);
  addChildren(call, tdr, -1);
  setPageType(call, page, PT_NDA);
  if (call.version > 0) call.setNum(pageRegister(vm), hpa);
}

/** Makes the page at `hpa` a table of the VM. */
export function hangL2Table(call: Call, tdr: number, l1: SeptEntry, vm: number, parent: SeptEntry, hpa: number): void {
  setAlias(call, l1, vm, true);
  setL2NonLeaf(parent, hpa);
  writeL2Entry(call, parent);
  addChildren(call, tdr, 1);
}
