/**
 * Fields of an L2 VM's VMCS and the controls of an L2 VM. What the TD (the L1 VMM) asked for is kept in shadows in the TDVPS; the
 * VMCS has what the module made of it. The host of a debug TD sees the VMCS, the TD sees its own values.
 */
import { TDX_METADATA_FIELD_VALUE_NOT_VALID, TDX_OPERAND_INVALID } from "../../arch/generated/status-codes.ts";
import { type Call, fail } from "../call.ts";
import {
  TDCS_MSR_BITMAPS,
  TDCS_NUM_L2_VMS,
  TDCS_TSC_MULTIPLIER,
  TDCS_TSC_OFFSET,
  TDCS_VIRTUAL_IA32_VMX_PROCBASED_CTLS2,
  TDCS_VIRTUAL_IA32_VMX_PROCBASED_CTLS3,
  TDCS_VIRTUAL_IA32_VMX_TRUE_PROCBASED_CTLS,
  TDCS_XFAM,
  TDR_TDCX_PA,
  TDVPS_BASE_L2_CR0_GUEST_HOST_MASK,
  TDVPS_BASE_L2_CR0_READ_SHADOW,
  TDVPS_BASE_L2_CR4_GUEST_HOST_MASK,
  TDVPS_BASE_L2_CR4_READ_SHADOW,
  TDVPS_L2_MSR_BITMAPS_1,
  TDVPS_L2_SHADOW_MSR_BITMAPS_1,
  TDVPS_L2_VAPIC_GPA,
  TDVPS_L2_VAPIC_HPA,
  TDVPS_L2_VMCS_1,
  TDVPS_SHADOW_CR0_GUEST_HOST_MASK,
  TDVPS_SHADOW_CR0_READ_SHADOW,
  TDVPS_SHADOW_CR4_GUEST_HOST_MASK,
  TDVPS_SHADOW_CR4_READ_SHADOW,
  TDVPS_SHADOW_PLE_GAP,
  TDVPS_SHADOW_PLE_WINDOW,
  TDVPS_SHADOW_SHARED_EPTP,
  TDVPS_SHADOW_TSC_DEADLINE,
  VMCS_CR0_GUEST_HOST_MASK,
  VMCS_CR0_READ_SHADOW,
  VMCS_CR4_GUEST_HOST_MASK,
  VMCS_CR4_READ_SHADOW,
  VMCS_SHARED_EPTP,
} from "../layout.ts";
import { SAMPLED_MSRS, sampledMsr } from "../platform-config.ts";
import { tdcsCell, ZERO_PAGE } from "../td.ts";
import { tdvpsCell } from "../vcpu.ts";
import { XFAM_CET } from "../xfam.ts";
import { fieldCode } from "./field-id.ts";
import { type Element, type Subject, writeWords } from "./located.ts";
import {
  CODE_DEBUGCTL,
  CODE_GUEST_CR0,
  CODE_GUEST_CR4,
  CODE_PROCBASED_CTLS2,
  CODE_SHARED_EPTP,
  debugctl,
  keepOwned,
  NULL_PA,
} from "./vmcs-fields.ts";

const CODE_VIRTUAL_APIC = 0x2012;
const CODE_EPTP = 0x201a;
const CODE_PROCBASED_CTLS3 = 0x2034;
const CODE_PROCBASED_CTLS = 0x4002;
const CODE_PLE_GAP = 0x4020;
const CODE_PLE_WINDOW = 0x4022;
const CODE_CR0_MASK = 0x6000;
const CODE_CR4_MASK = 0x6002;
const CODE_CR0_SHADOW = 0x6004;
const CODE_CR4_SHADOW = 0x6006;

const PAGE_WORDS = 1024;
/** TDVPS pages of an L2 VM. */
const L2_PAGES = 3;
/** L2 EPTP: supervisor shadow stacks. */
const EPTP_SSS = 1n << 7n;
const NO_DEADLINE = 0xffff_ffff_ffff_ffffn;
const ENABLE_SHARED_EPTP = 1n;

/** The shadow that a guest reads instead of the VMCS field; 64-bit arrays by VM. */
const guestShadows: Readonly<Record<number, number>> = {
  [CODE_CR0_MASK]: TDVPS_SHADOW_CR0_GUEST_HOST_MASK,
  [CODE_CR0_SHADOW]: TDVPS_SHADOW_CR0_READ_SHADOW,
  [CODE_CR4_MASK]: TDVPS_SHADOW_CR4_GUEST_HOST_MASK,
  [CODE_CR4_SHADOW]: TDVPS_SHADOW_CR4_READ_SHADOW,
};

/** First cell of an entry of a 64-bit array by VM in the TDVPR page. */
function of(tdvpr: number, field: number, vm: number): number {
  return tdvpr + field + vm * 2;
}

/** The cell of a field of an L2 VM's VMCS, by the field's place in the TD's own. */
function l2VmcsCell(call: Call, tdvpr: number, vm: number, place: number): number {
  return tdvpsCell(call, tdvpr, (place % PAGE_WORDS) + TDVPS_L2_VMCS_1 + (vm - 1) * L2_PAGES * PAGE_WORDS);
}

export function readL2Vmcs(call: Call, element: Element, { tdvpr }: Subject, vm: number, value: bigint): bigint {
  const { store } = call;
  const code = fieldCode(element.id);
  if (code === CODE_SHARED_EPTP) return store.readBig(of(tdvpr, TDVPS_SHADOW_SHARED_EPTP, vm));
  if (code === CODE_VIRTUAL_APIC) return store.readBig(of(tdvpr, TDVPS_L2_VAPIC_GPA, vm));
  if (element.party !== "guest") return value;
  const shadow = guestShadows[code];
  if (shadow !== undefined) return store.readBig(of(tdvpr, shadow, vm));
  switch (code) {
    case CODE_GUEST_CR0:
      return seenByGuest(call, value, tdvpr + TDVPS_BASE_L2_CR0_GUEST_HOST_MASK, tdvpr + TDVPS_BASE_L2_CR0_READ_SHADOW);
    case CODE_GUEST_CR4:
      return seenByGuest(call, value, tdvpr + TDVPS_BASE_L2_CR4_GUEST_HOST_MASK, tdvpr + TDVPS_BASE_L2_CR4_READ_SHADOW);
    case CODE_PLE_GAP:
      return BigInt(store.read(tdvpr + TDVPS_SHADOW_PLE_GAP + vm));
    case CODE_PLE_WINDOW:
      return BigInt(store.read(tdvpr + TDVPS_SHADOW_PLE_WINDOW + vm));
    default:
      return value;
  }
}

function seenByGuest(call: Call, value: bigint, mask: number, shadow: number): bigint {
  const owned = call.store.readBig(mask);
  return (value & ~owned) | (call.store.readBig(shadow) & owned);
}

/** Writes a field; `value` has all its bits as they shall be. Errors: TDX_METADATA_FIELD_VALUE_NOT_VALID. */
export function writeL2Vmcs(
  call: Call,
  element: Element,
  subject: Subject,
  vm: number,
  value: bigint,
  writable: bigint,
): void {
  const { store } = call;
  const { tdvpr, tdcs } = subject;
  const code = fieldCode(element.id);
  const shadow = guestShadows[code];
  if (shadow !== undefined) {
    store.writeBig(of(tdvpr, shadow, vm), value);
    combineCr(call, tdvpr, vm, code === CODE_CR0_MASK || code === CODE_CR0_SHADOW);
    return;
  }
  let final = value;
  switch (code) {
    case CODE_GUEST_CR0:
      final = mergeCr(
        call,
        element,
        value,
        tdvpr + TDVPS_BASE_L2_CR0_GUEST_HOST_MASK,
        tdvpr + TDVPS_BASE_L2_CR0_READ_SHADOW,
      );
      break;
    case CODE_GUEST_CR4:
      final = mergeCr(
        call,
        element,
        value,
        tdvpr + TDVPS_BASE_L2_CR4_GUEST_HOST_MASK,
        tdvpr + TDVPS_BASE_L2_CR4_READ_SHADOW,
      );
      break;
    case CODE_DEBUGCTL:
      final = debugctl(call, tdcs, value);
      break;
    case CODE_EPTP:
      if ((value & EPTP_SSS) !== 0n && (store.read(tdcs + TDCS_XFAM) & XFAM_CET) === 0) refuse();
      break;
    case CODE_PLE_GAP:
    case CODE_PLE_WINDOW:
      if (element.party === "guest") {
        store.write(
          tdvpr + (code === CODE_PLE_GAP ? TDVPS_SHADOW_PLE_GAP : TDVPS_SHADOW_PLE_WINDOW) + vm,
          Number(value),
        );
        final = nativeTsc(call, tdcs, value) ?? refuse();
        if (final >= 1n << 32n) refuse();
      }
      break;
    case CODE_PROCBASED_CTLS:
    case CODE_PROCBASED_CTLS2:
    case CODE_PROCBASED_CTLS3:
      checkControls(call, element, tdcs, code, value, writable);
      break;
    case CODE_SHARED_EPTP:
      store.writeBig(of(tdvpr, TDVPS_SHADOW_SHARED_EPTP, vm), value);
      return; // the VMCS follows when L2_CTLS enables it
    case CODE_VIRTUAL_APIC:
      store.writeBig(of(tdvpr, TDVPS_L2_VAPIC_GPA, vm), value);
      store.writeBig(of(tdvpr, TDVPS_L2_VAPIC_HPA, vm), NULL_PA);
      return;
    default:
      break;
  }
  writeWords(call, element, final);
}

function refuse(): never {
  fail(TDX_METADATA_FIELD_VALUE_NOT_VALID);
}

/** Mask and shadow in the VMCS: bits that the TD owns, and those that the module owns anyway. */
function combineCr(call: Call, tdvpr: number, vm: number, cr0: boolean): void {
  const { store } = call;
  const base = store.readBig(tdvpr + (cr0 ? TDVPS_BASE_L2_CR0_GUEST_HOST_MASK : TDVPS_BASE_L2_CR4_GUEST_HOST_MASK));
  const baseShadow = store.readBig(tdvpr + (cr0 ? TDVPS_BASE_L2_CR0_READ_SHADOW : TDVPS_BASE_L2_CR4_READ_SHADOW));
  const mask = store.readBig(of(tdvpr, cr0 ? TDVPS_SHADOW_CR0_GUEST_HOST_MASK : TDVPS_SHADOW_CR4_GUEST_HOST_MASK, vm));
  const shadow = store.readBig(of(tdvpr, cr0 ? TDVPS_SHADOW_CR0_READ_SHADOW : TDVPS_SHADOW_CR4_READ_SHADOW, vm));
  store.writeBig(l2VmcsCell(call, tdvpr, vm, cr0 ? VMCS_CR0_GUEST_HOST_MASK : VMCS_CR4_GUEST_HOST_MASK), base | mask);
  store.writeBig(
    l2VmcsCell(call, tdvpr, vm, cr0 ? VMCS_CR0_READ_SHADOW : VMCS_CR4_READ_SHADOW),
    (base & ~mask & baseShadow) | (mask & shadow),
  );
}

function mergeCr(call: Call, element: Element, value: bigint, mask: number, shadow: number): bigint {
  return keepOwned(call.store.readBig(element.cell), value, call.store.readBig(mask), call.store.readBig(shadow));
}

/** Controls must be what the processor allows (for a debugger) or what the TD was told that it may set. */
function checkControls(
  call: Call,
  element: Element,
  tdcs: number,
  code: number,
  value: bigint,
  writable: bigint,
): void {
  const debugger_ = element.party === "host of a debug TD";
  if (code === CODE_PROCBASED_CTLS3) {
    const allowed = debugger_
      ? sampledMsr(call, SAMPLED_MSRS.IA32_VMX_PROCBASED_CTLS3)
      : call.store.readBig(tdcs + TDCS_VIRTUAL_IA32_VMX_PROCBASED_CTLS3);
    if ((value & writable & ~allowed) !== 0n) refuse();
    return;
  }
  const first = code === CODE_PROCBASED_CTLS;
  const native = first ? SAMPLED_MSRS.IA32_VMX_TRUE_PROCBASED_CTLS : SAMPLED_MSRS.IA32_VMX_PROCBASED_CTLS2;
  const virtual = first ? TDCS_VIRTUAL_IA32_VMX_TRUE_PROCBASED_CTLS : TDCS_VIRTUAL_IA32_VMX_PROCBASED_CTLS2;
  const allowed = debugger_ ? sampledMsr(call, native) : call.store.readBig(tdcs + virtual);
  const mustBeOne = allowed & 0xffff_ffffn;
  if ((writable & ((~value & mustBeOne) | (value & ~(allowed >> 32n)))) !== 0n) refuse();
}

/** The native TSC at which the TD's virtual TSC has a value; undefined if that does not fit. */
function nativeTsc(call: Call, tdcs: number, virtual: bigint): bigint | undefined {
  const { store } = call;
  const multiplier = store.readBig(tdcs + TDCS_TSC_MULTIPLIER);
  const ticks = BigInt.asUintN(64, virtual - store.readBig(tdcs + TDCS_TSC_OFFSET));
  return ticks >> 16n >= multiplier ? undefined : (ticks << 48n) / multiplier;
}

/** L2_CTLS and TSC_DEADLINE of one VM: what follows from a new value. Errors: TDX_OPERAND_INVALID for a deadline that cannot be. */
export function writeL2Controls(call: Call, element: Element, subject: Subject, value: bigint): void {
  const { store } = call;
  const { tdr, tdcs, tdvpr } = subject;
  const vm = element.number;
  if (vm === 0 || vm > store.read(tdcs + TDCS_NUM_L2_VMS)) return;
  if (element.field.name === "L2_CTLS") {
    const shadow = store.readBig(of(tdvpr, TDVPS_SHADOW_SHARED_EPTP, vm));
    const zeroPage = store.readBig(tdr + TDR_TDCX_PA + ZERO_PAGE * 2);
    const enabled = (value & ENABLE_SHARED_EPTP) !== 0n && shadow !== NULL_PA;
    store.writeBig(l2VmcsCell(call, tdvpr, vm, VMCS_SHARED_EPTP), enabled ? shadow : zeroPage);
  } else if (value !== NO_DEADLINE) {
    const now = BigInt(call.platform.rdtsc());
    const multiplier = store.readBig(tdcs + TDCS_TSC_MULTIPLIER);
    const virtualNow = BigInt.asUintN(64, ((now * multiplier) >> 48n) + store.readBig(tdcs + TDCS_TSC_OFFSET));
    const deadline = value <= virtualNow ? now : nativeTsc(call, tdcs, value);
    if (deadline === undefined || deadline === 0n || BigInt.asIntN(64, deadline - now) < 0n) fail(TDX_OPERAND_INVALID);
    store.writeBig(of(tdvpr, TDVPS_SHADOW_TSC_DEADLINE, vm), deadline);
  }
}

/** A word of an L2 VM's MSR bitmaps: the TD's wish is kept, the processor gets it together with the TD's own bitmaps. */
export function writeL2Bitmap(call: Call, { tdr, tdvpr }: Subject, vm: number, number: number, value: bigint): void {
  const { store } = call;
  const at = (vm - 1) * L2_PAGES * PAGE_WORDS + number * 2;
  const own = store.readBig(tdcsCell(call, tdr, TDCS_MSR_BITMAPS + number * 2));
  store.writeBig(tdvpsCell(call, tdvpr, TDVPS_L2_SHADOW_MSR_BITMAPS_1 + at), value);
  store.writeBig(tdvpsCell(call, tdvpr, TDVPS_L2_MSR_BITMAPS_1 + at), value | own);
}
