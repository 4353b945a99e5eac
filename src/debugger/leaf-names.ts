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
