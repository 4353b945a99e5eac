/**
 * What TDH.SYS.INIT sampled of the processor, in the module's global data: CPUID values, MSRs, and what it derived from them.
 * All later leaves read the platform from here; TDH.SYS.LP.INIT checks that the other LPs are the same.
 */
import { cpuidLookup } from "../arch/generated/cpuid-tables.ts";
import type { Call } from "./call.ts";
import { SYS_PLATFORM } from "./sys.ts";

export const EAX = 0;
export const EBX = 1;
export const ECX = 2;
export const EDX = 3;

/** MSRs that are sampled, in the order of their cells. */
export const SAMPLED_MSRS = {
  IA32_TSC_ADJUST: 0x3b,
  IA32_TME_KEYID_PARTITIONING: 0x87,
  MSR_WBINVDP: 0x98,
  IA32_MISC_PACKAGE_CTLS: 0xbc,
  IA32_XAPIC_DISABLE_STATUS: 0xbd,
  IA32_CORE_CAPABILITIES: 0xcf,
  IA32_MTRRCAP: 0xfe,
  IA32_ARCH_CAPABILITIES: 0x10a,
  IA32_SMRR_PHYSBASE: 0x1f2,
  IA32_SMRR_PHYSMASK: 0x1f3,
  IA32_SMRR2_PHYSBASE: 0x1f6,
  IA32_SMRR2_PHYSMASK: 0x1f7,
  IA32_PERF_CAPABILITIES: 0x345,
  IA32_VMX_BASIC: 0x480,
  IA32_VMX_MISC: 0x485,
  IA32_VMX_CR0_FIXED0: 0x486,
  IA32_VMX_CR0_FIXED1: 0x487,
  IA32_VMX_CR4_FIXED0: 0x488,
  IA32_VMX_CR4_FIXED1: 0x489,
  IA32_VMX_PROCBASED_CTLS2: 0x48b,
  IA32_VMX_EPT_VPID_CAP: 0x48c,
  IA32_VMX_TRUE_PINBASED_CTLS: 0x48d,
  IA32_VMX_TRUE_PROCBASED_CTLS: 0x48e,
  IA32_VMX_TRUE_EXIT_CTLS: 0x48f,
  IA32_VMX_TRUE_ENTRY_CTLS: 0x490,
  IA32_VMX_PROCBASED_CTLS3: 0x492,
  IA32_TME_CAPABILITY: 0x981,
  IA32_TME_ACTIVATE: 0x982,
} as const;

export type SampledMsr = (typeof SAMPLED_MSRS)[keyof typeof SAMPLED_MSRS];

const CPUID_CELLS = SYS_PLATFORM;
const MSR_CELLS = CPUID_CELLS + 4 * 64;

// ---- Derived values: words from here on, offsets from `call.sys` ----

const DERIVED = MSR_CELLS + 2 * 64;
/** Extended features (XFAM bits) that the processor and the module support: user (XCR0) and supervisor (IA32_XSS). */
export const PLATFORM_XCR0_SUPPORTED = DERIVED;
export const PLATFORM_XSS_SUPPORTED = DERIVED + 1;
/** Features whose first use can fault (IA32_XFD), bit map as XFAM; 0 without XFD. */
export const PLATFORM_XFD_FAULTING = DERIVED + 2;
export const PLATFORM_XFD_SUPPORTED = DERIVED + 3;
export const PLATFORM_HLE_SUPPORTED = DERIVED + 4;
export const PLATFORM_RTM_SUPPORTED = DERIVED + 5;
export const PLATFORM_WAITPKG_SUPPORTED = DERIVED + 6;
export const PLATFORM_LA57_SUPPORTED = DERIVED + 7;
export const PLATFORM_DDPD_SUPPORTED = DERIVED + 8;
/** Bits of a physical address with its KeyID. */
export const PLATFORM_MAX_PA = DERIVED + 9;
/** Frequencies in Hz (numbers, two words each). */
export const PLATFORM_CRYSTAL_FREQUENCY = DERIVED + 10;
export const PLATFORM_TSC_FREQUENCY = DERIVED + 12;
export const PLATFORM_MAX_LBR_DEPTH = DERIVED + 14;
export const PLATFORM_NUM_FIXED_CTRS = DERIVED + 15;
/** Fixed-function performance counters that exist, bit map. */
export const PLATFORM_FIXED_CTR_BITMAP = DERIVED + 16;
/** How an x2APIC id is cut into thread, core and package. */
export const PLATFORM_CORE_ID_SHIFT = DERIVED + 17;
export const PLATFORM_CORE_ID_MASK = DERIVED + 18;
export const PLATFORM_PKG_ID_SHIFT = DERIVED + 19;
/** Last basic and extended CPUID leaves. */
export const PLATFORM_LAST_BASE_LEAF = DERIVED + 20;
export const PLATFORM_LAST_EXTENDED_LEAF = DERIVED + 21;
/** Family, model, stepping: CPUID 1 EAX, with the least stepping of all packages. */
export const PLATFORM_FMS = DERIVED + 22;
/** VM-execution controls that a TD's VMCS starts with; PROCBASED_CTLS3 is a 64-bit word. */
export const PLATFORM_PINBASED_CTLS = DERIVED + 23;
export const PLATFORM_PROCBASED_CTLS = DERIVED + 24;
export const PLATFORM_PROCBASED_CTLS2 = DERIVED + 25;
export const PLATFORM_EXIT_CTLS = DERIVED + 26;
export const PLATFORM_ENTRY_CTLS = DERIVED + 27;
export const PLATFORM_PROCBASED_CTLS3 = DERIVED + 28;
/** State components 0 to 18: bytes in the low 31 bits, alignment to 64 bytes in bit 31. */
export const PLATFORM_XSAVE_COMPONENTS = DERIVED + 32;

/** Index in cpuidLookup of a leaf and sub-leaf (undefined: the leaf has none), or -1. */
export function cpuidIndex(leaf: number, subleaf: number | undefined): number {
  return cpuidLookup.findIndex((entry) => entry.leaf === leaf && entry.subleaf === subleaf);
}

/**
 * The cell of a sampled CPUID register, by index in cpuidLookup and register (EAX to EDX). From TDH.SYS.CONFIG on the value has
 * the bits that every guest reads as 1 set, and those that it reads as 0 or that depend on the TD clear.
 */
export function cpuidCell(call: Call, index: number, register: number): number {
  return call.sys + CPUID_CELLS + index * 4 + register;
}

const msrIndex: ReadonlyMap<number, number> = new Map(Object.values(SAMPLED_MSRS).map((msr, i) => [msr, i]));

/** The cell of the low word of a sampled MSR. */
export function msrCell(call: Call, msr: SampledMsr): number {
  return call.sys + MSR_CELLS + (msrIndex.get(msr) as number) * 2;
}

export function sampledMsr(call: Call, msr: SampledMsr): bigint {
  return call.store.readBig(msrCell(call, msr));
}

/** Turns the sampled CPUID values into what guests see by default: once, when the system's configuration is complete. */
export function completeCpuidSamples(call: Call): void {
  for (const [index, { masks }] of cpuidLookup.entries()) {
    for (let register = EAX; register <= EDX; register++) {
      const cell = cpuidCell(call, index, register);
      const clear = masks.fixed0_or_dynamic?.[register] ?? 0;
      call.store.write(cell, (call.store.read(cell) & ~clear) | (masks.fixed1?.[register] ?? 0));
    }
  }
}
