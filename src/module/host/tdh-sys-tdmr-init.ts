import { TDX_OPERAND_INVALID, TDX_TDMR_ALREADY_INITIALIZED } from "../../arch/generated/status-codes.ts";
import { RCX, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { checkHpa } from "../hpa.ts";
import { lockMutex } from "../locks.ts";
import { PAGE_1G, PAGE_4K } from "../pamt.ts";
import { initPamt } from "../pamt-init.ts";
import type { Steps } from "../step.ts";
import {
  SYS_NUM_TDMRS,
  SYS_TDMRS,
  TDMR_BASE,
  TDMR_LAST_INITIALIZED,
  TDMR_LOCK,
  TDMR_SIZE,
  TDMR_WORDS,
} from "../sys.ts";

/** 4 KiB pages whose PAMT entries one call initialises: few enough not to hold interrupts up. */
const PAGES_PER_CALL = 1024;

/**
 * TDH.SYS.TDMR.INIT: initialises the PAMT entries of the next pages of a TDMR. The host calls it until the whole TDMR is done;
 * a GiB can be used once it is complete.
 *
 * RCX base of the TDMR. Returns in RDX the address up to which the TDMR can be used, a multiple of 1 GiB.
 */
export function* tdhSysTdmrInit(call: Call): Steps {
  const { store } = call;
  call.setNum(RDX, 0);

  yield "check that the address is the base of a TDMR";
  const base = checkHpa(call, call.num(RCX), PAGE_1G, RCX);
  const tdmr = tdmrAt(call, base);

  yield "lock the TDMR";
  yield* lockMutex(call, tdmr + TDMR_LOCK, RCX);
  yield "check that pages are left to initialise";
  const next = store.readNumber(tdmr + TDMR_LAST_INITIALIZED);
  if (next >= base + store.readNumber(tdmr + TDMR_SIZE)) fail(TDX_TDMR_ALREADY_INITIALIZED);

  yield "initialise the next PAMT entries";
  initPamt(call, tdmr, next, PAGES_PER_CALL);
  const done = next + PAGES_PER_CALL * PAGE_4K;
  store.writeNumber(tdmr + TDMR_LAST_INITIALIZED, done);
  call.setNum(RDX, done - (done % PAGE_1G));
}

function tdmrAt(call: Call, base: number): number {
  const { store, sys } = call;
  for (let i = 0; i < store.read(sys + SYS_NUM_TDMRS); i++) {
    const tdmr = sys + SYS_TDMRS + i * TDMR_WORDS;
    if (store.readNumber(tdmr + TDMR_BASE) === base) return tdmr;
  }
  return fail(TDX_OPERAND_INVALID, RCX);
}
