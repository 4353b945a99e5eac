import { TDX_SYS_INVALID_HANDOFF, TDX_SYS_STATE_INCORRECT } from "../../arch/generated/status-codes.ts";
import { SYS_READY, SYSINIT_DONE } from "../../arch/generated/system-states.ts";
import { MIN_UPDATE_HANDOFF_VERSION, MODULE_HANDOFF_VERSION } from "../build.ts";
import { type Call, fail } from "../call.ts";
import { takeHandoff } from "../handoff.ts";
import { EXCLUSIVE } from "../lock-words.ts";
import { completeCpuidSamples } from "../platform-config.ts";
import type { Steps } from "../step.ts";
import { HANDOFF_VALID, HANDOFF_VERSION, SYS_HANDOFF, SYS_NUM_INIT_LPS, SYS_STATE } from "../sys.ts";
import { lockModule } from "../sys-lock.ts";
import { whyLps, whySystem } from "../why.ts";

/** TDH.SYS.UPDATE: takes over from the module that was shut down, in place of TDH.SYS.CONFIG and TDH.SYS.KEY.CONFIG. No operands. */
export function* tdhSysUpdate(call: Call): Steps {
  const { store, sys } = call;

  yield "lock the module (exclusive)";
  yield* lockModule(call, EXCLUSIVE);
  yield "check that TDH.SYS.INIT and TDH.SYS.LP.INIT of all LPs were done";
  const state = store.read(sys + SYS_STATE);
  if (state !== SYSINIT_DONE) fail(TDX_SYS_STATE_INCORRECT, 0, whySystem(state));
  const lps = store.read(sys + SYS_NUM_INIT_LPS);
  if (lps < call.platform.lpCount) fail(TDX_SYS_STATE_INCORRECT, 0, whyLps(lps, call.platform.lpCount));
  yield "check the hand-off data";
  const version = store.read(sys + SYS_HANDOFF + HANDOFF_VERSION);
  const known = version >= MIN_UPDATE_HANDOFF_VERSION && version <= MODULE_HANDOFF_VERSION;
  if (store.read(sys + SYS_HANDOFF + HANDOFF_VALID) === 0 || !known) fail(TDX_SYS_INVALID_HANDOFF);

  yield "take the hand-off data over";
  takeHandoff(call);
  completeCpuidSamples(call);
  store.write(sys + SYS_STATE, SYS_READY);
}
