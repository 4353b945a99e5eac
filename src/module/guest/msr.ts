/**
 * RDMSR and WRMSR that the TD's MSR bitmaps do not let through to the processor. The rules by MSR are in arch/msr-access.ts;
 * those with a way of their own are here.
 */
import { type MsrExit, msrRule } from "../../arch/msr-access.ts";
import { RAX, RCX, RDX } from "../../arch/registers.ts";
import { ATTRIBUTE_PERFMON_HI } from "../attributes.ts";
import type { Call } from "../call.ts";
import { cpuidFlag, FLAG_DCA, FLAG_MKTME, FLAG_TME, FLAG_TSC_DEADLINE } from "../cpuid-flags.ts";
import {
  TDCS_ATTRIBUTES,
  TDCS_MSR_BITMAPS,
  TDCS_VIRTUAL_IA32_ARCH_CAPABILITIES,
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
  TDVPS_IA32_XSS,
  TDVPS_XFAM,
  VMCS_GUEST_RFLAGS,
  VMCS_IA32_DEBUGCTL,
  VMCS_IA32_EFER,
  VMCS_PENDING_DEBUG_EXCEPTIONS,
} from "../layout.ts";
import { PLATFORM_XSS_SUPPORTED, SAMPLED_MSRS, sampledMsr } from "../platform-config.ts";
import type { Steps } from "../step.ts";
import { tdcsCell } from "../td.ts";
import { injectGp, injectVe } from "./events.ts";

const IA32_XAPIC_DISABLE_STATUS = 0xbd;
const IA32_ARCH_CAPABILITIES = 0x10a;
const IA32_MISC_ENABLE = 0x1a0;
const IA32_DEBUGCTL = 0x1d9;
const IA32_PERF_CAPABILITIES = 0x345;
const IA32_XSS = 0xda0;
const IA32_EFER = 0xc000_0080;

/** MSRs whose virtual value TDH.MNG.INIT calculated. */
const virtualMsrs: ReadonlyMap<number, number> = new Map([
  [IA32_ARCH_CAPABILITIES, TDCS_VIRTUAL_IA32_ARCH_CAPABILITIES],
  [0x480, TDCS_VIRTUAL_IA32_VMX_BASIC],
  [0x485, TDCS_VIRTUAL_IA32_VMX_MISC],
  [0x486, TDCS_VIRTUAL_IA32_VMX_CR0_FIXED0],
  [0x487, TDCS_VIRTUAL_IA32_VMX_CR0_FIXED1],
  [0x488, TDCS_VIRTUAL_IA32_VMX_CR4_FIXED0],
  [0x489, TDCS_VIRTUAL_IA32_VMX_CR4_FIXED1],
  [0x48b, TDCS_VIRTUAL_IA32_VMX_PROCBASED_CTLS2],
  [0x48c, TDCS_VIRTUAL_IA32_VMX_EPT_VPID_CAP],
  [0x48d, TDCS_VIRTUAL_IA32_VMX_TRUE_PINBASED_CTLS],
  [0x48e, TDCS_VIRTUAL_IA32_VMX_TRUE_PROCBASED_CTLS],
  [0x48f, TDCS_VIRTUAL_IA32_VMX_TRUE_EXIT_CTLS],
  [0x490, TDCS_VIRTUAL_IA32_VMX_TRUE_ENTRY_CTLS],
  [0x491, TDCS_VIRTUAL_IA32_VMX_VMFUNC],
  [0x492, TDCS_VIRTUAL_IA32_VMX_PROCBASED_CTLS3],
]);

/** MSRs that exist for a guest only if its CPUID shows their feature; TME ones by default. */
const featureOf: ReadonlyMap<number, number> = new Map([
  [0x87, FLAG_MKTME],
  [0x1f8, FLAG_DCA],
  [0x1f9, FLAG_DCA],
  [0x1fa, FLAG_DCA],
  [0x6e0, FLAG_TSC_DEADLINE],
]);

// The MSR bitmaps: read low, read high, write low, write high, 1 KiB each (SDM volume 3, 25.6.9).
const BITMAP_MSRS = 0x2000;
const BITMAP_WORDS = 256;
const HIGH_MSR = 0xc000_0000;

const MISC_ENABLE_PERFMON = 1n << 7n;
const MISC_ENABLE_PEBS_UNAVAILABLE = 1n << 12n;
const PERF_CAPABILITIES_PEBS_TO_PT = 1n << 16n;
const LEGACY_XAPIC_DISABLED = 1n;
const DEBUGCTL_BTF = 1n << 1n;
const DEBUGCTL_TR = 1n << 6n;
const DEBUGCTL_BTS = 1n << 7n;
const DEBUGCTL_ENABLE_UNCORE_PMI = 1n << 13n;
const DEBUGCTL_RESERVED = 0xffff_ffff_ffff_0038n;
const EFER_SCE = 1n;
const EFER_LMA = 1n << 10n;
const RFLAGS_TF = 1 << 8;
const PENDING_BS = 1 << 14;

type Outcome = "done" | "gp" | "ve";

function isInBitmap(msr: number): boolean {
  return msr < BITMAP_MSRS || (msr >= HIGH_MSR && msr < HIGH_MSR + BITMAP_MSRS);
}

/** True if the TD's bitmaps let the access through: the processor does it without an exit. */
export function isNative(call: Call, msr: number, write: boolean): boolean {
  if (!isInBitmap(msr)) return false;
  const quarter = (write ? 2 : 0) + (msr >= HIGH_MSR ? 1 : 0);
  const bit = msr % BITMAP_MSRS;
  const word = tdcsCell(call, call.tdr, TDCS_MSR_BITMAPS) + quarter * BITMAP_WORDS + (bit >>> 5);
  return ((call.store.read(word) >>> (bit & 31)) & 1) === 0;
}

/** RDMSR or WRMSR: the MSR's number in ECX, its value in EDX:EAX. `reason` is the VM exit reason. */
export function* msrExit(call: Call, write: boolean, reason: number): Steps {
  yield "find the rule for the MSR and apply it";
  const msr = call.lo(RCX);
  const outcome = !isInBitmap(msr) ? "ve" : write ? writeMsr(call, msr) : readMsr(call, msr);
  if (outcome === "gp") injectGp(call);
  if (outcome === "ve") injectVe(call, reason, 0n, 0n, 0n);
}

function byRule(call: Call, msr: number, otherwise: MsrExit | undefined): Outcome {
  if (otherwise === undefined || otherwise === "ve") return "ve";
  if (otherwise === "gp or ve") return cpuidFlag(call, call.tdcs, featureOf.get(msr) ?? FLAG_TME) ? "ve" : "gp";
  return "gp";
}

function returnValue(call: Call, value: bigint): Outcome {
  call.set(RAX, Number(value & 0xffff_ffffn), 0);
  call.set(RDX, Number(value >> 32n), 0);
  return "done";
}

function readMsr(call: Call, msr: number): Outcome {
  const { store, vmcs, tdcs } = call;
  const virtual = virtualMsrs.get(msr);
  if (virtual !== undefined) return returnValue(call, store.readBig(tdcs + virtual));
  switch (msr) {
    case IA32_DEBUGCTL:
      return returnValue(call, store.readBig(vmcs + VMCS_IA32_DEBUGCTL) & ~DEBUGCTL_ENABLE_UNCORE_PMI);
    case IA32_MISC_ENABLE: {
      const value = call.platform.rdmsr(call.lp, IA32_MISC_ENABLE);
      return returnValue(call, (value & ~MISC_ENABLE_PERFMON) | MISC_ENABLE_PEBS_UNAVAILABLE);
    }
    case IA32_PERF_CAPABILITIES: {
      const perfmon = (store.read(tdcs + TDCS_ATTRIBUTES + 1) & ATTRIBUTE_PERFMON_HI) !== 0;
      const value = sampledMsr(call, SAMPLED_MSRS.IA32_PERF_CAPABILITIES) & ~PERF_CAPABILITIES_PEBS_TO_PT;
      return returnValue(call, perfmon ? value : 0n);
    }
    case IA32_XAPIC_DISABLE_STATUS:
      return returnValue(call, LEGACY_XAPIC_DISABLED);
    default:
      return byRule(call, msr, msrRule(msr)?.read.otherwise);
  }
}

function writeMsr(call: Call, msr: number): Outcome {
  const value = (BigInt(call.lo(RDX)) << 32n) | BigInt(call.lo(RAX));
  switch (msr) {
    case IA32_XSS:
      return writeXss(call, value);
    case IA32_DEBUGCTL:
      return writeDebugctl(call, value);
    case IA32_EFER:
      return writeEfer(call, value);
    default:
      return byRule(call, msr, msrRule(msr)?.write.otherwise);
  }
}

function writeXss(call: Call, value: bigint): Outcome {
  const { store, tdvpr } = call;
  const allowed = BigInt(store.read(call.sys + PLATFORM_XSS_SUPPORTED)) & store.readBig(tdvpr + TDVPS_XFAM);
  if ((value & ~allowed) !== 0n) return "gp";
  store.writeBig(tdvpr + TDVPS_IA32_XSS, value);
  return "done";
}

function writeDebugctl(call: Call, value: bigint): Outcome {
  const { store, vmcs } = call;
  if ((value & DEBUGCTL_RESERVED) !== 0n) return "gp";
  if ((value & DEBUGCTL_TR) !== 0n && (value & DEBUGCTL_BTS) === 0n) return "ve";
  const old = store.readBig(vmcs + VMCS_IA32_DEBUGCTL);
  const kept = old & DEBUGCTL_ENABLE_UNCORE_PMI; // the host's, whatever the guest writes
  store.writeBig(vmcs + VMCS_IA32_DEBUGCTL, (value & ~DEBUGCTL_ENABLE_UNCORE_PMI) | kept);
  const steps = (store.read(vmcs + VMCS_GUEST_RFLAGS) & RFLAGS_TF) !== 0;
  if (steps && ((value ^ old) & DEBUGCTL_BTF) !== 0n) {
    const cell = vmcs + VMCS_PENDING_DEBUG_EXCEPTIONS;
    const pending = store.read(cell);
    store.write(cell, (old & DEBUGCTL_BTF) !== 0n ? pending | PENDING_BS : pending & ~PENDING_BS);
  }
  return "done";
}

function writeEfer(call: Call, value: bigint): Outcome {
  const cell = call.vmcs + VMCS_IA32_EFER;
  const old = call.store.readBig(cell);
  const wanted = (value & ~EFER_LMA) | (old & EFER_LMA); // LMA is read-only
  if ((wanted & ~EFER_SCE) !== (old & ~EFER_SCE)) return "ve";
  call.store.writeBig(cell, wanted);
  return "done";
}
