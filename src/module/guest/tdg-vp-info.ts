import { R8, R9, R10, R11, RCX, RDX } from "../../arch/registers.ts";
import type { Call } from "../call.ts";
import { TDCS_ATTRIBUTES, TDCS_MAX_VCPUS, TDCS_NUM_VCPUS, TDVPS_VCPU_INDEX } from "../layout.ts";
import type { Steps } from "../step.ts";
import { gpaBits } from "./translate.ts";

/** TDG.SYS.RD is there. */
const SYS_RD_AVAILABLE = 1;

/**
 * TDG.VP.INFO: what a guest has to know of itself.
 *
 * Returns RCX width of a GPA · RDX attributes · R8 number of VCPUs in bits 31:0, the most there can be in 63:32 · R9 index of
 * this VCPU · R10 1 if TDG.SYS.RD is there · R11 0.
 */
export function* tdgVpInfo(call: Call): Steps {
  const { store, tdcs } = call;
  yield "return facts of the TD and the VCPU";
  call.setNum(RCX, gpaBits(call, tdcs));
  call.set(RDX, store.read(tdcs + TDCS_ATTRIBUTES), store.read(tdcs + TDCS_ATTRIBUTES + 1));
  call.set(R8, store.read(tdcs + TDCS_NUM_VCPUS), store.read(tdcs + TDCS_MAX_VCPUS));
  call.setNum(R9, store.read(call.tdvpr + TDVPS_VCPU_INDEX));
  call.setNum(R10, SYS_RD_AVAILABLE);
  call.setNum(R11, 0);
}
