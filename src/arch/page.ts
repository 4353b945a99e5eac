/** Bytes of a 4 KiB page, the unit of physical memory (Linux: PAGE_SIZE). */
export const PAGE_SIZE = 4096;
