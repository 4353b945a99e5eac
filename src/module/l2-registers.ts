/**
 * The registers that name the S-EPT pages of L2 VMs in version 1 of TDH.MEM.SEPT.ADD, SEPT.REMOVE and PAGE.PROMOTE: R9, R10
 * and R11 for L2 VM 1, 2 and 3. TDs have no L2 VMs here (unsupported.ts), so all that is left of them is what the leaves
 * check and return.
 */
import { R9, R11 } from "../arch/registers.ts";
import type { Call } from "./call.ts";

export const FIRST_L2_REGISTER = R9;
export const LAST_L2_REGISTER = R11;

/** No page, in a register that holds a page's HPA. */
export const NULL_PA_HALF = 0xffff_ffff;

/** True if the register holds "no page". */
export function isNullPa(call: Call, register: number): boolean {
  return call.lo(register) === NULL_PA_HALF && call.hi(register) === NULL_PA_HALF;
}

/** Returns "no page" for each L2 VM, whether or not the leaf succeeds. */
export function returnNoL2Pages(call: Call): void {
  for (let r = FIRST_L2_REGISTER; r <= LAST_L2_REGISTER; r++) call.set(r, NULL_PA_HALF, NULL_PA_HALF);
}
