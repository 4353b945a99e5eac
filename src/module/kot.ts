/**
 * The key ownership table: one entry for each KeyID.
 *
 * - HKID_FREE: no TD has it, and no cache line of it is left.
 * - HKID_ASSIGNED: it belongs to exactly one TD, which is TD_HKID_ASSIGNED or TD_KEYS_CONFIGURED.
 * - HKID_FLUSHED: its TD is TD_BLOCKED: no VCPU can run, but caches may hold lines of it. The bit map names the
 *   packages that have not written back theirs yet; when it is empty TDH.MNG.KEY.FREEID may free the KeyID.
 * - HKID_RESERVED: the module's own global KeyID. Never freed.
 */
import { OPERAND_KOT } from "../arch/generated/operand-ids.ts";
import type { Call } from "./call.ts";
import { lockSharex } from "./locks.ts";
import type { Steps } from "./step.ts";
import {
  KOT_STATE,
  KOT_WBINVD_BITMAP,
  KOT_WORDS,
  SYS_KOT,
  SYS_KOT_LOCK,
  SYS_PRIVATE_HKID_MAX,
  SYS_PRIVATE_HKID_MIN,
} from "./sys.ts";

/** Errors: TDX_OPERAND_BUSY(KOT). */
export function* lockKot(call: Call, mode: number): Steps {
  yield* lockSharex(call, call.sys + SYS_KOT_LOCK, mode, OPERAND_KOT);
}

export function isPrivateHkid(call: Call, hkid: number): boolean {
  const { store, sys } = call;
  return hkid >= store.read(sys + SYS_PRIVATE_HKID_MIN) && hkid <= store.read(sys + SYS_PRIVATE_HKID_MAX);
}

/** The KeyID in bits 15:0 of a register, or -1 if it is not private or other bits are set. */
export function privateHkidOperand(call: Call, register: number): number {
  const hkid = call.lo(register);
  return call.hi(register) === 0 && hkid <= 0xffff && isPrivateHkid(call, hkid) ? hkid : -1;
}

export function hkidState(call: Call, hkid: number): number {
  return call.store.read(call.sys + SYS_KOT + hkid * KOT_WORDS + KOT_STATE);
}

export function setHkidState(call: Call, hkid: number, state: number): void {
  call.store.write(call.sys + SYS_KOT + hkid * KOT_WORDS + KOT_STATE, state);
}

/** Packages that have still to write back their caches, one bit each. */
export function wbinvdBitmap(call: Call, hkid: number): number {
  return call.store.read(call.sys + SYS_KOT + hkid * KOT_WORDS + KOT_WBINVD_BITMAP);
}

export function setWbinvdBitmap(call: Call, hkid: number, packages: number): void {
  call.store.write(call.sys + SYS_KOT + hkid * KOT_WORDS + KOT_WBINVD_BITMAP, packages);
}
