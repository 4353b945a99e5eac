/**
 * Tags of the store's blocks (store.ts: unique, below 2^53). A page of memory is tagged with its page frame number, which
 * needs 40 bits; everything else lies above.
 */
export const BLOCK_TAG_LP = 2 ** 41;
export const BLOCK_TAG_MODULE = 2 ** 42;
export const BLOCK_TAG_RUNTIME = 2 ** 43;
export const BLOCK_TAG_PLATFORM = 2 ** 44;
export const BLOCK_TAG_KEYED = 2 ** 45;
export const BLOCK_TAG_LOST = 2 ** 46;
export const BLOCK_TAG_TLB = 2 ** 47;
