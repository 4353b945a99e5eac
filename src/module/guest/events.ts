/**
 * Events that the module injects into a guest at its next VM entry, through the VM-entry fields of the VMCS
 * (Intel SDM, volume 3, "Event Injection").
 */
import type { Call } from "../call.ts";
import {
  TDVPS_CR2,
  TDVPS_EPTP_INDEX,
  TDVPS_EXIT_QUALIFICATION,
  TDVPS_EXIT_REASON,
  TDVPS_GLA,
  TDVPS_GPA,
  TDVPS_INSTRUCTION_INFORMATION,
  TDVPS_INSTRUCTION_LENGTH,
  TDVPS_VALID,
  VMCS_EPTP_INDEX,
  VMCS_EXCEPTION_BITMAP,
  VMCS_GUEST_RFLAGS,
  VMCS_PAGE_FAULT_ERROR_CODE_MASK,
  VMCS_PAGE_FAULT_ERROR_CODE_MATCH,
  VMCS_VM_ENTRY_EXCEPTION_ERROR_CODE,
  VMCS_VM_ENTRY_INTERRUPTION_INFORMATION,
  VMCS_VM_EXIT_INSTRUCTION_INFORMATION,
  VMCS_VM_EXIT_INSTRUCTION_LENGTH,
  VMCS_VM_EXIT_INTERRUPTION_ERROR_CODE,
} from "../layout.ts";
import type { InjectedEvent } from "./actions.ts";

/** Interruption information: vector, type, error-code bit and valid bit. */
const VALID = 0x8000_0000;
const ERROR_CODE_VALID = 1 << 11;
const TYPE_MASK = 0x700;
const TYPE_HARDWARE_EXCEPTION = 0x300;
const INJECT_NMI = 0x8000_0202;
const INJECT_UD = 0x8000_0306;
const INJECT_DF = 0x8000_0b08;
const INJECT_GP = 0x8000_0b0d;
const INJECT_PF = 0x8000_0b0e;
const INJECT_VE = 0x8000_0314;

const VECTOR_DF = 8;
const VECTOR_PF = 14;
const VECTOR_VE = 20;

const RFLAGS_RF = 1 << 16;

/** VE_INFO.VALID of information that the guest has not read yet. */
const VE_INFO_VALID = 0xffff_ffff;

/** The interruption information that the next VM entry will deliver; 0 if none. */
export function pendingEvent(call: Call): number {
  const information = call.store.read(call.vmcs + VMCS_VM_ENTRY_INTERRUPTION_INFORMATION);
  return information >= VALID ? information : 0;
}

/** The event that the last VM entry delivered, as the guest sees it. */
export function injectedEvent(call: Call): InjectedEvent | undefined {
  const information = pendingEvent(call);
  if (information === 0) return undefined;
  const errorCode = call.store.read(call.vmcs + VMCS_VM_ENTRY_EXCEPTION_ERROR_CODE);
  return { information, errorCode: (information & ERROR_CODE_VALID) !== 0 ? errorCode : undefined };
}

function isException(information: number, vector: number): boolean {
  return information !== 0 && (information & (TYPE_MASK | 0xff)) === (TYPE_HARDWARE_EXCEPTION | vector);
}

function inject(call: Call, information: number): void {
  call.store.write(call.vmcs + VMCS_VM_ENTRY_INTERRUPTION_INFORMATION, information);
}

function injectWithCode(call: Call, information: number, errorCode: number): void {
  inject(call, information);
  call.store.write(call.vmcs + VMCS_VM_ENTRY_EXCEPTION_ERROR_CODE, errorCode);
}

/** RFLAGS.RF, as the processor sets it in the image that a fault pushes. */
function setResumeFlag(call: Call): void {
  const rflags = call.vmcs + VMCS_GUEST_RFLAGS;
  call.store.write(rflags, call.store.read(rflags) | RFLAGS_RF);
}

export function injectNmi(call: Call): void {
  inject(call, INJECT_NMI);
}

export function injectUd(call: Call): void {
  setResumeFlag(call);
  inject(call, INJECT_UD);
}

/** #GP(0). */
export function injectGp(call: Call): void {
  setResumeFlag(call);
  injectWithCode(call, INJECT_GP, 0);
}

/**
 * #VE with its information in VE_INFO, for TDG.VP.VEINFO.GET; if the guest has not read the last one yet, #DF instead, since
 * it could not tell the two apart.
 */
export function injectVe(call: Call, reason: number, qualification: bigint, gpa: bigint, gla: bigint): void {
  const { store, tdvpr, vmcs } = call;
  if (store.read(tdvpr + TDVPS_VALID) === 0) {
    store.write(tdvpr + TDVPS_EXIT_REASON, reason);
    store.writeBig(tdvpr + TDVPS_EXIT_QUALIFICATION, qualification);
    store.writeBig(tdvpr + TDVPS_GLA, gla);
    store.writeBig(tdvpr + TDVPS_GPA, gpa);
    store.write(tdvpr + TDVPS_EPTP_INDEX, store.read(vmcs + VMCS_EPTP_INDEX) & 0xffff);
    store.write(tdvpr + TDVPS_INSTRUCTION_LENGTH, store.read(vmcs + VMCS_VM_EXIT_INSTRUCTION_LENGTH));
    store.write(tdvpr + TDVPS_INSTRUCTION_INFORMATION, store.read(vmcs + VMCS_VM_EXIT_INSTRUCTION_INFORMATION));
    store.write(tdvpr + TDVPS_VALID, VE_INFO_VALID);
    inject(call, INJECT_VE);
    call.platform.noteVe(call.lp);
  } else {
    injectWithCode(call, INJECT_DF, 0);
  }
  setResumeFlag(call);
}

/**
 * #PF with this error code and CR2; #DF if a #PF or #VE is already to be delivered. Returns false if that is a #DF already:
 * a triple fault.
 */
export function injectPf(call: Call, gla: bigint, errorCode: number): boolean {
  const pending = pendingEvent(call);
  call.store.writeBig(call.tdvpr + TDVPS_CR2, gla);
  if (isException(pending, VECTOR_DF)) return false;
  if (isException(pending, VECTOR_PF) || isException(pending, VECTOR_VE)) injectWithCode(call, INJECT_DF, 0);
  else injectWithCode(call, INJECT_PF, errorCode);
  setResumeFlag(call);
  return true;
}

/**
 * True if the event to be delivered is an exception that the debugger of a debuggable TD intercepts: the exception bitmap,
 * and for #PF the error-code filter.
 */
export function isIntercepted(call: Call): boolean {
  const { store, vmcs } = call;
  const pending = pendingEvent(call);
  if (pending === 0 || (pending & TYPE_MASK) !== TYPE_HARDWARE_EXCEPTION) return false;
  const vector = pending & 0x1f;
  if (((store.read(vmcs + VMCS_EXCEPTION_BITMAP) >>> vector) & 1) === 0) return false;
  if (vector !== VECTOR_PF) return true;
  const code = store.read(vmcs + VMCS_VM_EXIT_INTERRUPTION_ERROR_CODE);
  const mask = store.read(vmcs + VMCS_PAGE_FAULT_ERROR_CODE_MASK);
  return (code & mask) >>> 0 === store.read(vmcs + VMCS_PAGE_FAULT_ERROR_CODE_MATCH);
}
