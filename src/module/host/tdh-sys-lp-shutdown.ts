import type { Call } from "../call.ts";
import type { Steps } from "../step.ts";

/** TDH.SYS.LP.SHUTDOWN: does nothing; it is kept for hosts of module 1.0, which called it on each LP before TDH.SYS.SHUTDOWN. */
export function* tdhSysLpShutdown(_call: Call): Steps {
  yield "succeed";
}
