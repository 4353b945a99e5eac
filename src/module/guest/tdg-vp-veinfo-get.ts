import { TDX_NO_VALID_VE_INFO } from "../../arch/generated/status-codes.ts";
import { R8, R9, R10, RCX, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import {
  TDVPS_EXIT_QUALIFICATION,
  TDVPS_EXIT_REASON,
  TDVPS_GLA,
  TDVPS_GPA,
  TDVPS_INSTRUCTION_INFORMATION,
  TDVPS_INSTRUCTION_LENGTH,
  TDVPS_VALID,
} from "../layout.ts";
import type { Steps } from "../step.ts";

/**
 * TDG.VP.VEINFO.GET: what the last #VE was about. Until the guest has read it, another #VE is a #DF.
 *
 * Returns RCX exit reason · RDX exit qualification · R8 GLA · R9 GPA · R10 instruction length in bits 31:0, instruction
 * information in 63:32; all 0 if there is nothing to read.
 */
export function* tdgVpVeinfoGet(call: Call): Steps {
  const { store, tdvpr } = call;
  for (const register of [RCX, RDX, R8, R9, R10]) call.setNum(register, 0);
  yield "check that there is #VE information";
  if (store.read(tdvpr + TDVPS_VALID) === 0) {
    fail(TDX_NO_VALID_VE_INFO, 0, "no #VE came since the last call");
  }
  yield "return it and make room for the next #VE";
  call.setNum(RCX, store.read(tdvpr + TDVPS_EXIT_REASON));
  call.setBig(RDX, store.readBig(tdvpr + TDVPS_EXIT_QUALIFICATION));
  call.setBig(R8, store.readBig(tdvpr + TDVPS_GLA));
  call.setBig(R9, store.readBig(tdvpr + TDVPS_GPA));
  call.set(R10, store.read(tdvpr + TDVPS_INSTRUCTION_LENGTH), store.read(tdvpr + TDVPS_INSTRUCTION_INFORMATION));
  store.write(tdvpr + TDVPS_VALID, 0);
}
