/**
 * The processor's part of what a guest does: most actions are a VM exit, for which it fills the exit fields of the VMCS; the
 * others it does itself, in TDX non-root mode, and the module never learns of them.
 */
import { PAGE_SIZE } from "../../arch/page.ts";
import { RCX } from "../../arch/registers.ts";
import { LP_GPR } from "../../platform/lp.ts";
import type { Call } from "../call.ts";
import {
  TDR_HKID,
  VMCS_EXIT_QUALIFICATION,
  VMCS_EXIT_REASON,
  VMCS_GUEST_LINEAR_ADDRESS,
  VMCS_GUEST_PHYSICAL_ADDRESS,
  VMCS_GUEST_RIP,
  VMCS_IDT_VECTORING_ERROR_CODE,
  VMCS_IDT_VECTORING_INFORMATION,
  VMCS_VM_ENTRY_INTERRUPTION_INFORMATION,
  VMCS_VM_EXIT_INSTRUCTION_INFORMATION,
  VMCS_VM_EXIT_INSTRUCTION_LENGTH,
  VMCS_VM_EXIT_INTERRUPTION_ERROR_CODE,
  VMCS_VM_EXIT_INTERRUPTION_INFORMATION,
} from "../layout.ts";
import {
  type AccessAction,
  type GuestAction,
  GuestActionError,
  type GuestResult,
  type VmExitAction,
} from "./actions.ts";
import { injectedEvent } from "./events.ts";
import { isNative } from "./msr.ts";
import * as Reason from "./reasons.ts";
import { enter64Bit, moveRip } from "./rip.ts";
import { EXECUTE, gpaBits, isShared, READ, translatePrivate, WRITE } from "./translate.ts";

const TDCALL_BYTES = 4;
const CPUID_BYTES = 2;
const MSR_BYTES = 2;

const DEFAULT_READ_BYTES = 8;
/** Exit qualification of an EPT violation: the linear address is valid, and it was the access itself that failed. */
const GLA_VALID = 0x180;

const EVENT_VALID = 0x8000_0000;
const MACHINE_CHECK = EVENT_VALID + 0x300 + 18;

/**
 * Does the action if the guest can do it alone, and returns how it ended; else prepares the VM exit and returns undefined.
 * `call` knows the VCPU. Throws a GuestActionError for operands that no processor could have.
 */
export function perform(call: Call, action: GuestAction): GuestResult | undefined {
  switch (action.action) {
    case "longmode":
      enter64Bit(call);
      return { kind: "none" };
    case "advance":
      moveRip(call, action.bytes);
      return { kind: "none" };
    case "tdcall":
      return exit(call, { action: "vmexit", reason: Reason.TDCALL, instructionLength: TDCALL_BYTES });
    case "cpuid":
      return exit(call, { action: "vmexit", reason: Reason.CPUID, instructionLength: CPUID_BYTES });
    case "rdmsr":
    case "wrmsr": {
      const write = action.action === "wrmsr";
      if (isNative(call, call.store.read(call.lpCell + LP_GPR + RCX * 2), write)) return { kind: "native" };
      const reason = write ? Reason.MSR_WRITE : Reason.MSR_READ;
      return exit(call, { action: "vmexit", reason, instructionLength: MSR_BYTES });
    }
    case "access":
      return access(call, action);
    case "vmexit":
      return exit(call, action);
  }
}

function access(call: Call, action: AccessAction): GuestResult | undefined {
  const { gpa, kind, data } = action;
  const length = kind === "w" ? (data?.length ?? 0) : kind === "r" ? (action.length ?? DEFAULT_READ_BYTES) : 1;
  if (!Number.isSafeInteger(gpa) || gpa < 0 || (gpa % PAGE_SIZE) + length > PAGE_SIZE) {
    throw new GuestActionError(`access to GPA 0x${gpa.toString(16)}, ${length} bytes: not inside one page`);
  }
  const wanted = kind === "r" ? READ : kind === "w" ? WRITE : EXECUTE;
  const aboveWidth = gpa >= 2 ** gpaBits(call, call.tdcs);
  if (!aboveWidth && !isShared(call, call.tdcs, gpa)) {
    const found = translatePrivate(call, call.tdcs, gpa, wanted);
    const hkid = call.store.read(call.tdr + TDR_HKID);
    call.platform.tlb.use(call.lp, hkid, gpa, found.allowed ? found.hpa : undefined);
    if (found.allowed) {
      if (call.platform.keyed.meets(found.hpa, length, hkid) === "poison") return machineCheck(call);
      if (kind === "w") call.memory.writeBytes(found.hpa, data ?? new Uint8Array(0));
      return { kind: "ok", data: kind === "r" ? call.memory.readBytes(found.hpa, length) : undefined };
    }
  }
  return exit(call, {
    action: "vmexit",
    reason: Reason.EPT_VIOLATION,
    qualification: BigInt(GLA_VALID | wanted),
    gpa: BigInt(gpa),
    gla: BigInt(gpa),
  });
}

/** Poison was consumed: an exception exit with #MC, a hardware exception of vector 18. */
function machineCheck(call: Call): undefined {
  return exit(call, { action: "vmexit", reason: Reason.EXCEPTION_OR_NMI, interruption: MACHINE_CHECK });
}

function exit(call: Call, fields: VmExitAction): undefined {
  const { store, vmcs } = call;
  store.write(vmcs + VMCS_EXIT_REASON, fields.reason);
  store.writeBig(vmcs + VMCS_EXIT_QUALIFICATION, fields.qualification ?? 0n);
  store.writeBig(vmcs + VMCS_GUEST_PHYSICAL_ADDRESS, fields.gpa ?? 0n);
  store.writeBig(vmcs + VMCS_GUEST_LINEAR_ADDRESS, fields.gla ?? 0n);
  store.write(vmcs + VMCS_VM_EXIT_INTERRUPTION_INFORMATION, fields.interruption ?? 0);
  store.write(vmcs + VMCS_VM_EXIT_INTERRUPTION_ERROR_CODE, fields.interruptionError ?? 0);
  store.write(vmcs + VMCS_IDT_VECTORING_INFORMATION, fields.idtVectoring ?? 0);
  store.write(vmcs + VMCS_IDT_VECTORING_ERROR_CODE, fields.idtVectoringError ?? 0);
  store.write(vmcs + VMCS_VM_EXIT_INSTRUCTION_LENGTH, fields.instructionLength ?? 0);
  store.write(vmcs + VMCS_VM_EXIT_INSTRUCTION_INFORMATION, fields.instructionInformation ?? 0);
  const entry = vmcs + VMCS_VM_ENTRY_INTERRUPTION_INFORMATION;
  store.write(entry, store.read(entry) & ~EVENT_VALID); // the processor does so at every VM exit
  call.ripAtExit = store.read(vmcs + VMCS_GUEST_RIP);
  return undefined;
}

/** How an action ended for which the guest left; `inGuest` if it runs again. */
export function resultOfExit(call: Call, inGuest: boolean): GuestResult {
  if (!inGuest) return { kind: "exit" };
  const rip = (call.store.read(call.vmcs + VMCS_GUEST_RIP) - call.ripAtExit) | 0;
  return { kind: "resume", rip, injected: injectedEvent(call) };
}
