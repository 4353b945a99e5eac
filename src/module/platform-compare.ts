/** What TDH.SYS.LP.INIT compares: every LP must be like the one that did TDH.SYS.INIT. */
import type { Call } from "./call.ts";
import { LP_CORE, LP_PKG } from "./local-data.ts";
import { EDX, PLATFORM_CORE_ID_MASK, PLATFORM_CORE_ID_SHIFT, PLATFORM_PKG_ID_SHIFT } from "./platform-config.ts";
import type { Steps } from "./step.ts";

export function* comparePlatform(call: Call): Steps {
  const { store, sys, lpCell } = call;
  yield "find out the LP's package and core";
  const x2apicId = call.platform.cpuid(call.lp, 0x1f, 0)[EDX];
  store.write(lpCell + LP_PKG, x2apicId >>> store.read(sys + PLATFORM_PKG_ID_SHIFT));
  store.write(
    lpCell + LP_CORE,
    (x2apicId >>> store.read(sys + PLATFORM_CORE_ID_SHIFT)) & store.read(sys + PLATFORM_CORE_ID_MASK),
  );
}
