import {
  TDX_RND_NO_ENTROPY,
  TDX_SYS_LP_INIT_DONE,
  TDX_SYS_LP_INIT_NOT_PENDING,
} from "../../arch/generated/status-codes.ts";
import { SYSINIT_DONE } from "../../arch/generated/system-states.ts";
import { R8, RCX, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { LP_IS_INIT, LP_LFSR } from "../local-data.ts";
import { SHARED } from "../lock-words.ts";
import { comparePlatform } from "../platform-compare.ts";
import type { Steps } from "../step.ts";
import { SYS_NUM_INIT_LPS, SYS_STATE } from "../sys.ts";
import { lockModule } from "../sys-lock.ts";
import { whySystem } from "../why.ts";

/**
 * TDH.SYS.LP.INIT: prepares this LP, once. It must be like the LP that did TDH.SYS.INIT.
 *
 * No operands. Where a CPUID value differs, RCX returns its leaf and sub-leaf, RDX and R8 the mask of the bits that were
 * compared; else these are 0.
 */
export function* tdhSysLpInit(call: Call): Steps {
  const { store, sys, lpCell } = call;
  for (const register of [RCX, RDX, R8]) call.setNum(register, 0);

  yield "lock the module (shared)";
  yield* lockModule(call, SHARED);
  yield "check that TDH.SYS.INIT was done and TDH.SYS.CONFIG was not";
  const state = store.read(sys + SYS_STATE);
  if (state !== SYSINIT_DONE) fail(TDX_SYS_LP_INIT_NOT_PENDING, 0, whySystem(state));
  yield "check that this LP was not prepared before";
  if (store.read(lpCell + LP_IS_INIT) !== 0) fail(TDX_SYS_LP_INIT_DONE);

  yield "draw the seed of the single-step defence";
  const seed = call.platform.random("rdrand");
  if (seed === undefined || (seed & 0xffff_ffffn) === 0n) fail(TDX_RND_NO_ENTROPY);
  store.write(lpCell + LP_LFSR, Number(seed & 0xffff_ffffn));

  yield "drop the translations that the LP remembers: those of an earlier module, after an update";
  call.platform.tlb.flush(call.lp);
  yield* comparePlatform(call);

  yield "mark the LP as prepared";
  store.write(lpCell + LP_IS_INIT, 1);
  store.write(sys + SYS_NUM_INIT_LPS, store.read(sys + SYS_NUM_INIT_LPS) + 1);
}
