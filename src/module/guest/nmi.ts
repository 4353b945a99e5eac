/** NMIs that the host asks the module to inject (TDVPS.PEND_NMI). */
import type { Call } from "../call.ts";
import { TDVPS_PEND_NMI, TDVPS_VALID, VMCS_PRIMARY_PROCESSOR_BASED_VM_EXECTION_CONTROLS } from "../layout.ts";
import type { Steps } from "../step.ts";
import { injectNmi } from "./events.ts";

/** Primary processor-based VM-execution controls. */
const NMI_WINDOW_EXITING = 1 << 22;

/** A guest that can take an NMI gets the one that is pending, but not before it has read its #VE information. */
function nmiIsDue(call: Call): boolean {
  return call.store.read(call.tdvpr + TDVPS_PEND_NMI) !== 0 && call.store.read(call.tdvpr + TDVPS_VALID) === 0;
}

function setNmiWindowExiting(call: Call, on: boolean): void {
  const cell = call.vmcs + VMCS_PRIMARY_PROCESSOR_BASED_VM_EXECTION_CONTROLS;
  const controls = call.store.read(cell);
  call.store.write(cell, on ? controls | NMI_WINDOW_EXITING : controls & ~NMI_WINDOW_EXITING);
}

/** Asks for an exit as soon as the guest can take a pending NMI. */
export function openNmiWindow(call: Call): void {
  if (nmiIsDue(call)) setNmiWindowExiting(call, true);
}

export function* nmiWindowExit(call: Call): Steps {
  yield "inject the pending NMI";
  if (nmiIsDue(call)) {
    injectNmi(call);
    call.store.write(call.tdvpr + TDVPS_PEND_NMI, 0);
  }
  setNmiWindowExiting(call, false);
}
