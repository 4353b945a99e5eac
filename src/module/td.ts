/**
 * The TD's control structures. A `tdr` or `tdcs` is the first cell of the structure's first page; fields are at offsets of
 * layout.ts. Pages of the TDCS other than the first are found through TDR.TDCX_PA.
 */

import { opStateAllowsGuestLeaf, opStateAllowsHostLeaf, opStateNames } from "../arch/generated/op-states.ts";
import { OPERAND_OP_STATE } from "../arch/generated/operand-ids.ts";
import { PT_TDR } from "../arch/generated/pamt-types.ts";
import {
  TDX_OP_STATE_INCORRECT,
  TDX_OPERAND_INVALID,
  TDX_TD_FATAL,
  TDX_TD_KEYS_NOT_CONFIGURED,
  TDX_TDCS_NOT_ALLOCATED,
} from "../arch/generated/status-codes.ts";
import { type Call, fail } from "./call.ts";
import {
  TDCS_OP_STATE,
  TDCS_OP_STATE_LOCK,
  TDR_CHLDCNT,
  TDR_FATAL,
  TDR_HKID,
  TDR_LIFECYCLE_STATE,
  TDR_NUM_TDCX,
  TDR_TDCX_PA,
} from "./layout.ts";
import { lockSharexHp } from "./locks.ts";
import { lockPage, PG_4K } from "./pamt.ts";
import type { Steps } from "./step.ts";
import { whyLifecycle } from "./why.ts";

/** Life cycle of a TD, by its key (arch: states.json, "lifecycle"). */
export const TD_HKID_ASSIGNED = 0;
export const TD_KEYS_CONFIGURED = 1;
export const TD_BLOCKED = 2;
export const TD_TEARDOWN = 3;

/** TDCS pages that a TD must have before anything is done with its TDCS. */
export const MIN_NUM_TDCS_PAGES = 6;

/** The TDCS page that stays zero: where addresses point to that the host has not set. */
export const ZERO_PAGE = 4;

/** No lock: for `checkStateAndLockTdcs`. */
export const NO_LOCK = -1;

/**
 * The TDR that a register names: checked, locked in `mode`. Returns its cell. `hpa`: its address, where the register holds
 * flags too. Errors: those of `lockPage`.
 */
export function* lockTdr(call: Call, register: number, mode: number, hpa = call.num(register)): Steps<number> {
  yield* lockPage(call, hpa, PG_4K, mode, PT_TDR, register);
  return call.memory.cell(hpa);
}

/** HPA of the TDR in a register that holds a flag in bit 0 too. Errors: TDX_OPERAND_INVALID. */
export function tdrHpaWithFlag(call: Call, register: number): number {
  const lo = call.lo(register);
  const hi = call.hi(register);
  if ((lo & 0xffe) !== 0 || hi >>> 20 !== 0) fail(TDX_OPERAND_INVALID, register);
  return hi * 0x1_0000_0000 + lo - (lo & 1);
}

/**
 * Checks that the TD is built (not fatal, keys configured, TDCS there), locks its operation state and checks that the leaf
 * is allowed in it. Returns the TDCS.
 * Errors: TDX_TD_FATAL, TDX_TD_KEYS_NOT_CONFIGURED, TDX_TDCS_NOT_ALLOCATED, TDX_OPERAND_BUSY(OP_STATE), TDX_OP_STATE_INCORRECT.
 */
export function* checkStateAndLockTdcs(call: Call, tdr: number, mode: number): Steps<number> {
  const { store } = call;
  yield "check the TD's life cycle";
  if (store.read(tdr + TDR_FATAL) !== 0) fail(TDX_TD_FATAL);
  const lifecycle = store.read(tdr + TDR_LIFECYCLE_STATE);
  if (lifecycle !== TD_KEYS_CONFIGURED) fail(TDX_TD_KEYS_NOT_CONFIGURED, 0, whyLifecycle(lifecycle));
  const pages = store.read(tdr + TDR_NUM_TDCX);
  if (pages < MIN_NUM_TDCS_PAGES)
    fail(TDX_TDCS_NOT_ALLOCATED, 0, `${pages} of ${MIN_NUM_TDCS_PAGES} TDCS pages were added`);

  const tdcs = tdcsCell(call, tdr, 0);
  if (mode !== NO_LOCK) {
    yield "lock the TD's operation state";
    yield* lockSharexHp(call, tdcs + TDCS_OP_STATE_LOCK, mode, OPERAND_OP_STATE);
  }
  yield "check that the operation state allows the leaf";
  const opState = store.read(tdcs + TDCS_OP_STATE);
  const allowed = call.isGuest ? opStateAllowsGuestLeaf(call.leaf, opState) : opStateAllowsHostLeaf(call.leaf, opState);
  if (!allowed) fail(TDX_OP_STATE_INCORRECT, 0, `the TD is ${opStateNames[opState] ?? opState}`);
  return tdcs;
}

/** The cell of a TDCS field by its place (layout.ts), on whichever TDCS page it lies. */
export function tdcsCell(call: Call, tdr: number, place: number): number {
  const page = place >>> 10;
  return call.memory.cell(call.store.readNumber(tdr + TDR_TDCX_PA + page * 2)) + (place & 0x3ff);
}

/** Changes the number of 4 KiB pages that the TDR counts as its children. */
export function addChildren(call: Call, tdr: number, pages: number): void {
  call.store.writeNumber(tdr + TDR_CHLDCNT, call.store.readNumber(tdr + TDR_CHLDCNT) + pages);
}

/** The module is about to write a page with the TD's own KeyID. */
export function claimTdPage(call: Call, tdr: number, hpa: number): void {
  call.claimPage(hpa, call.store.read(tdr + TDR_HKID));
}
