/**
 * The module's global data: words in blocks of the store. Offsets from the first cell (`call.sys`). Numbers (addresses,
 * sizes) take two words.
 */

/**
 * State of the system (arch: states.json, "system"). Each leaf of bring-up is for one state and leads to the next:
 * - SYSINIT_PENDING: nothing is known of the platform; only TDH.SYS.INIT.
 * - SYSINIT_DONE: LPs are prepared one by one; then TDH.SYS.CONFIG, or TDH.SYS.UPDATE if a module handed its TDs over.
 * - SYSCONFIG_DONE: memory and global KeyID are known; packages get the key one by one.
 * - SYS_READY: all other leaves. There are TDs only in this state, and in SYS_SHUTDOWN those that are handed over.
 * - SYS_SHUTDOWN: nothing any more, until the module is loaded again.
 */
export const SYS_STATE = 0;
/** Sharex lock over the whole module ("SYS"): shared by TDH.SYS.LP.INIT, exclusive in the other leaves of bring-up and shutdown. */
export const SYS_LOCK = 1;
/** KeyID of the module's own pages: PAMT and TDRs. */
export const SYS_HKID = 2;
/** Number of TDMRs that TDH.SYS.CONFIG took. */
export const SYS_NUM_TDMRS = 3;
/** Sharex lock over the key ownership table. */
export const SYS_KOT_LOCK = 4;
/** LPs that did TDH.SYS.LP.INIT. */
export const SYS_NUM_INIT_LPS = 5;
/** Packages that did TDH.SYS.KEY.CONFIG, bit map. */
export const SYS_PKG_CONFIG_BITMAP = 6;
/** First and last KeyID that a TD may have. */
export const SYS_PRIVATE_HKID_MIN = 7;
export const SYS_PRIVATE_HKID_MAX = 8;
/** Steps in which one package's caches are written back. */
export const SYS_CACHE_BLOCKS = 9;
/** Packages that did TDH.SYS.KEY.CONFIG since TDH.SYS.INIT. */
export const SYS_NUM_INIT_PKGS = 10;
/** The SEAM range, where no buffer of a host can be: its base and size (numbers). */
export const SYS_SEAMRR_BASE = 11;
export const SYS_SEAMRR_SIZE = 13;

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

/** Key ownership table: KOT_WORDS words for each KeyID (kot.ts has the rules). */
export const SYS_KOT = SYS_TDMRS + MAX_TDMRS * TDMR_WORDS;
export const KOT_WORDS = 2;
/** The table's size: TDH.SYS.INIT refuses a platform with more KeyIDs. */
export const MAX_HKIDS = 2048;
export const KOT_STATE = 0;
/** Packages whose caches must still be written back since the KeyID was flushed, bit map. */
export const KOT_WBINVD_BITMAP = 1;

/** Cache write-back: one entry of WBT_WORDS words a package. */
export const SYS_WBT = SYS_KOT + MAX_HKIDS * KOT_WORDS;
export const MAX_PACKAGES = 8;
/** Mutex over the package's write-back. */
export const WBT_LOCK = 0;
/** Step that an interrupted write-back goes on with; 0: none is interrupted. */
export const WBT_INTERRUPTION_POINT = 1;
/** KeyIDs that were flushed when the write-back began, bit map. */
export const WBT_HKIDS = 2;
export const WBT_WORDS = WBT_HKIDS + MAX_HKIDS / 32;

/** What TDH.SYS.INIT sampled of the platform; TDH.SYS.LP.INIT compares with it (platform-config.ts has the layout). */
export const SYS_PLATFORM = SYS_WBT + MAX_PACKAGES * WBT_WORDS;
/**
 * What TDH.SYS.SHUTDOWN leaves for the next module: the words of TDMR table, key ownership table and cache write-back, then
 * SYS_NUM_TDMRS, SYS_HKID and SYS_PKG_CONFIG_BITMAP. They survive `Machine.reload`.
 */
export const SYS_HANDOFF = SYS_PLATFORM + 1024;
/** 1 while the hand-off data is complete and not yet taken over. */
export const HANDOFF_VALID = 0;
export const HANDOFF_VERSION = 1;
/** Bytes that the data takes in Intel's layout; 0 once it was taken over. */
export const HANDOFF_SIZE = 2;
export const HANDOFF_DATA = 3;
export const HANDOFF_TABLE_WORDS = SYS_WBT + MAX_PACKAGES * WBT_WORDS - SYS_TDMRS;
export const HANDOFF_WORDS = HANDOFF_DATA + HANDOFF_TABLE_WORDS + 3;
export const SYS_WORDS = SYS_HANDOFF + HANDOFF_WORDS;
