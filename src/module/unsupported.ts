/**
 * Host leaves of module 1.5.01 that are left out: live migration and service TDs. One that is called refuses the TD that it names
 * as the module's own would (wrong page, life cycle, operation state), checks its first operands (unsupported-checks.ts), and where
 * that one would go on, answers as a leaf that a module does not have: TDX_OPERAND_INVALID(RAX).
 */
import { PT_TDVPR } from "../arch/generated/pamt-types.ts";
import { TDX_OPERAND_INVALID } from "../arch/generated/status-codes.ts";
import { R10, R11, R12, R13, RAX, RCX, RDX } from "../arch/registers.ts";
import { type Call, fail } from "./call.ts";
import { EXCLUSIVE, SHARED } from "./lock-words.ts";
import { lockOwnerTdr } from "./owner.ts";
import { lockPage, PG_4K, pageOwner } from "./pamt.ts";
import type { Steps } from "./step.ts";
import { checkStateAndLockTdcs, lockTdr, NO_LOCK } from "./td.ts";
import { operandChecks } from "./unsupported-checks.ts";

export interface UnsupportedLeaf {
  readonly name: string;
  /** The register that names the TD's TDR, or a VCPU's TDVPR. */
  readonly operand: number;
  readonly names: "TDR" | "TDVPR";
  readonly mode: number;
  readonly opStateMode: number;
  /** Registers that are 0 from the start. */
  readonly zeroed: readonly number[];
}

const leaf = (name: string, operand: number, mode: number, opStateMode: number, zeroed: readonly number[] = []) =>
  ({ name, operand, names: "TDR", mode, opStateMode, zeroed }) satisfies UnsupportedLeaf;

const vcpuLeaf = (name: string, zeroed: readonly number[]) =>
  ({ name, operand: RCX, names: "TDVPR", mode: EXCLUSIVE, opStateMode: SHARED, zeroed }) satisfies UnsupportedLeaf;

/** By leaf number. */
export const unsupportedLeaves: Readonly<Record<number, UnsupportedLeaf>> = {
  48: leaf("TDH.SERVTD.BIND", RCX, SHARED, SHARED, [RCX, R10, R11, R12, R13]),
  49: leaf("TDH.SERVTD.PREBIND", RCX, SHARED, SHARED),
  64: leaf("TDH.EXPORT.ABORT", RCX, SHARED, EXCLUSIVE),
  65: leaf("TDH.EXPORT.BLOCKW", RDX, SHARED, SHARED),
  66: leaf("TDH.EXPORT.RESTORE", RDX, SHARED, SHARED),
  68: leaf("TDH.EXPORT.MEM", RDX, SHARED, SHARED),
  70: leaf("TDH.EXPORT.PAUSE", RCX, EXCLUSIVE, NO_LOCK),
  71: leaf("TDH.EXPORT.TRACK", RCX, SHARED, EXCLUSIVE),
  72: leaf("TDH.EXPORT.STATE.IMMUTABLE", RCX, SHARED, EXCLUSIVE, [RDX]),
  73: leaf("TDH.EXPORT.STATE.TD", RCX, SHARED, EXCLUSIVE, [RDX]),
  74: vcpuLeaf("TDH.EXPORT.STATE.VP", [RDX]),
  75: leaf("TDH.EXPORT.UNBLOCKW", RDX, SHARED, SHARED, [RCX, RDX]),
  80: leaf("TDH.IMPORT.ABORT", RCX, EXCLUSIVE, NO_LOCK),
  81: leaf("TDH.IMPORT.END", RCX, EXCLUSIVE, NO_LOCK),
  82: leaf("TDH.IMPORT.COMMIT", RCX, EXCLUSIVE, NO_LOCK),
  83: leaf("TDH.IMPORT.MEM", RDX, SHARED, SHARED),
  84: leaf("TDH.IMPORT.TRACK", RCX, EXCLUSIVE, NO_LOCK),
  85: leaf("TDH.IMPORT.STATE.IMMUTABLE", RCX, EXCLUSIVE, NO_LOCK, [RCX, RDX]),
  86: leaf("TDH.IMPORT.STATE.TD", RCX, EXCLUSIVE, NO_LOCK, [RCX, RDX]),
  87: vcpuLeaf("TDH.IMPORT.STATE.VP", [RCX, RDX]),
  96: leaf("TDH.MIG.STREAM.CREATE", RDX, SHARED, EXCLUSIVE),
};

const SERVTD_BIND = 48;

/** Answers a leaf that `hostLeaves` does not have. */
export function* refuseLeaf(call: Call): Steps {
  const info = unsupportedLeaves[call.leaf];
  if (info === undefined) fail(TDX_OPERAND_INVALID, RAX);
  for (const register of info.zeroed) call.setNum(register, 0);
  if (call.leaf === SERVTD_BIND) {
    yield "check that the service TD is another one than its target";
    if (call.lo(RCX) === call.lo(RDX) && call.hi(RCX) === call.hi(RDX)) fail(TDX_OPERAND_INVALID, RDX);
  }

  let tdr: number;
  if (info.names === "TDR") {
    yield "lock the TDR";
    tdr = yield* lockTdr(call, info.operand, info.mode);
  } else {
    yield "lock the VCPU";
    const page = yield* lockPage(call, call.num(info.operand), PG_4K, info.mode, PT_TDVPR, info.operand);
    tdr = yield* lockOwnerTdr(call, pageOwner(call, page.cell), SHARED);
  }
  const tdcs = yield* checkStateAndLockTdcs(call, tdr, info.opStateMode);
  const check = operandChecks[call.leaf];
  if (check !== undefined) yield* check(call, { tdr, tdcs });
  yield "refuse: this emulator has no such leaf";
  fail(TDX_OPERAND_INVALID, RAX);
}
