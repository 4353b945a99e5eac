/**
 * What the module wants of VM-execution, exit and entry controls, for a TD's own VMCS and for those of its L2 VMs, and whether
 * the processor's capability MSRs allow it (SDM vol. 3, appendix A).
 */
import { SAMPLED_MSRS, type SampledMsr } from "./platform-config.ts";

export interface ControlSpec {
  readonly msr: SampledMsr;
  /** The value that the VMCS starts with. */
  readonly init: bigint;
  /** Bits that the module changes later: the processor must allow both values. */
  readonly variable: bigint;
  /** Bits whose value the processor decides. */
  readonly unknown: bigint;
}

/** Bits of the secondary processor-based controls that depend on the processor. */
export const PROCBASED_CTLS2_ENCLV_EXITING = 1n << 28n;
export const PROCBASED_CTLS2_USER_WAIT_PAUSE = 1n << 26n;

const { IA32_VMX_TRUE_PINBASED_CTLS, IA32_VMX_TRUE_PROCBASED_CTLS, IA32_VMX_PROCBASED_CTLS2 } = SAMPLED_MSRS;
const { IA32_VMX_PROCBASED_CTLS3, IA32_VMX_TRUE_EXIT_CTLS, IA32_VMX_TRUE_ENTRY_CTLS } = SAMPLED_MSRS;

const spec = (msr: SampledMsr, init: bigint, variable: bigint, unknown: bigint): ControlSpec => ({
  msr,
  init,
  variable,
  unknown,
});

/** In the order of the checks: pin-based, processor-based 1 to 3, exit, entry. */
export const tdControlSpecs: readonly ControlSpec[] = [
  spec(IA32_VMX_TRUE_PINBASED_CTLS, 0x29n, 0x80n, 0xffff_ff16n),
  spec(IA32_VMX_TRUE_PROCBASED_CTLS, 0x9122_0088n, 0x2040_0c00n, 0x0404_6173n),
  spec(IA32_VMX_PROCBASED_CTLS2, 0x133c_b3fan, 0xcc00_0400n, 0n),
  spec(IA32_VMX_PROCBASED_CTLS3, 0x80n, 0x20n, 0xffff_ffff_ffff_ff40n),
  spec(IA32_VMX_TRUE_EXIT_CTLS, 0x1f3c_8204n, 0x4000_1000n, 0x0003_6dfbn),
  spec(IA32_VMX_TRUE_ENTRY_CTLS, 0x003e_c004n, 0x0040_2200n, 0xff80_11fbn),
];

export const l2ControlSpecs: readonly ControlSpec[] = [
  spec(IA32_VMX_TRUE_PINBASED_CTLS, 0x29n, 0n, 0xffff_ff16n),
  spec(IA32_VMX_TRUE_PROCBASED_CTLS, 0x9122_0088n, 0x68d8_1e04n, 0x0404_6173n),
  spec(IA32_VMX_PROCBASED_CTLS2, 0x1338_b3fan, 0x0c51_3e0cn, 0n),
  spec(IA32_VMX_PROCBASED_CTLS3, 0x80n, 0x2en, 0xffff_ffff_ffff_ff40n),
  spec(IA32_VMX_TRUE_EXIT_CTLS, 0x1f3c_8204n, 0x4000_1000n, 0x0003_6dfbn),
  spec(IA32_VMX_TRUE_ENTRY_CTLS, 0x003e_c004n, 0x0040_2200n, 0xff80_11fbn),
];

/** Initial CR0 and CR4 of guests, and the bits of an L2 VM's CR0 that its L1 VMM may change. */
export const GUEST_CR0_INIT = 0x21n;
export const GUEST_CR4_INIT = 0x2040n;
export const GUEST_CR0_L2_VARIABLE = 0x8005_001fn;

/**
 * The value for the VMCS if the processor allows it, else undefined. A capability MSR of 32 controls has in its low half the
 * bits that must be 1, in its high half those that may be 1; that of the tertiary controls has only the latter, 64 of them.
 */
export function allowedControls(spec: ControlSpec, capability: bigint, init = spec.init): bigint | undefined {
  const only1 = spec.msr === IA32_VMX_PROCBASED_CTLS3;
  const mustBe1 = only1 ? 0n : capability & 0xffff_ffffn;
  const mayBe1 = only1 ? capability : capability >> 32n;
  const cannotBe1 = BigInt.asUintN(only1 ? 64 : 32, ~mayBe1);
  if ((mustBe1 & ~(init | spec.unknown)) !== 0n) return undefined;
  if ((cannotBe1 & init) !== 0n) return undefined;
  if (((mustBe1 | cannotBe1) & spec.variable) !== 0n) return undefined;
  return init | mustBe1;
}
