/**
 * System management memory of the emulated processor, as its IA32_SMRR_PHYSBASE and PHYSMASK say (generated/platform-cpu.ts). The
 * firmware takes it from the top of the memory below 4 GiB; it is never convertible: TDH.SYS.INIT refuses CMRs that overlap it.
 */
export const SMRAM = { base: 0x7e00_0000, size: 0x80_0000 } as const;
