/**
 * Layout of an LP's block of words. The general registers are those that software on the LP sees now: the host's, or the
 * guest's while the LP is in TDX non-root mode.
 */

/** 16 general registers, low and high half each, in the order of arch/registers.ts. */
export const LP_GPR = 0;
/** Physical address of the TDVPR of the VCPU that runs on this LP (number, 2 words); 0: the LP is in host mode. */
export const LP_GUEST_TDVPR = 32;
/** Words from here on belong to the TDX module: its per-LP local data (module/local-data.ts). */
export const LP_MODULE = 64;
