/**
 * The guests of a capture that was made in a host. It cannot see them: TDH.VP.ENTER returns in it with a TD exit, and no line
 * says what the guest did to bring that about. Replay has the guest do what the exit tells of (registers of a TD exit:
 * module/guest/td-exit.ts), and compares what the module makes of it. What a guest does without an exit, as accepting pages,
 * stays undone.
 */
import { TDG_MEM_PAGE_ACCEPT } from "../../arch/generated/leaves.ts";
import {
  TDX_NON_RECOVERABLE_TD,
  TDX_NON_RECOVERABLE_TD_CORRUPTED_MD,
  TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE,
  TDX_NON_RECOVERABLE_TD_WRONG_APIC_MODE,
  TDX_NON_RECOVERABLE_VCPU,
  TDX_SUCCESS,
} from "../../arch/generated/status-codes.ts";
import { R8, R9, RAX, RCX, RDX } from "../../arch/registers.ts";
import { toBig } from "../../arch/u64.ts";
import type { GuestAction } from "../../module/guest/actions.ts";
import { EPT_VIOLATION, EXTERNAL_INTERRUPT, TDCALL } from "../../module/guest/reasons.ts";
import { EXTENDED_ACCEPT } from "../../module/guest/td-exit.ts";
import type { Machine } from "../../module/machine.ts";
import type { LpRegisters } from "./lp-registers.ts";
import { type RegisterFile, registerFile } from "./outcome.ts";

/** Statuses of TDH.VP.ENTER with an exit reason in bits 31:0. */
const EXITS: ReadonlySet<number> = new Set([
  TDX_SUCCESS,
  TDX_NON_RECOVERABLE_VCPU,
  TDX_NON_RECOVERABLE_TD,
  TDX_NON_RECOVERABLE_TD_CORRUPTED_MD,
  TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE,
  TDX_NON_RECOVERABLE_TD_WRONG_APIC_MODE,
]);

/** Extended exit qualification: its kind, and the level that TDG.MEM.PAGE.ACCEPT asked for in the high half. */
const EXTENDED_KIND = 0xf;
const REQUESTED_LEVEL = 0x7;
/** Valid, external interrupt, a vector of the host's. */
const SOME_INTERRUPT = 0x8000_0020;

const lo = (file: RegisterFile, register: number): number => file[2 * register] as number;
const hi = (file: RegisterFile, register: number): number => file[2 * register + 1] as number;
const big = (file: RegisterFile, register: number): bigint => toBig(lo(file, register), hi(file, register));

/** Has the guest on the LP exit as the host saw it. Returns false if that is no exit, or the module went back to the guest. */
export function exitAsSeen(machine: Machine, lp: number, registers: LpRegisters, seen: RegisterFile): boolean {
  if (!EXITS.has(hi(seen, RAX))) return false;
  const isAccept = lo(seen, RAX) === EPT_VIOLATION && (lo(seen, RDX) & EXTENDED_KIND) === EXTENDED_ACCEPT;
  if (lo(seen, RAX) === TDCALL || isAccept) {
    const operands = isAccept ? acceptOperands(seen) : vmcallOperands(seen);
    machine.guest(lp, { action: "longmode" }); // no TDCALL comes from another mode
    registers.load(operands, true);
    return machine.guest(lp, { action: "tdcall" }).kind === "exit";
  }
  return machine.guest(lp, vmExit(seen)).kind === "exit";
}

/** Brings a guest out that runs although the log goes on with its host, as an interrupt for the host does. */
export function bringOut(machine: Machine, lp: number): void {
  machine.guest(lp, { action: "vmexit", reason: EXTERNAL_INTERRUPT, interruption: SOME_INTERRUPT });
}

/** TDG.VP.VMCALL (leaf 0): the host sees the mask in RCX, and the registers that it selects. */
function vmcallOperands(seen: RegisterFile): RegisterFile {
  const operands = seen.slice();
  operands.fill(0, 2 * RAX, 2 * RAX + 2);
  return operands;
}

function acceptOperands(seen: RegisterFile): RegisterFile {
  const operands = registerFile();
  operands[2 * RAX] = TDG_MEM_PAGE_ACCEPT;
  operands[2 * RCX] = (lo(seen, R8) & ~0xfff) | (hi(seen, RDX) & REQUESTED_LEVEL);
  operands[2 * RCX + 1] = hi(seen, R8);
  return operands;
}

function vmExit(seen: RegisterFile): GuestAction {
  return {
    action: "vmexit",
    reason: lo(seen, RAX),
    qualification: big(seen, RCX),
    gpa: big(seen, R8),
    interruption: lo(seen, R9),
  };
}
