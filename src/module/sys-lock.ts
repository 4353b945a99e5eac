/** The lock over the module as a whole, taken by the leaves that bring it up and shut it down. */
import { TDX_SYS_BUSY } from "../arch/generated/status-codes.ts";
import { type Call, fail } from "./call.ts";
import { TAKEN, trySharex } from "./lock-words.ts";
import type { Steps } from "./step.ts";
import { SYS_LOCK } from "./sys.ts";

/** Errors: TDX_SYS_BUSY, which names no operand. */
export function* lockModule(call: Call, mode: number): Steps {
  if (trySharex(call, call.sys + SYS_LOCK, mode) !== TAKEN) fail(TDX_SYS_BUSY);
  yield "the module is locked";
}
