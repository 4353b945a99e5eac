/** Facts of the module's build (TDX module 1.5.01), which TDH.SYS.RD reports. */

export const VENDOR_ID = 0x8086;

/** Version of the hand-off data that this module writes and the least that it accepts. */
export const MODULE_HANDOFF_VERSION = 0;
export const MIN_UPDATE_HANDOFF_VERSION = 0;
/** 1: hand-off data must not be of an older version than the module's own. */
export const NO_DOWNGRADE = 0;
/** Pages for hand-off data besides the first, and the bytes that it takes in Intel's layout. */
export const NUM_HANDOFF_PAGES = 13;
export const HANDOFF_BYTES = 53_386;

/** Bits of TD_PARAMS.CONFIG_FLAGS that may be 1. */
export const CONFIG_FLAGS_FIXED0 = 0b111;

/** Bits of the virtual IA32_ARCH_CAPABILITIES that a host may configure. */
export const ARCH_CAPABILITIES_CONFIG_MASK = (1 << 4) | (1 << 19) | (1 << 20) | (1 << 24);

/** Family, model and latest stepping (as in CPUID 1 EAX) of the processors that the module knows, newest first. */
export const KNOWN_FMS: readonly number[] = [0xd06d0, 0xa06e0, 0xa06d0, 0xa06f0, 0xc06f2, 0x806f8];
