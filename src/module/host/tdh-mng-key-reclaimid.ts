import type { Call } from "../call.ts";
import type { Steps } from "../step.ts";

/** TDH.MNG.KEY.RECLAIMID: does nothing; it is kept for hosts of module 1.0. What it did is part of TDH.MNG.VPFLUSHDONE now. */
export function* tdhMngKeyReclaimid(_call: Call): Steps {
  yield "succeed";
}
