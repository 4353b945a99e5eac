/** Fields of the VCPU context: TDVPS and the TD's own VMCS. Those of an L2 VM's VMCS are in l2-vmcs-fields.ts. */
import {
  TDX_METADATA_FIELD_ID_INCORRECT,
  TDX_METADATA_FIELD_NOT_WRITABLE,
  TDX_METADATA_FIELD_VALUE_NOT_VALID,
} from "../../arch/generated/status-codes.ts";
import { type Call, fail } from "../call.ts";
import { cpuidFlag, FLAG_DDPD, realSpecCtrl, SPEC_CTRL_DDPD_U } from "../cpuid-flags.ts";
import { isSharedHpa } from "../hpa.ts";
import {
  TDCS_GPAW,
  TDCS_NUM_L2_VMS,
  TDCS_XBUFF_OFFSETS,
  TDCS_XFAM,
  TDR_HKID,
  TDVPS_L2_VMCS_1,
  TDVPS_VAPIC,
  VMCS_GUEST_INTERRUPT_STATUS,
} from "../layout.ts";
import { tdvpsCell } from "../vcpu.ts";
import { hex } from "../why.ts";
import { XFAM_PT } from "../xfam.ts";
import { elementMask, keepsForbiddenBits, whyForbidden } from "./access.ts";
import { fieldClass, fieldCode } from "./field-id.ts";
import { readL2Vmcs, writeL2Bitmap, writeL2Controls, writeL2Vmcs } from "./l2-vmcs-fields.ts";
import { type Element, type Found, readWords, type Subject, withHkid, writeWords } from "./located.ts";
import { CLASS_L2_MSR_BITMAPS, CLASS_VMCS, L2_CLASS_STEP, l2VmcsOfClass, MAX_L2_VMS } from "./tables.ts";
import { writeVmcs } from "./vmcs-fields.ts";

/** Pages of each L2 VM in the TDVPS: VMCS, MSR bitmaps, and the MSR bitmaps that its L1 VMM asked for. */
const L2_PAGES = 3;
const PAGE_WORDS = 1024;

/** Byte offset of the processor priority register in the virtual APIC page. */
const APIC_PPR = 0xa0;
/** VCPU_STATE_DETAILS: a virtual interrupt is pending. */
const VMXIP = 1n;

/** XBUFF elements (8 bytes each) of the XSAVE header, after 512 bytes of legacy region. */
const XSAVE_HEADER_FIRST = 64;
const XSAVE_HEADER_END = 72;
const XFAM_PT_BIT = 8;

/** VMCS fields (by code) whose value is a physical address of the host's, and those that are a private GPA. */
const SHARED_HPA_CODES: readonly number[] = [0x200e, 0x2016, 0x203c];
const PRIVATE_GPA_CODES: readonly number[] = [0x2012, 0x202a, 0x2040, 0x280a, 0x280c, 0x280e, 0x2810, 0x6802];
const CODE_POSTED_INTERRUPT_DESCRIPTOR = 0x2016;
const POSTED_INTERRUPT_DESCRIPTOR_BYTES = 64;
/** A physical address that was never set is all ones; bit 63 tells. */
const NEVER_SET = 1n << 63n;

/** A write as its caller asked for it, with what was there and what the party may write. */
export interface VpWrite {
  readonly old: bigint;
  readonly value: bigint;
  readonly requested: bigint;
  readonly writable: bigint;
}

/** Where an element is. Errors: TDX_METADATA_FIELD_ID_INCORRECT. */
export function vpElement(call: Call, found: Found, { tdcs, tdvpr }: Subject): Element {
  const { number, words } = found;
  const cls = fieldClass(found.id);
  const l2Vm = l2VmcsOfClass(cls);
  let place = found.place + number * words;
  if (cls === CLASS_VMCS || l2Vm > 0) {
    if (l2Vm > call.store.read(tdcs + TDCS_NUM_L2_VMS)) {
      fail(TDX_METADATA_FIELD_ID_INCORRECT, 0, `the TD has no L2 VM ${l2Vm}`);
    }
    // An odd code names the high half of a 64-bit field: not for the host.
    if ((fieldCode(found.id) & 1) !== 0) fail(TDX_METADATA_FIELD_ID_INCORRECT, 0, "the high half of a VMCS field");
    if (l2Vm > 0) place = (place % PAGE_WORDS) + TDVPS_L2_VMCS_1 + (l2Vm - 1) * L2_PAGES * PAGE_WORDS;
  } else if (l2VmOfBitmaps(cls) > 0 && found.party === "guest") {
    place += PAGE_WORDS; // the guest sees what it asked for, on the next page
  }
  return { ...found, cell: tdvpsCell(call, tdvpr, place) };
}

/** The L2 VM (1 to 3) whose MSR bitmaps a class is, or 0. */
function l2VmOfBitmaps(cls: number): number {
  const vm = (cls - CLASS_L2_MSR_BITMAPS) / L2_CLASS_STEP + 1;
  return Number.isInteger(vm) && vm >= 1 && vm <= MAX_L2_VMS ? vm : 0;
}

export function readVp(call: Call, element: Element, subject: Subject): bigint {
  const value = readWords(call, element);
  const l2Vm = l2VmcsOfClass(fieldClass(element.id));
  if (l2Vm > 0) return readL2Vmcs(call, element, subject, l2Vm, value);
  switch (element.field.name) {
    case "TDVPS_PAGE_PA":
      return withHkid(call, value, call.store.read(subject.tdr + TDR_HKID));
    case "VCPU_STATE_DETAILS":
      return isInterruptPending(call, subject.tdvpr) ? VMXIP : 0n;
    case "IA32_SPEC_CTRL":
      return cpuidFlag(call, subject.tdcs, FLAG_DDPD) ? value : value & ~SPEC_CTRL_DDPD_U;
    default:
      return value;
  }
}

/** The highest requested virtual interrupt (RVI) is above the processor's priority. */
function isInterruptPending(call: Call, tdvpr: number): boolean {
  const requested = call.store.read(tdvpsCell(call, tdvpr, VMCS_GUEST_INTERRUPT_STATUS)) & 0xf0;
  const priority = call.store.read(tdvpsCell(call, tdvpr, TDVPS_VAPIC + APIC_PPR / 4)) & 0xf0;
  return requested > priority;
}

/** Errors: TDX_METADATA_FIELD_VALUE_NOT_VALID, _NOT_WRITABLE, TDX_TD_VMCS_FIELD_NOT_INITIALIZED. */
export function writeVp(call: Call, element: Element, subject: Subject, write: VpWrite): void {
  const { value, requested, writable } = write;
  const written = writable & requested;
  const code = fieldCode(element.id);
  const isVmcs = element.field.class === CLASS_VMCS;
  const sharedHpa = isVmcs && SHARED_HPA_CODES.includes(code);
  const privateGpa = isVmcs && PRIVATE_GPA_CODES.includes(code);

  // A write of the whole element does not look at what was there.
  let old = written === elementMask(element.field) ? 0n : write.old;
  if ((sharedHpa || privateGpa) && (old & NEVER_SET) !== 0n) old &= writable;
  if (!keepsForbiddenBits(old, value, requested, writable)) {
    fail(TDX_METADATA_FIELD_VALUE_NOT_VALID, 0, whyForbidden(element.field, writable));
  }
  const merged = (old & ~written) | (value & written);

  if (sharedHpa) {
    const size = code === CODE_POSTED_INTERRUPT_DESCRIPTOR ? POSTED_INTERRUPT_DESCRIPTOR_BYTES : 4096;
    if (!isSharedHpa(call, Number(merged), size)) {
      fail(TDX_METADATA_FIELD_VALUE_NOT_VALID, 0, `${hex(merged)} is no address of the host's own memory`);
    }
  }
  if (privateGpa && !isPrivateGpaValue(call, subject.tdcs, merged)) {
    fail(TDX_METADATA_FIELD_VALUE_NOT_VALID, 0, `${hex(merged)} is no private GPA`);
  }

  const l2Vm = l2VmcsOfClass(fieldClass(element.id));
  if (l2Vm > 0) writeL2Vmcs(call, element, subject, l2Vm, merged, writable);
  else if (isVmcs) writeVmcs(call, element, subject, merged, writable);
  else writeTdvps(call, element, subject, merged);
}

/** A private GPA: below the shared bit, nothing above. */
function isPrivateGpaValue(call: Call, tdcs: number, gpa: bigint): boolean {
  return gpa < (call.store.read(tdcs + TDCS_GPAW) !== 0 ? 1n << 51n : 1n << 47n);
}

function writeTdvps(call: Call, element: Element, subject: Subject, value: bigint): void {
  const { tdcs } = subject;
  const l2Vm = l2VmOfBitmaps(element.field.class);
  if (l2Vm > 0) {
    writeL2Bitmap(call, subject, l2Vm, element.number, value);
    return;
  }
  switch (element.field.name) {
    case "XBUFF":
      if (element.party !== "guest" && !isOpenXbuff(call, tdcs, element.number)) {
        fail(TDX_METADATA_FIELD_NOT_WRITABLE, 0, "the XSAVE header and IA32_RTIT_CTL are not writable");
      }
      break;
    case "IA32_SPEC_CTRL":
      writeWords(call, element, realSpecCtrl(call, tdcs, value));
      return;
    case "XFAM":
      // Not writable in this version of the module, whatever the table says.
      fail(TDX_METADATA_FIELD_NOT_WRITABLE, 0, "XFAM of a VCPU is not writable");
      break;
    case "L2_CTLS":
    case "TSC_DEADLINE":
      writeL2Controls(call, element, subject, value);
      break;
    default:
      break;
  }
  writeWords(call, element, value);
}

/** A debugger must not change the XSAVE header, nor IA32_RTIT_CTL, the first word of the PT component. */
function isOpenXbuff(call: Call, tdcs: number, number: number): boolean {
  if (number >= XSAVE_HEADER_FIRST && number < XSAVE_HEADER_END) return false;
  const hasPt = (call.store.read(tdcs + TDCS_XFAM) & XFAM_PT) !== 0;
  return !hasPt || number !== Math.floor(call.store.read(tdcs + TDCS_XBUFF_OFFSETS + XFAM_PT_BIT) / 8);
}
