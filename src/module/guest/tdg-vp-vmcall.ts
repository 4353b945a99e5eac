import { TDX_OPERAND_INVALID } from "../../arch/generated/status-codes.ts";
import { RBP, RCX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { TDCS_CONFIG_FLAGS } from "../layout.ts";
import type { Steps } from "../step.ts";
import { hex } from "../why.ts";
import * as Reason from "./reasons.ts";
import { NO_RBP_MOD, vmcallExit } from "./td-exit.ts";

/** RAX, RCX and RSP never pass to the host. */
const NEVER_PASSED = 0b1_0011;

/**
 * TDG.VP.VMCALL: a TD exit that the guest asks for, to call its host.
 *
 * RCX bits 15:0: general registers that pass to the host and, at the next TDH.VP.ENTER, back; bits 31:16: XMM registers.
 * The guest goes on after the instruction, with RAX 0.
 */
export function* tdgVpVmcall(call: Call): Steps {
  yield "check the register mask";
  const keepsRbp = (call.store.read(call.tdcs + TDCS_CONFIG_FLAGS) & NO_RBP_MOD) !== 0;
  const forbidden = keepsRbp ? NEVER_PASSED | (1 << RBP) : NEVER_PASSED;
  if ((call.lo(RCX) & forbidden) !== 0 || call.hi(RCX) !== 0) {
    fail(TDX_OPERAND_INVALID, RCX, `${hex(call.big(RCX))} selects registers that cannot be passed`);
  }
  yield "leave the guest";
  yield* vmcallExit(call, call.lo(RCX), Reason.TDCALL);
}
