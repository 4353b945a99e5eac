/** What TDH.SYS.INIT checks of the processor, and samples of it. */
import { cpuidLookup } from "../arch/generated/cpuid-tables.ts";
import type { Call } from "./call.ts";
import {
  cpuidCell,
  msrCell,
  PLATFORM_CORE_ID_MASK,
  PLATFORM_CORE_ID_SHIFT,
  PLATFORM_PKG_ID_SHIFT,
  SAMPLED_MSRS,
  sampledMsr,
} from "./platform-config.ts";
import type { Steps } from "./step.ts";
import { SYS_CACHE_BLOCKS, SYS_PRIVATE_HKID_MAX, SYS_PRIVATE_HKID_MIN } from "./sys.ts";

/** Samples CPUID and MSRs. */
export function* checkAndSamplePlatform(call: Call): Steps {
  const { store, platform, sys } = call;
  yield "sample MSRs";
  for (const msr of Object.values(SAMPLED_MSRS)) store.writeBig(msrCell(call, msr), platform.rdmsr(call.lp, msr));
  yield "sample CPUID";
  for (const [i, entry] of cpuidLookup.entries()) {
    const values = platform.cpuid(call.lp, entry.leaf, entry.subleaf ?? 0);
    for (const [register, value] of values.entries()) store.write(cpuidCell(call, i, register), value);
  }
  store.write(sys + PLATFORM_CORE_ID_SHIFT, 1);
  store.write(sys + PLATFORM_CORE_ID_MASK, 0x3f);
  store.write(sys + PLATFORM_PKG_ID_SHIFT, 7);
  const partition = sampledMsr(call, SAMPLED_MSRS.IA32_TME_KEYID_PARTITIONING);
  const shared = Number(partition & 0xffff_ffffn);
  store.write(sys + SYS_PRIVATE_HKID_MIN, shared + 1);
  store.write(sys + SYS_PRIVATE_HKID_MAX, shared + Number(partition >> 32n));
  store.write(sys + SYS_CACHE_BLOCKS, Number(sampledMsr(call, SAMPLED_MSRS.MSR_WBINVDP)));
}
