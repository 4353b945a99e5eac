import { TDX_OPERAND_INVALID } from "../../arch/generated/status-codes.ts";
import { RCX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { TDVPS_CPUID_SUPERVISOR_VE, TDVPS_CPUID_USER_VE } from "../layout.ts";
import type { Steps } from "../step.ts";

/** TDG.VP.CPUIDVE.SET: whether every CPUID of this VCPU is a #VE. RCX bit 0: at CPL 0, bit 1: at CPL 1 to 3. */
export function* tdgVpCpuidveSet(call: Call): Steps {
  yield "check the control bits and set them";
  const control = call.lo(RCX);
  if (control > 3 || call.hi(RCX) !== 0) {
    fail(TDX_OPERAND_INVALID, RCX, "only bits 1:0 may be set");
  }
  call.store.write(call.tdvpr + TDVPS_CPUID_SUPERVISOR_VE, control & 1);
  call.store.write(call.tdvpr + TDVPS_CPUID_USER_VE, control >>> 1);
}
