/** Writes of fields of the TD's own VMCS that need more than the masks. */
import {
  TDX_METADATA_FIELD_VALUE_NOT_VALID,
  TDX_TD_VMCS_FIELD_NOT_INITIALIZED,
} from "../../arch/generated/status-codes.ts";
import { ATTRIBUTE_DEBUG } from "../attributes.ts";
import { type Call, fail } from "../call.ts";
import {
  TDCS_ATTRIBUTES,
  TDVPS_SHADOW_PID_HPA,
  TDVPS_SHADOW_PINBASED_EXEC_CTLS,
  TDVPS_SHADOW_POSTED_INT_NOTIFICATION_VECTOR,
  TDVPS_SHADOW_SHARED_EPTP,
  VMCS_CR0_GUEST_HOST_MASK,
  VMCS_CR0_READ_SHADOW,
  VMCS_CR4_GUEST_HOST_MASK,
  VMCS_CR4_READ_SHADOW,
  VMCS_PML_ADDRESS,
  VMCS_POSTED_INTERRUPT_DESCRIPTOR_ADDRESS,
  VMCS_POSTED_INTERRUPT_NOTIFICATION_VECTOR,
} from "../layout.ts";
import { SAMPLED_MSRS, sampledMsr } from "../platform-config.ts";
import { tdvpsCell } from "../vcpu.ts";
import { hex } from "../why.ts";
import { fieldCode } from "./field-id.ts";
import { type Element, readWords, type Subject, writeWords } from "./located.ts";

/** VMCS field encodings (SDM volume 3, appendix B). */
export const CODE_POSTED_INTERRUPT_VECTOR = 0x2;
export const CODE_POSTED_INTERRUPT_DESCRIPTOR = 0x2016;
export const CODE_SHARED_EPTP = 0x203c;
export const CODE_DEBUGCTL = 0x2802;
export const CODE_PINBASED_CTLS = 0x4000;
export const CODE_PROCBASED_CTLS2 = 0x401e;
export const CODE_GUEST_CR0 = 0x6800;
export const CODE_GUEST_CR4 = 0x6804;

/** Notification vector that was never set. */
const NO_VECTOR = 0xffff;
const MAX_VECTOR = 255n;
/** A physical address that was never set. */
export const NULL_PA = 0xffff_ffff_ffff_ffffn;

const PROCESS_POSTED_INTERRUPTS = 1n << 7n;
const ENABLE_PML = 1n << 17n;
/** IA32_DEBUGCTL: TR without BTS writes branch records to where only a debugger sees them; bit 13 is the host's own. */
const DEBUGCTL_TR = 1n << 6n;
const DEBUGCTL_BTS = 1n << 7n;
const IA32_DEBUGCTL = 0x1d9;
const DEBUGCTL_UNCORE_PMI = 1n << 13n;

/** Writes a field; `value` has all its bits as they shall be. Errors: see `writeVp`. */
export function writeVmcs(call: Call, element: Element, subject: Subject, value: bigint, writable: bigint): void {
  const { store } = call;
  const { tdvpr, tdcs } = subject;
  let final = value;
  switch (fieldCode(element.id)) {
    case CODE_GUEST_CR0:
      final = guestCr(call, tdvpr, element, value, VMCS_CR0_GUEST_HOST_MASK, VMCS_CR0_READ_SHADOW);
      break;
    case CODE_GUEST_CR4:
      final = guestCr(call, tdvpr, element, value, VMCS_CR4_GUEST_HOST_MASK, VMCS_CR4_READ_SHADOW);
      break;
    case CODE_DEBUGCTL:
      final = debugctl(call, tdcs, value);
      break;
    case CODE_PINBASED_CTLS:
      if ((value & PROCESS_POSTED_INTERRUPTS) !== 0n) checkPostedInterrupts(call, tdvpr);
      store.write(tdvpr + TDVPS_SHADOW_PINBASED_EXEC_CTLS, Number(value));
      break;
    case CODE_POSTED_INTERRUPT_DESCRIPTOR:
      store.writeBig(tdvpr + TDVPS_SHADOW_PID_HPA, value);
      break;
    case CODE_POSTED_INTERRUPT_VECTOR:
      if (value > MAX_VECTOR) fail(TDX_METADATA_FIELD_VALUE_NOT_VALID, 0, `vector ${hex(value)} is above 0xff`);
      store.write(tdvpr + TDVPS_SHADOW_POSTED_INT_NOTIFICATION_VECTOR, Number(value));
      break;
    case CODE_PROCBASED_CTLS2:
      checkProcbasedCtls2(call, subject, value, writable);
      break;
    case CODE_SHARED_EPTP:
      store.writeBig(tdvpr + TDVPS_SHADOW_SHARED_EPTP, value);
      break;
    default:
      break;
  }
  writeWords(call, element, final);
}

/** A control register as if the guest wrote it: bits that the host owns must have the value that the guest sees. */
function guestCr(call: Call, tdvpr: number, element: Element, value: bigint, mask: number, shadow: number): bigint {
  const owned = call.store.readBig(tdvpsCell(call, tdvpr, mask));
  return keepOwned(readWords(call, element), value, owned, call.store.readBig(tdvpsCell(call, tdvpr, shadow)));
}

/** Merges a new control register value into the real one. Errors: TDX_METADATA_FIELD_VALUE_NOT_VALID. */
export function keepOwned(real: bigint, value: bigint, owned: bigint, shadow: bigint): bigint {
  if ((value & owned) !== (shadow & owned)) {
    const why = `bits ${hex((value ^ shadow) & owned)} belong to the module`;
    fail(TDX_METADATA_FIELD_VALUE_NOT_VALID, 0, why);
  }
  return (real & owned) | (value & ~owned);
}

/** IA32_DEBUGCTL for a guest: bit 13 is as on this LP. Errors: TDX_METADATA_FIELD_VALUE_NOT_VALID. */
export function debugctl(call: Call, tdcs: number, value: bigint): bigint {
  const isDebug = (call.store.read(tdcs + TDCS_ATTRIBUTES) & ATTRIBUTE_DEBUG) !== 0;
  if ((value & DEBUGCTL_BTS) === 0n && (value & DEBUGCTL_TR) !== 0n && !isDebug) {
    fail(TDX_METADATA_FIELD_VALUE_NOT_VALID, 0, "TR without BTS needs a debug TD");
  }
  return (value & ~DEBUGCTL_UNCORE_PMI) | (call.platform.rdmsr(call.lp, IA32_DEBUGCTL) & DEBUGCTL_UNCORE_PMI);
}

/** Posted interrupts need their vector and descriptor. Errors: TDX_TD_VMCS_FIELD_NOT_INITIALIZED with the field's encoding. */
function checkPostedInterrupts(call: Call, tdvpr: number): void {
  if (call.store.read(tdvpsCell(call, tdvpr, VMCS_POSTED_INTERRUPT_NOTIFICATION_VECTOR)) === NO_VECTOR) {
    fail(TDX_TD_VMCS_FIELD_NOT_INITIALIZED, CODE_POSTED_INTERRUPT_VECTOR, "no notification vector was written");
  }
  if (call.store.readBig(tdvpsCell(call, tdvpr, VMCS_POSTED_INTERRUPT_DESCRIPTOR_ADDRESS)) === NULL_PA) {
    fail(TDX_TD_VMCS_FIELD_NOT_INITIALIZED, CODE_POSTED_INTERRUPT_DESCRIPTOR, "no descriptor was written");
  }
}

/** What the processor allows (IA32_VMX_PROCBASED_CTLS2); page modification logging needs a debug TD and a log. */
function checkProcbasedCtls2(call: Call, { tdcs, tdvpr }: Subject, value: bigint, writable: bigint): void {
  const allowed = sampledMsr(call, SAMPLED_MSRS.IA32_VMX_PROCBASED_CTLS2);
  const mustBeOne = allowed & 0xffff_ffffn;
  const mayBeOne = allowed >> 32n;
  const wrong = writable & ((~value & mustBeOne) | (value & ~mayBeOne));
  if (wrong !== 0n) fail(TDX_METADATA_FIELD_VALUE_NOT_VALID, 0, `the processor does not allow bits ${hex(wrong)}`);
  if ((value & ENABLE_PML) === 0n) return;
  const isDebug = (call.store.read(tdcs + TDCS_ATTRIBUTES) & ATTRIBUTE_DEBUG) !== 0;
  const log = call.store.readBig(tdvpsCell(call, tdvpr, VMCS_PML_ADDRESS));
  if (!isDebug || (log & (1n << 63n)) !== 0n) {
    fail(TDX_METADATA_FIELD_VALUE_NOT_VALID, 0, "a page modification log needs a debug TD and an address");
  }
}
