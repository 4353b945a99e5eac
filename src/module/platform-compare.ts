/** What TDH.SYS.LP.INIT compares: every LP must be like the one that did TDH.SYS.INIT. */
import { cpuidLookup } from "../arch/generated/cpuid-tables.ts";
import {
  TDX_INCONSISTENT_CPUID_FIELD,
  TDX_INCONSISTENT_MSR,
  TDX_INVALID_PKG_ID,
  TDX_LIMIT_CPUID_MAXVAL_SET,
} from "../arch/generated/status-codes.ts";
import { R8, RCX, RDX } from "../arch/registers.ts";
import { type Call, fail } from "./call.ts";
import { LP_CORE, LP_PKG } from "./local-data.ts";
import { hasSmrr2 } from "./platform-check.ts";
import {
  cpuidCell,
  EDX,
  PLATFORM_CORE_ID_MASK,
  PLATFORM_CORE_ID_SHIFT,
  PLATFORM_PKG_ID_SHIFT,
  SAMPLED_MSRS,
  type SampledMsr,
  sampledMsr,
} from "./platform-config.ts";
import { limitsCpuid } from "./platform-cpuid.ts";
import type { Steps } from "./step.ts";
import { MAX_PACKAGES } from "./sys.ts";
import { hex } from "./why.ts";

const MSR_WBNOINVDP = 0x99;
const S = SAMPLED_MSRS;

const capabilityMsrs = [
  S.IA32_CORE_CAPABILITIES,
  S.IA32_ARCH_CAPABILITIES,
  S.IA32_MISC_PACKAGE_CTLS,
  S.IA32_XAPIC_DISABLE_STATUS,
];
const vmxMsrs = [
  S.IA32_VMX_BASIC,
  S.IA32_VMX_TRUE_PINBASED_CTLS,
  S.IA32_VMX_TRUE_PROCBASED_CTLS,
  S.IA32_VMX_PROCBASED_CTLS2,
  S.IA32_VMX_PROCBASED_CTLS3,
  S.IA32_VMX_TRUE_EXIT_CTLS,
  S.IA32_VMX_TRUE_ENTRY_CTLS,
  S.IA32_VMX_MISC,
  S.IA32_VMX_EPT_VPID_CAP,
  S.IA32_VMX_CR0_FIXED0,
  S.IA32_VMX_CR0_FIXED1,
  S.IA32_VMX_CR4_FIXED0,
  S.IA32_VMX_CR4_FIXED1,
];
const keyMsrs = [S.IA32_TME_CAPABILITY, S.IA32_TME_ACTIVATE, S.IA32_TME_KEYID_PARTITIONING, S.MSR_WBINVDP];

/** Errors: TDX_INCONSISTENT_MSR with the MSR, TDX_INCONSISTENT_CPUID_FIELD with RCX, RDX and R8, and as below. */
export function* comparePlatform(call: Call): Steps {
  yield "compare the capability MSRs";
  compareMsrs(call, capabilityMsrs);
  yield "compare CPUID, and find out the LP's package and core";
  compareCpuid(call);
  compareMsrs(call, [S.IA32_TSC_ADJUST]);
  yield "compare the SMRRs";
  compareMsrs(call, [S.IA32_MTRRCAP, S.IA32_SMRR_PHYSBASE, S.IA32_SMRR_PHYSMASK]);
  if (hasSmrr2(sampledMsr(call, S.IA32_MTRRCAP))) compareMsrs(call, [S.IA32_SMRR2_PHYSBASE, S.IA32_SMRR2_PHYSMASK]);
  yield "compare the VMX capability MSRs";
  compareMsrs(call, vmxMsrs);
  compareMsrs(call, [S.IA32_PERF_CAPABILITIES]);
  yield "compare the memory encryption and its KeyIDs";
  compareMsrs(call, keyMsrs);
  if (call.platform.rdmsr(call.lp, MSR_WBNOINVDP) !== sampledMsr(call, S.MSR_WBINVDP)) {
    fail(TDX_INCONSISTENT_MSR, MSR_WBNOINVDP);
  }
}

function compareMsrs(call: Call, msrs: readonly SampledMsr[]): void {
  for (const msr of msrs) {
    const own = call.platform.rdmsr(call.lp, msr);
    const first = sampledMsr(call, msr);
    if (own !== first) fail(TDX_INCONSISTENT_MSR, msr, `MSR ${hex(msr)} is ${hex(own)}, on the first LP ${hex(first)}`);
  }
}

function compareCpuid(call: Call): void {
  const { platform, store, lp } = call;
  if (limitsCpuid(call)) fail(TDX_LIMIT_CPUID_MAXVAL_SET);
  const lastBase = platform.cpuid(lp, 0, 0)[0];
  const lastExtended = platform.cpuid(lp, 0x8000_0000, 0)[0];
  for (const [index, { leaf, subleaf, masks }] of cpuidLookup.entries()) {
    if (leaf > lastBase && (leaf < 0x8000_0000 || leaf > lastExtended)) continue;
    const values = platform.cpuid(lp, leaf, subleaf ?? -1);
    const same = masks.verify_same ?? [0, 0, 0, 0];
    if (
      same.some(
        (mask, register) => ((values[register] as number) ^ store.read(cpuidCell(call, index, register))) & mask,
      )
    ) {
      call.set(RCX, leaf, subleaf ?? 0xffff_ffff);
      call.set(RDX, same[0], same[1]);
      call.set(R8, same[2], same[3]);
      fail(TDX_INCONSISTENT_CPUID_FIELD);
    }
    if (leaf === 0x1f && subleaf === 0) takeTopologyIds(call, values[EDX]);
  }
}

/** Errors: TDX_INVALID_PKG_ID with the package's number. */
function takeTopologyIds(call: Call, x2apicId: number): void {
  const { store, sys, lpCell } = call;
  const core = (x2apicId >>> store.read(sys + PLATFORM_CORE_ID_SHIFT)) & store.read(sys + PLATFORM_CORE_ID_MASK);
  const pkg = x2apicId >>> store.read(sys + PLATFORM_PKG_ID_SHIFT);
  store.write(lpCell + LP_CORE, core);
  store.write(lpCell + LP_PKG, pkg);
  if (pkg >= MAX_PACKAGES) fail(TDX_INVALID_PKG_ID, pkg);
}
