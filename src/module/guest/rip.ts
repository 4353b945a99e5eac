/** What the module does to a guest's RIP and to the state around one instruction. */
import type { Call } from "../call.ts";
import {
  VMCS_GUEST_CS_ACCESS_RIGHTS,
  VMCS_GUEST_RFLAGS,
  VMCS_GUEST_RIP,
  VMCS_GUEST_SS_ACCESS_RIGHTS,
  VMCS_IA32_DEBUGCTL,
  VMCS_IA32_EFER,
  VMCS_INTERRUPTIBILITY_STATE,
  VMCS_PENDING_DEBUG_EXCEPTIONS,
  VMCS_VM_EXIT_INSTRUCTION_LENGTH,
} from "../layout.ts";

/** Interruptibility state: blocking by STI, by MOV SS, by NMI. */
const BLOCKING_BY_STI_MOV_SS = 0b11;
const BLOCKING_BY_NMI = 1 << 3;

const RFLAGS_TF = 1 << 8;
const DEBUGCTL_BTF = 1 << 1;
/** Pending debug exceptions: single step. */
const PENDING_BS = 1 << 14;

const EFER_LMA = 1 << 10;
/** Access rights: 64-bit code segment; descriptor privilege level in bits 6:5. */
const ACCESS_RIGHTS_L = 1 << 13;

/** Moves RIP on by `bytes`. */
export function moveRip(call: Call, bytes: number): void {
  const rip = call.vmcs + VMCS_GUEST_RIP;
  call.store.writeBig(rip, BigInt.asUintN(64, call.store.readBig(rip) + BigInt(bytes)));
}

/** Past the instruction that caused the exit, as the processor would have completed it. */
export function advanceRip(call: Call): void {
  const { store, vmcs } = call;
  moveRip(call, store.read(vmcs + VMCS_VM_EXIT_INSTRUCTION_LENGTH));
  const interruptibility = vmcs + VMCS_INTERRUPTIBILITY_STATE;
  store.write(interruptibility, store.read(interruptibility) & ~BLOCKING_BY_STI_MOV_SS);

  const steps =
    (store.read(vmcs + VMCS_GUEST_RFLAGS) & RFLAGS_TF) !== 0 &&
    (store.read(vmcs + VMCS_IA32_DEBUGCTL) & DEBUGCTL_BTF) === 0;
  const pending = vmcs + VMCS_PENDING_DEBUG_EXCEPTIONS;
  store.write(pending, steps ? store.read(pending) | PENDING_BS : store.read(pending) & ~PENDING_BS);
}

export function blockNmi(call: Call, blocked: boolean): void {
  const cell = call.vmcs + VMCS_INTERRUPTIBILITY_STATE;
  const state = call.store.read(cell);
  call.store.write(cell, blocked ? state | BLOCKING_BY_NMI : state & ~BLOCKING_BY_NMI);
}

/** True if the guest runs 64-bit code. */
export function is64Bit(call: Call): boolean {
  const { store, vmcs } = call;
  return (
    (store.read(vmcs + VMCS_IA32_EFER) & EFER_LMA) !== 0 &&
    (store.read(vmcs + VMCS_GUEST_CS_ACCESS_RIGHTS) & ACCESS_RIGHTS_L) !== 0
  );
}

/** The guest has entered 64-bit mode. */
export function enter64Bit(call: Call): void {
  const { store, vmcs } = call;
  store.write(vmcs + VMCS_IA32_EFER, store.read(vmcs + VMCS_IA32_EFER) | EFER_LMA);
  const rights = vmcs + VMCS_GUEST_CS_ACCESS_RIGHTS;
  store.write(rights, store.read(rights) | ACCESS_RIGHTS_L);
}

/** Current privilege level: the DPL of SS. */
export function privilegeLevel(call: Call): number {
  return (call.store.read(call.vmcs + VMCS_GUEST_SS_ACCESS_RIGHTS) >>> 5) & 3;
}
