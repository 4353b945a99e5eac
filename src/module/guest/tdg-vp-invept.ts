import { TDX_OPERAND_INVALID } from "../../arch/generated/status-codes.ts";
import { RCX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { TDCS_NUM_L2_VMS } from "../layout.ts";
import type { Steps } from "../step.ts";

/**
 * TDG.VP.INVEPT: forgets translations of the TD's L2 VMs. RCX: bit n for L2 VM n; bit 0 must be 0. There is no TLB here, so
 * nothing is to be done.
 */
export function* tdgVpInvept(call: Call): Steps {
  yield "check that the L2 VMs exist";
  const vms = call.lo(RCX);
  const existing = 2 ** (call.store.read(call.tdcs + TDCS_NUM_L2_VMS) + 1);
  if ((vms & 1) !== 0 || vms >= existing || call.hi(RCX) !== 0) {
    fail(TDX_OPERAND_INVALID, RCX, "it names the TD itself or an L2 VM that it does not have");
  }
}
