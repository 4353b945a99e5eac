/**
 * The module's own data of each LP: words of the LP's block from LP_MODULE on. They live until the module is loaded anew.
 */
import { LP_MODULE } from "../platform/lp.ts";

/** 1 once TDH.SYS.LP.INIT succeeded on the LP. */
export const LP_IS_INIT = LP_MODULE;
/** Package and core that the LP belongs to, from CPUID 0x1F; known once LP_IS_INIT is 1. */
export const LP_PKG = LP_MODULE + 1;
export const LP_CORE = LP_MODULE + 2;
/** Seed of the pseudo-random numbers of the single-step defence; never 0. */
export const LP_LFSR = LP_MODULE + 3;

// While a guest runs on the LP (its VCPU is LP_GUEST_TDVPR, platform/lp.ts):

/** HPA of its TDR (number, 2 words). */
export const LP_GUEST_TDR = LP_MODULE + 8;
/** Guest RIP at the last TD entry, 2 words: an EPT violation at the same place may be a zero-step attack. */
export const LP_RIP_ON_ENTRY = LP_MODULE + 10;
/** HPA of the TDVPR of the last VCPU that ran on the LP (number, 2 words). */
export const LP_LAST_TDVPR = LP_MODULE + 12;
/** 1: a bus lock was preempted by a VM exit; the next TD exit reports it. */
export const LP_BUS_LOCK_PREEMPTED = LP_MODULE + 14;
/** The host's general registers as TDH.VP.ENTER found them, in the order of arch/registers.ts; 32 words. */
export const LP_HOST_GPR = LP_MODULE + 16;
/** 1 while an entry to the module is being stepped on the LP. A call that runs as one leaves no time for anybody to look. */
export const LP_IS_BUSY = LP_MODULE + 4;
