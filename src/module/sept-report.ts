/** How leaves report an S-EPT entry to the host: in RCX and RDX, without the module's own bits. */
import { SEPT_FREE, SEPT_STATES } from "../arch/generated/sept-states.ts";
import { RCX, RDX } from "../arch/registers.ts";
import { type Call, fail } from "./call.ts";
import {
  isLeaf,
  SEPT_IPAT,
  SEPT_MT_MASK,
  SEPT_PS,
  SEPT_RWX,
  SEPT_SUPPRESS_VE,
  type SeptEntry,
  septState,
} from "./sept-entry.ts";

/** HPA bits of an entry, low and high word. */
const HPA_LO = 0xffff_f000;
const HPA_HI = 0x000f_ffff;

/** Ends the leaf with the entry in RCX and RDX. */
export function failWithEntry(call: Call, entry: SeptEntry, code: number, operand: number): never {
  reportEntry(call, entry);
  const state = SEPT_STATES[septState(entry)]?.name ?? "in no known state";
  fail(code, operand, `the S-EPT entry of level ${entry.level} is ${state}`);
}

/** No entry to report: RCX and RDX are 0. */
export function clearReport(call: Call): void {
  call.set(RCX, 0, 0);
  call.set(RDX, 0, 0);
}

/**
 * The architectural form of an entry: RCX the entry without the module's own bits, RDX its level in bits 2:0 and state in
 * bits 15:8. A free entry shows only suppress-#VE; one that points to a table hides where.
 */
export function reportEntry(call: Call, entry: SeptEntry): void {
  const state = septState(entry);
  if (state === SEPT_FREE) {
    call.set(RCX, 0, SEPT_SUPPRESS_VE);
  } else if (isLeaf(entry)) {
    const lo = entry.lo & (SEPT_RWX | SEPT_MT_MASK | HPA_LO | SEPT_IPAT | SEPT_PS);
    call.set(RCX, lo, entry.hi & (HPA_HI | SEPT_SUPPRESS_VE));
  } else {
    call.set(RCX, entry.lo & (SEPT_RWX | SEPT_PS), 0);
  }
  const reported = state < 0 ? 0 : (SEPT_STATES[state]?.reportedState ?? 0);
  call.set(RDX, entry.level | (reported << 8), 0);
}
