/** TD attributes (TDCS.ATTRIBUTES): bits of the low and of the high word. */

/** The host may read and write the TD's state and memory. */
export const ATTRIBUTE_DEBUG = 1 << 0;
export const ATTRIBUTE_SEPT_VE_DISABLE = 1 << 28;
export const ATTRIBUTE_MIGRATABLE = 1 << 29;
export const ATTRIBUTE_PKS = 1 << 30;
/** Key Locker; never supported. */
export const ATTRIBUTE_KL = 0x8000_0000;
/** Bit 63. */
export const ATTRIBUTE_PERFMON_HI = 0x8000_0000;

/** Bits that may be 1 (low word, high word); none must be. */
export const ATTRIBUTES_FIXED0 = [
  ATTRIBUTE_DEBUG | ATTRIBUTE_SEPT_VE_DISABLE | ATTRIBUTE_MIGRATABLE | ATTRIBUTE_PKS,
  ATTRIBUTE_PERFMON_HI,
] as const;
