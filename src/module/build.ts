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
