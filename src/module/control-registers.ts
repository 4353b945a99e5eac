/** Bits of CR0 and CR4, as the Intel 64 architecture (SDM volume 3, "Control Registers") numbers them. */

export const CR0_PE = 1n << 0n;
export const CR0_NE = 1n << 5n;
export const CR0_WP = 1n << 16n;
export const CR0_NW = 1n << 29n;
export const CR0_CD = 1n << 30n;
export const CR0_PG = 1n << 31n;
/** Reserved bits below bit 32: 28:19, 17, 15:6. */
export const CR0_RESERVED_LO = 0x1ffa_ffc0n;
/** All reserved bits. */
export const CR0_RESERVED = 0xffff_ffff_0000_0000n | CR0_RESERVED_LO;

export const CR4_MCE = 1n << 6n;
export const CR4_VMXE = 1n << 13n;
export const CR4_SMXE = 1n << 14n;
export const CR4_KEY_LOCKER = 1n << 19n;
export const CR4_PKE = 1n << 22n;
export const CR4_CET = 1n << 23n;
export const CR4_PKS = 1n << 24n;
export const CR4_UINTR = 1n << 25n;
/** Bits 63:26 and 15. */
export const CR4_RESERVED = 0xffff_ffff_fc00_8000n;
