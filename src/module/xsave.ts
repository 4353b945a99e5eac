/**
 * Header of the XSAVE area that holds a guest's extended state while it does not run (TDVPS.XBUFF; SDM volume 1, 13.4.2). Of the
 * state itself this platform has nothing: all components stay as they are after a reset.
 */
import type { Call } from "./call.ts";
import { TDVPS_XBUFF, TDVPS_XFAM } from "./layout.ts";
import { tdvpsCell } from "./vcpu.ts";

/** Words of the header: which components the area holds, and in which format it is. */
const XSTATE_BV = 512 / 4;
const XCOMP_BV = 520 / 4;
const XSTATE_SSE = 2;
/** XCOMP_BV: compacted format, bit 63; the other bits say which components have a place. */
const COMPACTED_HI = 0x8000_0000;

/** An area that nothing has been saved in. */
export function initXsaveArea(call: Call, tdvpr: number): void {
  call.store.write(tdvpsCell(call, tdvpr, TDVPS_XBUFF + XCOMP_BV) + 1, COMPACTED_HI);
}

/** The host passes XMM registers to the guest: they have contents. */
export function markSse(call: Call, tdvpr: number): void {
  const cell = tdvpsCell(call, tdvpr, TDVPS_XBUFF + XSTATE_BV);
  call.store.write(cell, call.store.read(cell) | XSTATE_SSE);
}

/** XSAVES at a TD exit: all components that the TD may use get their place. */
export function saveExtendedState(call: Call, tdvpr: number): void {
  const { store } = call;
  const cell = tdvpsCell(call, tdvpr, TDVPS_XBUFF + XCOMP_BV);
  store.write(cell, store.read(tdvpr + TDVPS_XFAM));
  store.write(cell + 1, (store.read(tdvpr + TDVPS_XFAM + 1) | COMPACTED_HI) >>> 0);
}
