/** The SEAMCALL dispatcher: what is checked before any leaf runs. */
import { hostLeafInfo } from "../arch/generated/leaves.ts";
import { TDX_OPERAND_INVALID, TDX_SYS_NOT_READY, TDX_SYS_SHUTDOWN } from "../arch/generated/status-codes.ts";
import { SYS_READY, SYS_SHUTDOWN } from "../arch/generated/system-states.ts";
import { RAX } from "../arch/registers.ts";
import { type Call, fail } from "./call.ts";
import { hostLeaves } from "./leaves.ts";
import type { Steps } from "./step.ts";
import { SYS_STATE } from "./sys.ts";
import { refuseLeaf } from "./unsupported.ts";
import { whySystem } from "./why.ts";

/** RAX must be a known leaf and version, and the system's state must allow it. Then runs the leaf. */
export function* dispatch(call: Call): Steps {
  yield "check the leaf number and version in RAX";
  const info = hostLeafInfo[call.leaf];
  const reserved = (call.lo(RAX) & 0xff00_0000) !== 0 || call.hi(RAX) !== 0;
  if (reserved || (call.version > 0 && (info?.versions.length ?? 1) === 1)) fail(TDX_OPERAND_INVALID, RAX); // a leaf with versions checks it itself

  yield "check that the system's state allows the leaf";
  const state = call.store.read(call.sys + SYS_STATE);
  if (state === SYS_SHUTDOWN) {
    if (info?.allowedAfterShutdown !== true) fail(TDX_SYS_SHUTDOWN);
  } else if (state !== SYS_READY && info?.allowedBeforeSysReady !== true) {
    fail(TDX_SYS_NOT_READY, 0, whySystem(state));
  }

  const leaf = hostLeaves[call.leaf] ?? refuseLeaf;
  yield* leaf(call);
}
