import {
  TDX_OPERAND_INVALID,
  TDX_RND_NO_ENTROPY,
  TDX_SYS_INIT_NOT_PENDING,
} from "../../arch/generated/status-codes.ts";
import { SYSINIT_DONE, SYSINIT_PENDING } from "../../arch/generated/system-states.ts";
import { R8, R9, R10, RCX, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { EXCLUSIVE } from "../lock-words.ts";
import { checkAndSamplePlatform } from "../platform-check.ts";
import type { Steps } from "../step.ts";
import { SYS_NUM_INIT_LPS, SYS_NUM_INIT_PKGS, SYS_PKG_CONFIG_BITMAP, SYS_STATE } from "../sys.ts";
import { lockModule } from "../sys-lock.ts";
import { whySystem } from "../why.ts";

/**
 * TDH.SYS.INIT: starts the module on this platform, once, on one LP.
 *
 * RCX attributes, 0. Where a CPUID value is refused, RCX returns its leaf and sub-leaf, RDX and R8 the mask of the bits that
 * were compared, R9 and R10 the value that they must have; else these are 0.
 */
export function* tdhSysInit(call: Call): Steps {
  const { store, sys } = call;
  for (const register of [RCX, RDX, R8, R9, R10]) call.setNum(register, 0);

  yield "lock the module (exclusive)";
  yield* lockModule(call, EXCLUSIVE);
  yield "check the attributes";
  if (call.lo(RCX) !== 0 || call.hi(RCX) !== 0) fail(TDX_OPERAND_INVALID, RCX);
  yield "check that the module was not started before";
  const state = store.read(sys + SYS_STATE);
  if (state !== SYSINIT_PENDING) fail(TDX_SYS_INIT_NOT_PENDING, 0, whySystem(state));

  yield* checkAndSamplePlatform(call);

  yield "draw the stack canary";
  if (call.platform.random("rdrand") === undefined) fail(TDX_RND_NO_ENTROPY);

  yield "mark the module as started";
  store.write(sys + SYS_NUM_INIT_LPS, 0);
  store.write(sys + SYS_NUM_INIT_PKGS, 0);
  store.write(sys + SYS_PKG_CONFIG_BITMAP, 0);
  store.write(sys + SYS_STATE, SYSINIT_DONE);
}
