/**
 * A VCPU's control structure, TDVPS. A `tdvpr` is the first cell of its first page; fields of that page are at offsets of
 * layout.ts, those of other pages are found through TDVPS_PAGE_PA (`tdvpsCell`). Its addresses are kept without KeyID.
 *
 * States of a VCPU (arch: states.json, "vcpu"):
 * - VCPU_UNINITIALIZED: pages are being added; TDH.VP.INIT ends it.
 * - VCPU_READY: may be entered, if it is associated with the LP that enters it or with none.
 * - VCPU_ACTIVE: runs on its associated LP, which keeps the locks that TDH.VP.ENTER took.
 * - VCPU_DISABLED: it ran into an unrecoverable error and is never entered again.
 *
 * Association: a VCPU's VMCS and translations may be cached by one LP at most, ASSOC_LPID. It is taken by TDH.VP.INIT, RD, WR
 * and ENTER on that LP, and given up there by TDH.VP.FLUSH. TDCS.NUM_ASSOC_VCPUS counts the associated ones, so that
 * TDH.MNG.VPFLUSHDONE knows when no LP caches anything of the TD.
 */

import { OPERAND_TDR } from "../arch/generated/operand-ids.ts";
import { PT_TDVPR } from "../arch/generated/pamt-types.ts";
import {
  TDX_TDCX_NUM_INCORRECT,
  TDX_VCPU_ASSOCIATED,
  TDX_VCPU_STATE_INCORRECT,
} from "../arch/generated/status-codes.ts";
import { vcpuStateNames } from "../arch/generated/td-states.ts";
import { type Call, fail } from "./call.ts";
import {
  TDCS_NUM_ASSOC_VCPUS,
  TDCS_NUM_L2_VMS,
  TDVPS_ASSOC_LPID,
  TDVPS_LP_DEPENDENT_HPA_UPDATED,
  TDVPS_MODULE_DEPENDENT_FIELDS_UPDATED,
  TDVPS_NUM_TDVPS_PAGES,
  TDVPS_TDVPS_PAGE_PA,
  TDVPS_VCPU_STATE,
} from "./layout.ts";
import { SHARED } from "./lock-words.ts";
import { lockSharexHp } from "./locks.ts";
import { implicitEntry, lockPage, PG_4K, pageOwner, pamtLock } from "./pamt.ts";
import type { Steps } from "./step.ts";

export const VCPU_UNINITIALIZED = 0;
export const VCPU_READY = 2;
export const VCPU_ACTIVE = 4;
export const VCPU_DISABLED = 8;

/** LAST_TD_EXIT: how the VCPU left its guest last. */
export const LAST_EXIT_ASYNC_FAULT = 0;
export const LAST_EXIT_ASYNC_TRAP = 1;
export const LAST_EXIT_TDVMCALL = 2;

/** ASSOC_LPID of a VCPU that no LP caches. */
export const NO_LP = 0xffff_ffff;

/** TDVPS pages of a VCPU: those of the VM itself, those of each L2 VM, and the most there can be. */
export const MIN_TDVPS_PAGES = 6;
export const TDVPS_PAGES_PER_L2_VM = 3;
export const MAX_TDVPS_PAGES = 15;

/** VMs of a TD: itself and its L2 VMs. */
export const MAX_VMS = 4;

/** A VCPU that an operand names, and its TD. */
export interface Vcpu {
  readonly tdvpr: number;
  readonly tdr: number;
  /** HPA of the TDR, as the PAMT knows the owner. */
  readonly tdrHpa: number;
}

/** The cell of a TDVPS field by its place (layout.ts), on whichever TDVPS page it lies. */
export function tdvpsCell(call: Call, tdvpr: number, place: number): number {
  const page = place >>> 10;
  if (page === 0) return tdvpr + place;
  return call.memory.cell(call.store.readNumber(tdvpr + TDVPS_TDVPS_PAGE_PA + page * 2)) + (place & 0x3ff);
}

/**
 * The VCPU that a register names (or `hpa`, where the register holds more): its TDVPR locked in `mode`, its TDR shared.
 * Errors: those of `lockPage`; TDX_OPERAND_BUSY(TDR).
 */
export function* lockVcpu(call: Call, register: number, mode: number, hpa = call.num(register)): Steps<Vcpu> {
  const page = yield* lockPage(call, hpa, PG_4K, mode, PT_TDVPR, register);
  yield "lock the TDR that owns the VCPU (shared)";
  const tdrHpa = pageOwner(call, page.cell);
  yield* lockSharexHp(call, pamtLock(implicitEntry(call, tdrHpa, PG_4K)), SHARED, OPERAND_TDR);
  return { tdvpr: call.memory.cell(hpa), tdr: call.memory.cell(tdrHpa), tdrHpa };
}

/** TDVPS pages that a VCPU of this TD needs. */
export function requiredTdvpsPages(call: Call, tdcs: number): number {
  return MIN_TDVPS_PAGES + TDVPS_PAGES_PER_L2_VM * call.store.read(tdcs + TDCS_NUM_L2_VMS);
}

/** Errors: TDX_TDCX_NUM_INCORRECT if TDVPS pages are missing. */
export function checkTdvpsPages(call: Call, tdvpr: number, tdcs: number): void {
  const pages = call.store.read(tdvpr + TDVPS_NUM_TDVPS_PAGES);
  const needed = requiredTdvpsPages(call, tdcs);
  if (pages < needed) fail(TDX_TDCX_NUM_INCORRECT, 0, `${pages} of ${needed} TDVPS pages were added`);
}

/** Errors: TDX_VCPU_STATE_INCORRECT unless TDH.VP.INIT is still to come. */
export function checkUninitialized(call: Call, tdvpr: number): void {
  const state = call.store.read(tdvpr + TDVPS_VCPU_STATE);
  if (state !== VCPU_UNINITIALIZED) fail(TDX_VCPU_STATE_INCORRECT, 0, whyVcpu(state));
}

function whyVcpu(state: number): string {
  return `the VCPU is ${vcpuStateNames[state] ?? state}`;
}

/** Marks what the VMCSs hold of the host's state as out of date; it is written again before the next entry. */
function forgetHostState(call: Call, tdvpr: number, flags: number): void {
  for (let vm = 0; vm < MAX_VMS; vm++) call.store.write(tdvpr + flags + vm, 0);
}

/** Associates the VCPU with this LP for the first time: the end of TDH.VP.INIT. */
export function associateFirst(call: Call, tdvpr: number, tdcs: number): void {
  call.store.write(tdvpr + TDVPS_ASSOC_LPID, call.lp);
  forgetHostState(call, tdvpr, TDVPS_MODULE_DEPENDENT_FIELDS_UPDATED);
  forgetHostState(call, tdvpr, TDVPS_LP_DEPENDENT_HPA_UPDATED);
  countAssociation(call, tdcs, 1);
}

/**
 * Checks that the VCPU is ready (a read may find it disabled) and associates it with this LP. Returns true if it was not
 * associated before. The association stays even if the leaf fails later.
 * Errors: TDX_VCPU_STATE_INCORRECT, TDX_VCPU_ASSOCIATED if another LP has it.
 */
export function* associateVcpu(call: Call, tdvpr: number, tdcs: number, allowDisabled: boolean): Steps<boolean> {
  const { store } = call;
  yield "check the VCPU's state";
  const state = store.read(tdvpr + TDVPS_VCPU_STATE);
  if (state !== VCPU_READY && !(allowDisabled && state === VCPU_DISABLED)) {
    fail(TDX_VCPU_STATE_INCORRECT, 0, whyVcpu(state));
  }

  yield "associate the VCPU with this LP";
  const associated = store.read(tdvpr + TDVPS_ASSOC_LPID);
  if (associated === call.lp) return false;
  if (associated !== NO_LP) fail(TDX_VCPU_ASSOCIATED, 0, `the VCPU is associated with LP ${associated}`);
  store.write(tdvpr + TDVPS_ASSOC_LPID, call.lp);
  forgetHostState(call, tdvpr, TDVPS_LP_DEPENDENT_HPA_UPDATED);
  countAssociation(call, tdcs, 1);
  return true;
}

/** Gives the association up. */
export function dissociateVcpu(call: Call, tdvpr: number, tdcs: number): void {
  call.store.write(tdvpr + TDVPS_ASSOC_LPID, NO_LP);
  countAssociation(call, tdcs, -1);
}

function countAssociation(call: Call, tdcs: number, by: number): void {
  call.store.write(tdcs + TDCS_NUM_ASSOC_VCPUS, call.store.read(tdcs + TDCS_NUM_ASSOC_VCPUS) + by);
}
