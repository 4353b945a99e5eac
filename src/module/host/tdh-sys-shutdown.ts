import { TDX_OPERAND_INVALID, TDX_SYS_BUSY } from "../../arch/generated/status-codes.ts";
import { SYS_SHUTDOWN } from "../../arch/generated/system-states.ts";
import { RCX } from "../../arch/registers.ts";
import { LP_GUEST_TDVPR } from "../../platform/lp.ts";
import { MIN_UPDATE_HANDOFF_VERSION, MODULE_HANDOFF_VERSION, NO_DOWNGRADE } from "../build.ts";
import { type Call, fail } from "../call.ts";
import { writeHandoff } from "../handoff.ts";
import { LP_IS_BUSY } from "../local-data.ts";
import { EXCLUSIVE } from "../lock-words.ts";
import type { Steps } from "../step.ts";
import { SYS_STATE } from "../sys.ts";
import { lockModule } from "../sys-lock.ts";

/**
 * TDH.SYS.SHUTDOWN: stops the module for an update and leaves hand-off data for its successor.
 *
 * RCX version of the hand-off data.
 */
export function* tdhSysShutdown(call: Call): Steps {
  yield "check the hand-off version";
  const version = call.num(RCX);
  const leastVersion = NO_DOWNGRADE ? MODULE_HANDOFF_VERSION : MIN_UPDATE_HANDOFF_VERSION;
  if (version < leastVersion || version > MODULE_HANDOFF_VERSION) fail(TDX_OPERAND_INVALID, RCX);

  yield "lock the module (exclusive)";
  yield* lockModule(call, EXCLUSIVE);
  yield "check that no other LP is in the module or runs a guest";
  for (let lp = 0; lp < call.platform.lps; lp++) {
    if (lp !== call.lp && isBusy(call, lp)) fail(TDX_SYS_BUSY, 0, `LP ${lp} is`);
  }

  yield "write the hand-off data";
  writeHandoff(call, version);
  call.store.write(call.sys + SYS_STATE, SYS_SHUTDOWN);
}

function isBusy(call: Call, lp: number): boolean {
  const cell = call.platform.lpCell(lp);
  return call.store.read(cell + LP_IS_BUSY) !== 0 || call.store.readNumber(cell + LP_GUEST_TDVPR) !== 0;
}
