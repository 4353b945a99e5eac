/**
 * A metadata field id, 64 bits (TDX Module ABI, "Metadata Field ID"): field code 23:0, element size 33:32 (2^n bytes), last
 * element 37:34 and last field 46:38 of a list, code increment of two 50, write mask follows 51, context 54:52, class 61:56,
 * non-architectural 63; the rest is reserved. An id names one element, or is the header of a sequence in a list.
 */
import { cpuidLookup } from "../../arch/generated/cpuid-tables.ts";

/** Contexts. */
export const CONTEXT_SYS = 0;
export const CONTEXT_TD = 1;
export const CONTEXT_VP = 2;

/** No field: asks for the first one, or says that there is no further one. */
export const NO_FIELD = 0xffff_ffff_ffff_ffffn;

const CODE_MASK = 0xff_ffffn;
const CONTEXT_SHIFT = 52n;
const CONTEXT_MASK = 7n << CONTEXT_SHIFT;
const CLASS_SHIFT = 56n;
const CLASS_MASK = 0x3fn << CLASS_SHIFT;
/** What must be zero in the id of a single element: bits 31:24, 49:34, 55 and 62. */
const NOT_IN_ELEMENT_ID = 0x4083_fffc_ff00_0000n;

export function fieldCode(id: bigint): number {
  return Number(id & CODE_MASK);
}

export function fieldClass(id: bigint): number {
  return Number((id & CLASS_MASK) >> CLASS_SHIFT);
}

/** Size code of an element: 2^n bytes. */
export function elementSizeCode(id: bigint): number {
  return Number((id >> 32n) & 3n);
}

export function withFieldCode(id: bigint, code: number): bigint {
  return (id & ~CODE_MASK) | BigInt(code);
}

export function withFieldClass(id: bigint, cls: number): bigint {
  return (id & ~CLASS_MASK) | (BigInt(cls) << CLASS_SHIFT);
}

export function withContext(id: bigint, context: number): bigint {
  return (id & ~CONTEXT_MASK) | (BigInt(context) << CONTEXT_SHIFT);
}

/** All ones, whatever the context. */
export function isNoField(id: bigint): boolean {
  return (id | CONTEXT_MASK) === NO_FIELD;
}

/** True if the id can name one element: no reserved bits, and nothing that only a sequence header has. */
export function isElementId(id: bigint): boolean {
  return (id & NOT_IN_ELEMENT_ID) === 0n;
}

// ---- TDCS.CPUID_VALUES: the field code is a CPUID leaf and sub-leaf ----

/** The code's bits: element 0 (0: EAX and EBX, 1: ECX and EDX), sub-leaf 7:1, no sub-leaf 8, leaf 15:9, bit 31 of the leaf 16. */
const CPUID_NO_SUBLEAF = 1 << 8;
const CPUID_LEAF_BIT31 = 1 << 16;

export function cpuidElement(code: number): number {
  return code & 1;
}

/** The code's bits above those that name a leaf, sub-leaf and element. */
export function cpuidReserved(code: number): number {
  return code >>> 17;
}

/** Index in cpuidLookup of the leaf that a code names, or -1. A leaf without sub-leaves is found by any. */
export function cpuidIndexOfCode(code: number): number {
  const leaf = (((code >>> 9) & 0x7f) | (code & CPUID_LEAF_BIT31 ? 0x8000_0000 : 0)) >>> 0;
  const subleaf = code & CPUID_NO_SUBLEAF ? -1 : (code >>> 1) & 0x7f;
  return cpuidLookup.findIndex(
    (entry) => entry.leaf === leaf && (entry.subleaf === undefined || entry.subleaf === subleaf),
  );
}

/** The code of the first element of a cpuidLookup entry. */
export function cpuidCode(index: number): number {
  const entry = cpuidLookup[index];
  if (entry === undefined) throw new RangeError(`no CPUID entry ${index}`);
  const { leaf, subleaf } = entry;
  // A missing sub-leaf is all ones in the seven bits too.
  const sub = subleaf === undefined ? CPUID_NO_SUBLEAF | (0x7f << 1) : (subleaf & 0x7f) << 1;
  return sub | ((leaf & 0x7f) << 9) | (leaf >= 0x8000_0000 ? CPUID_LEAF_BIT31 : 0);
}
