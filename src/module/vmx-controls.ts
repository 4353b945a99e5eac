/**
 * VM-execution controls of a TD's VMCSs: the values that depend on the TD's configuration, and the virtual IA32_VMX_* MSRs by
 * which a TD learns what the VMCSs of its L2 VMs allow.
 */
import { ATTRIBUTE_DEBUG, ATTRIBUTE_PERFMON_HI, ATTRIBUTE_PKS } from "./attributes.ts";
import type { Call } from "./call.ts";
import { CR4_CET, CR4_KEY_LOCKER, CR4_PKE, CR4_PKS, CR4_UINTR } from "./control-registers.ts";
import { cpuidFlag, FLAG_MKTME, FLAG_MONITOR_MWAIT, FLAG_WAITPKG } from "./cpuid-flags.ts";
import {
  TDCS_ATTRIBUTES,
  TDCS_VIRTUAL_IA32_VMX_BASIC,
  TDCS_VIRTUAL_IA32_VMX_CR0_FIXED0,
  TDCS_VIRTUAL_IA32_VMX_CR0_FIXED1,
  TDCS_VIRTUAL_IA32_VMX_CR4_FIXED0,
  TDCS_VIRTUAL_IA32_VMX_CR4_FIXED1,
  TDCS_VIRTUAL_IA32_VMX_EPT_VPID_CAP,
  TDCS_VIRTUAL_IA32_VMX_MISC,
  TDCS_VIRTUAL_IA32_VMX_PROCBASED_CTLS2,
  TDCS_VIRTUAL_IA32_VMX_PROCBASED_CTLS3,
  TDCS_VIRTUAL_IA32_VMX_TRUE_ENTRY_CTLS,
  TDCS_VIRTUAL_IA32_VMX_TRUE_EXIT_CTLS,
  TDCS_VIRTUAL_IA32_VMX_TRUE_PINBASED_CTLS,
  TDCS_VIRTUAL_IA32_VMX_TRUE_PROCBASED_CTLS,
  TDCS_VIRTUAL_IA32_VMX_VMFUNC,
  TDCS_XFAM,
} from "./layout.ts";
import { PLATFORM_WAITPKG_SUPPORTED, SAMPLED_MSRS, type SampledMsr, sampledMsr } from "./platform-config.ts";
import { XFAM_CET, XFAM_PKU, XFAM_ULI } from "./xfam.ts";

/** The controls of one VMCS. */
export interface Controls {
  readonly pinbased: number;
  readonly procbased: number;
  readonly procbased2: number;
  readonly procbased3: bigint;
  readonly exit: number;
  readonly entry: number;
}

/** Controls of an L2 VM before anything is known of the TD; PROCBASED_CTLS2 without what the processor may lack. */
const L2_PINBASED = 0x29;
const L2_PROCBASED = 0x9122_0088;
const L2_PROCBASED2 = 0x1338_b3fa;
const L2_PROCBASED3 = 0x80n;
const L2_EXIT = 0x1f3c_8204;
const L2_ENTRY = 0x003e_c004;

/** Bits that a TD may change in the VMCS of its L2 VM. */
const L1_WRITES_PROCBASED = 0x48d9_9a04;
const L1_WRITES_PROCBASED2 = 0x0c51_3e0c;
const L1_WRITES_PROCBASED3 = 0xen;
const L1_WRITES_ENTRY = 0x200;
const L2_CR0_INIT = 0x21n;
const L2_CR0_VARIABLE = 0x8005_001fn;
const L2_CR4_INIT = 0x2040n;
const L2_CR4_VARIABLE = 0x3ff_1fbfn;

const PROCBASED_MWAIT_EXITING = 1 << 10;
const PROCBASED_RDPMC_EXITING = 1 << 11;
const PROCBASED_MONITOR_EXITING = 1 << 29;
const PROCBASED2_WAIT_PAUSE = 1 << 26;
const PROCBASED2_PCONFIG = 1 << 27;
const PROCBASED2_ENCLV_EXITING = 1 << 28;
const EXIT_PERF_GLOBAL_CTRL = (1 << 12) | (1 << 30);
const ENTRY_PERF_GLOBAL_CTRL = 1 << 13;
const ENTRY_LOAD_PKRS = 1 << 22;

/** IA32_VMX_BASIC, MISC and EPT_VPID_CAP as a TD sees them. */
const VIRTUAL_VMX_BASIC = (1n << 54n) | (1n << 55n) | (1n << 56n);
const VIRTUAL_VMX_MISC = (1n << 5n) | (1n << 6n) | (1n << 7n) | (1n << 14n) | (4n << 16n) | (1n << 29n) | (1n << 30n);
const VIRTUAL_EPT_CAP = (1n << 0n) | (1n << 16n) | (1n << 17n) | (1n << 22n);
const EPT_CAP_SUPERVISOR_SHADOW_STACK = 1n << 23n;
const EPT_CAP_HLAT_PREFIX = 0x3fn << 48n;

function withBit(value: number, bit: number, on: boolean): number {
  return (on ? value | bit : value & ~bit) >>> 0;
}

/** Bits that the processor wants as 1: bits 31:0 of a capability MSR. */
function mustBeOne(call: Call, msr: SampledMsr): number {
  return Number(BigInt.asUintN(32, sampledMsr(call, msr)));
}

/** Controls of a TD's VMCS (its own, or that of an L2 VM) with what its attributes and CPUID decide. */
export function withTdConfiguration(call: Call, tdcs: number, base: Controls): Controls {
  const { store } = call;
  const attributes = store.read(tdcs + TDCS_ATTRIBUTES);
  const debug = (attributes & ATTRIBUTE_DEBUG) !== 0;
  const perfmon = (store.read(tdcs + TDCS_ATTRIBUTES + 1) & ATTRIBUTE_PERFMON_HI) !== 0;
  const monitor = cpuidFlag(call, tdcs, FLAG_MONITOR_MWAIT);

  let { procbased, procbased2, entry } = base;
  procbased = withBit(procbased, PROCBASED_MWAIT_EXITING | PROCBASED_MONITOR_EXITING, !monitor);
  procbased = withBit(procbased, PROCBASED_RDPMC_EXITING, !perfmon);
  procbased2 = withBit(procbased2, PROCBASED2_WAIT_PAUSE, cpuidFlag(call, tdcs, FLAG_WAITPKG));
  procbased2 = withBit(procbased2, PROCBASED2_PCONFIG, cpuidFlag(call, tdcs, FLAG_MKTME));
  entry = withBit(entry, ENTRY_PERF_GLOBAL_CTRL, perfmon || debug);
  entry = withBit(entry, ENTRY_LOAD_PKRS, debug || (attributes & ATTRIBUTE_PKS) !== 0);
  const exit = withBit(base.exit, EXIT_PERF_GLOBAL_CTRL, perfmon || debug);
  return { ...base, procbased, procbased2, exit, entry };
}

/** Controls that an L2 VM's VMCS starts with on this platform. */
export function l2Controls(call: Call): Controls {
  const procbased2Msr = sampledMsr(call, SAMPLED_MSRS.IA32_VMX_PROCBASED_CTLS2);
  const enclv = ((procbased2Msr >> 32n) & BigInt(PROCBASED2_ENCLV_EXITING)) !== 0n;
  const waitpkg = call.store.read(call.sys + PLATFORM_WAITPKG_SUPPORTED) !== 0;
  let procbased2 = withBit(L2_PROCBASED2, PROCBASED2_WAIT_PAUSE, waitpkg);
  if (!enclv) procbased2 = withBit(procbased2, PROCBASED2_ENCLV_EXITING, false);
  return {
    pinbased: (L2_PINBASED | mustBeOne(call, SAMPLED_MSRS.IA32_VMX_TRUE_PINBASED_CTLS)) >>> 0,
    procbased: (L2_PROCBASED | mustBeOne(call, SAMPLED_MSRS.IA32_VMX_TRUE_PROCBASED_CTLS)) >>> 0,
    procbased2: (procbased2 | mustBeOne(call, SAMPLED_MSRS.IA32_VMX_PROCBASED_CTLS2)) >>> 0,
    procbased3: L2_PROCBASED3,
    exit: (L2_EXIT | mustBeOne(call, SAMPLED_MSRS.IA32_VMX_TRUE_EXIT_CTLS)) >>> 0,
    entry: (L2_ENTRY | mustBeOne(call, SAMPLED_MSRS.IA32_VMX_TRUE_ENTRY_CTLS)) >>> 0,
  };
}

/** Bits of CR4 that a TD may change for its L2 VMs. */
export function l2Cr4WriteMask(call: Call, tdcs: number): bigint {
  const { store } = call;
  const xfam = store.read(tdcs + TDCS_XFAM);
  let mask = L2_CR4_VARIABLE & ~sampledMsr(call, SAMPLED_MSRS.IA32_VMX_CR4_FIXED0);
  mask &= sampledMsr(call, SAMPLED_MSRS.IA32_VMX_CR4_FIXED1);
  if ((xfam & XFAM_PKU) === 0) mask &= ~CR4_PKE;
  if ((xfam & XFAM_CET) !== XFAM_CET) mask &= ~CR4_CET;
  if ((xfam & XFAM_ULI) === 0) mask &= ~CR4_UINTR;
  if ((store.read(tdcs + TDCS_ATTRIBUTES) & ATTRIBUTE_PKS) === 0) mask &= ~CR4_PKS;
  return mask & ~CR4_KEY_LOCKER;
}

/** A capability MSR of 32-bit controls: bits that must be 1 below, bits that may be 1 above. */
function capability(initial: number, variable: number): bigint {
  return BigInt((initial & ~variable) >>> 0) | (BigInt((initial | variable) >>> 0) << 32n);
}

/** Writes the virtual IA32_VMX_* MSRs to the TDCS. */
export function setVirtualVmxMsrs(call: Call, tdcs: number): void {
  const write = (field: number, value: bigint): void => call.store.writeBig(tdcs + field, value);
  const l2 = withTdConfiguration(call, tdcs, l2Controls(call));
  const perfmon = (call.store.read(tdcs + TDCS_ATTRIBUTES + 1) & ATTRIBUTE_PERFMON_HI) !== 0;
  const procbased = withBit(L1_WRITES_PROCBASED, PROCBASED_RDPMC_EXITING, perfmon);
  let procbased2 = withBit(L1_WRITES_PROCBASED2, PROCBASED2_WAIT_PAUSE, cpuidFlag(call, tdcs, FLAG_WAITPKG));
  procbased2 = withBit(procbased2, PROCBASED2_PCONFIG, cpuidFlag(call, tdcs, FLAG_MKTME));
  const cet = (call.store.read(tdcs + TDCS_XFAM) & XFAM_CET) !== 0;
  const platformEpt = sampledMsr(call, SAMPLED_MSRS.IA32_VMX_EPT_VPID_CAP);
  const cr4 = l2Cr4WriteMask(call, tdcs);

  write(TDCS_VIRTUAL_IA32_VMX_BASIC, VIRTUAL_VMX_BASIC);
  write(TDCS_VIRTUAL_IA32_VMX_MISC, VIRTUAL_VMX_MISC);
  write(TDCS_VIRTUAL_IA32_VMX_TRUE_PINBASED_CTLS, capability(l2.pinbased, 0));
  write(TDCS_VIRTUAL_IA32_VMX_TRUE_PROCBASED_CTLS, capability(l2.procbased, procbased));
  write(TDCS_VIRTUAL_IA32_VMX_PROCBASED_CTLS2, capability(l2.procbased2, procbased2));
  write(TDCS_VIRTUAL_IA32_VMX_PROCBASED_CTLS3, l2.procbased3 | L1_WRITES_PROCBASED3);
  write(TDCS_VIRTUAL_IA32_VMX_TRUE_EXIT_CTLS, capability(l2.exit, 0));
  write(TDCS_VIRTUAL_IA32_VMX_TRUE_ENTRY_CTLS, capability(l2.entry, L1_WRITES_ENTRY));
  write(
    TDCS_VIRTUAL_IA32_VMX_EPT_VPID_CAP,
    VIRTUAL_EPT_CAP | (cet ? EPT_CAP_SUPERVISOR_SHADOW_STACK : 0n) | (platformEpt & EPT_CAP_HLAT_PREFIX),
  );
  write(TDCS_VIRTUAL_IA32_VMX_VMFUNC, 0n);
  write(TDCS_VIRTUAL_IA32_VMX_CR0_FIXED0, L2_CR0_INIT & ~L2_CR0_VARIABLE);
  write(TDCS_VIRTUAL_IA32_VMX_CR0_FIXED1, L2_CR0_INIT | L2_CR0_VARIABLE);
  write(TDCS_VIRTUAL_IA32_VMX_CR4_FIXED0, L2_CR4_INIT & ~cr4);
  write(TDCS_VIRTUAL_IA32_VMX_CR4_FIXED1, L2_CR4_INIT | cr4);
}
