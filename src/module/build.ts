/** Facts of the module's build (TDX module 1.5.01), which TDH.SYS.RD reports too. */

/** Version of the hand-off data that this module writes and the least that it accepts. */
export const MODULE_HANDOFF_VERSION = 0;
export const MIN_UPDATE_HANDOFF_VERSION = 0;
/** 1: hand-off data must not be of an older version than the module's own. */
export const NO_DOWNGRADE = 0;
