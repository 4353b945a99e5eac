/** Features that the TD's virtual CPUID shows and that MSR virtualization and TD entry depend on: bits of TDCS.CPUID_FLAGS. */
import type { Call } from "./call.ts";
import { TDCS_CPUID_FLAGS } from "./layout.ts";
import { PLATFORM_DDPD_SUPPORTED } from "./platform-config.ts";

export const FLAG_MONITOR_MWAIT = 1 << 0;
export const FLAG_DCA = 1 << 1;
export const FLAG_TSC_DEADLINE = 1 << 2;
export const FLAG_TSX = 1 << 3;
export const FLAG_WAITPKG = 1 << 4;
export const FLAG_TME = 1 << 5;
export const FLAG_LA57 = 1 << 6;
export const FLAG_MKTME = 1 << 7;
export const FLAG_XFD = 1 << 8;
export const FLAG_DDPD = 1 << 9;

export function cpuidFlag(call: Call, tdcs: number, flag: number): boolean {
  return (call.store.read(tdcs + TDCS_CPUID_FLAGS) & flag) !== 0;
}

/** IA32_SPEC_CTRL.DDPD_U: hidden from a TD whose CPUID does not have it. */
export const SPEC_CTRL_DDPD_U = 1n << 8n;

/** IA32_SPEC_CTRL as the processor gets it, from the TD's value: DDPD is forced on for a TD that does not know it. */
export function realSpecCtrl(call: Call, tdcs: number, value: bigint): bigint {
  if (call.store.read(call.sys + PLATFORM_DDPD_SUPPORTED) === 0) return value & ~SPEC_CTRL_DDPD_U;
  return cpuidFlag(call, tdcs, FLAG_DDPD) ? value : value | SPEC_CTRL_DDPD_U;
}
