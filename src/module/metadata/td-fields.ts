/** Fields of the TD context: TDR and TDCS. Most are plain words; those that are not are named here. */
import { cpuidLookup } from "../../arch/generated/cpuid-tables.ts";
import {
  TDX_METADATA_FIELD_ID_INCORRECT,
  TDX_METADATA_FIELD_NOT_READABLE,
  TDX_METADATA_FIELD_VALUE_NOT_VALID,
  TDX_METADATA_WR_MASK_NOT_VALID,
} from "../../arch/generated/status-codes.ts";
import { type Call, fail } from "../call.ts";
import { TDCS_CONFIG_FLAGS, TDCS_CPUID_VALID, TDCS_NUM_L2_VMS, TDR_HKID } from "../layout.ts";
import { PLATFORM_TSC_FREQUENCY } from "../platform-config.ts";
import { tdcsCell } from "../td.ts";
import { CONFIG_FLEXIBLE_PENDING_VE, TD_CTLS_PENDING_VE_DISABLE } from "../td-params.ts";
import { hex } from "../why.ts";
import { elementMask } from "./access.ts";
import { cpuidElement, cpuidIndexOfCode, cpuidReserved, fieldCode } from "./field-id.ts";
import { type Element, type Found, readWords, type Subject, withHkid, writeWords } from "./located.ts";
import { CLASS_CPUID_VALUES } from "./tables.ts";

/** Classes that lie in the TDR. */
const LAST_TDR_CLASS = 2;
/** Class of the first L2 VM's S-EPT root, and the step to that of the next VM. */
const CLASS_L2_SEPT_ROOT = 37;
const L2_SEPT_ROOT_CLASS_STEP = 4;

/** Limits of HP_LOCK_TIMEOUT in microseconds. It is kept in TSC ticks. */
const MIN_HP_LOCK_TIMEOUT = 10_000n;
const MAX_HP_LOCK_TIMEOUT = 100_000_000n;
const MICROSECONDS = 1_000_000n;

/** Where an element is. Errors: TDX_METADATA_FIELD_ID_INCORRECT, TDX_METADATA_FIELD_NOT_READABLE. */
export function tdElement(call: Call, found: Found, { tdr, tdcs }: Subject): Element {
  const { field, place, number, words } = found;
  if (field.class === CLASS_CPUID_VALUES) {
    const at = place + cpuidValue(call, fieldCode(found.id), tdcs) * words;
    return { ...found, cell: tdcsCell(call, tdr, at) };
  }
  const at = place + number * words;
  if (field.class <= LAST_TDR_CLASS) return { ...found, cell: tdr + at };
  if (isMissingL2Root(call, field.class, tdcs)) {
    fail(TDX_METADATA_FIELD_ID_INCORRECT, 0, `${field.name}: the TD does not have that L2 VM`);
  }
  return { ...found, cell: tdcsCell(call, tdr, at) };
}

function isMissingL2Root(call: Call, cls: number, tdcs: number): boolean {
  if (cls < CLASS_L2_SEPT_ROOT) return false;
  return call.store.read(tdcs + TDCS_NUM_L2_VMS) < (cls - CLASS_L2_SEPT_ROOT) / L2_SEPT_ROOT_CLASS_STEP + 1;
}

/** Number of the element of CPUID_VALUES: two for each leaf of the module's table, if this TD's guest can read the leaf. */
function cpuidValue(call: Call, code: number, tdcs: number): number {
  if (cpuidReserved(code) !== 0) fail(TDX_METADATA_FIELD_ID_INCORRECT, 0, `reserved bits in field code ${hex(code)}`);
  const index = cpuidIndexOfCode(code);
  if (index < 0) fail(TDX_METADATA_FIELD_ID_INCORRECT, 0, "the module does not know that CPUID leaf");
  const faulting = cpuidLookup[index]?.masks.faulting !== undefined;
  if (faulting || call.store.read(tdcs + TDCS_CPUID_VALID + index) === 0) {
    fail(TDX_METADATA_FIELD_NOT_READABLE, 0, `CPUID leaf ${hex(cpuidLookup[index]?.leaf ?? 0)} is a #VE for the guest`);
  }
  return index * 2 + cpuidElement(code);
}

export function readTd(call: Call, element: Element, { tdr }: Subject): bigint {
  const value = readWords(call, element);
  switch (element.field.name) {
    case "TDCX_PA":
      return withHkid(call, value, call.store.read(tdr + TDR_HKID));
    case "HP_LOCK_TIMEOUT":
      return (value * MICROSECONDS) / tscFrequency(call);
    case "NUM_CPUID_VALUES":
      return BigInt(cpuidLookup.length);
    default:
      return value;
  }
}

/** Writes an element whose value has all bits as they shall be; `written`: the bits that the caller changes. */
export function writeTd(call: Call, element: Element, { tdcs }: Subject, value: bigint, written: bigint): void {
  if (element.field.name === "HP_LOCK_TIMEOUT") {
    if (written !== elementMask(element.field)) {
      fail(TDX_METADATA_WR_MASK_NOT_VALID, 0, `HP_LOCK_TIMEOUT is written as a whole, not bits ${hex(written)}`);
    }
    if (value < MIN_HP_LOCK_TIMEOUT || value > MAX_HP_LOCK_TIMEOUT) {
      fail(TDX_METADATA_FIELD_VALUE_NOT_VALID, 0, `${value} µs is not from 10 ms to 100 s`);
    }
    // Kept as 32 bits of ticks.
    writeWords(call, element, BigInt.asUintN(32, (value * tscFrequency(call)) / MICROSECONDS));
    return;
  }
  if (element.field.name === "TD_CTLS" && element.party === "guest") {
    // Without FLEXIBLE_PENDING_VE only the host decides, at the TD's build, what an access to a pending page does.
    const flexible = (call.store.read(tdcs + TDCS_CONFIG_FLAGS) & CONFIG_FLEXIBLE_PENDING_VE) !== 0;
    const changed = Number(BigInt.asUintN(32, value ^ readWords(call, element)));
    if (!flexible && (changed & TD_CTLS_PENDING_VE_DISABLE) !== 0) {
      fail(TDX_METADATA_FIELD_VALUE_NOT_VALID, 0, "PENDING_VE_DISABLE: CONFIG_FLAGS do not have FLEXIBLE_PENDING_VE");
    }
  }
  writeWords(call, element, value);
}

function tscFrequency(call: Call): bigint {
  return call.store.readBig(call.sys + PLATFORM_TSC_FREQUENCY);
}
