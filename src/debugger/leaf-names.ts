/** Leaves as breakpoints and run control number them: SEAMCALLs by their number, TDCALLs above. */
import { guestLeafInfo, hostLeafInfo } from "../arch/generated/leaves.ts";
import { GUEST_LEAF } from "../runtime/hooks.ts";

export interface NamedLeaf {
  readonly number: number;
  readonly name: string;
}

export const LEAVES: readonly NamedLeaf[] = [
  ...Object.entries(hostLeafInfo).map(([number, info]) => ({ number: Number(number), name: info.name })),
  ...Object.entries(guestLeafInfo).map(([number, info]) => ({ number: GUEST_LEAF + Number(number), name: info.name })),
];

/** Name of a leaf by its number as breakpoints know it. */
export function leafName(callee: number): string {
  const info = callee >= GUEST_LEAF ? guestLeafInfo[callee - GUEST_LEAF] : hostLeafInfo[callee];
  return info?.name ?? `${callee >= GUEST_LEAF ? "TDCALL" : "SEAMCALL"} ${callee % GUEST_LEAF}`;
}
