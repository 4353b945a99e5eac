/**
 * The module's global data: words in blocks of the store. Offsets from the first cell (`call.sys`). Numbers (addresses,
 * sizes) take two words.
 */

/** SYS_STATE (arch: states.json, "system"). */
export const SYS_STATE = 0;
/** Mutex over initialisation and shutdown ("SYS"). */
export const SYS_LOCK = 1;
/** KeyID of the module's own pages: PAMT and TDRs. */
export const SYS_HKID = 2;
/** Number of TDMRs that TDH.SYS.CONFIG took. */
export const SYS_NUM_TDMRS = 3;
/** Mutex over the key ownership table. */
export const SYS_KOT_LOCK = 4;
/** LPs that did TDH.SYS.LP.INIT. */
export const SYS_NUM_INIT_LPS = 5;
/** Packages that did TDH.SYS.KEY.CONFIG, bit map. */
export const SYS_PKG_CONFIG_BITMAP = 6;

/** TDMR table: MAX_TDMRS entries of TDMR_WORDS words, ascending by base. */
export const SYS_TDMRS = 1024;
export const MAX_TDMRS = 64;
export const TDMR_WORDS = 80;
export const TDMR_BASE = 0;
export const TDMR_SIZE = 2;
/** Address up to which TDH.SYS.TDMR.INIT has come. */
export const TDMR_LAST_INITIALIZED = 4;
export const TDMR_PAMT_1G_BASE = 6;
export const TDMR_PAMT_2M_BASE = 8;
export const TDMR_PAMT_4K_BASE = 10;
/** Mutex over the initialisation of this TDMR. */
export const TDMR_LOCK = 12;
export const TDMR_NUM_RSVD = 13;
/** Reserved areas: offset and size (a number each), MAX_RESERVED_AREAS of them. */
export const TDMR_RSVD = 14;
export const MAX_RESERVED_AREAS = 16;

/** Key ownership table: KOT_WORDS words for each KeyID (hkids.ts has the rules). */
export const SYS_KOT = SYS_TDMRS + MAX_TDMRS * TDMR_WORDS;
export const KOT_WORDS = 4;
export const MAX_HKIDS = 256;
export const KOT_STATE = 0;
/** Packages whose caches were written back since the KeyID was flushed, bit map. */
export const KOT_WBINVD_BITMAP = 1;

/** Cache write-back: one entry of WBT_WORDS words a package. */
export const SYS_WBT = SYS_KOT + MAX_HKIDS * KOT_WORDS;
export const WBT_WORDS = 4;
export const MAX_PACKAGES = 8;

/** What TDH.SYS.INIT sampled of the platform; TDH.SYS.LP.INIT compares with it (platform-config.ts has the layout). */
export const SYS_PLATFORM = SYS_WBT + MAX_PACKAGES * WBT_WORDS;
export const SYS_WORDS = SYS_PLATFORM + 1024;
