import { TDX_KEY_CONFIGURED, TDX_SYS_KEY_CONFIG_NOT_PENDING } from "../../arch/generated/status-codes.ts";
import { SYS_READY, SYSCONFIG_DONE } from "../../arch/generated/system-states.ts";
import { type Call, fail } from "../call.ts";
import { LP_PKG } from "../local-data.ts";
import { EXCLUSIVE } from "../lock-words.ts";
import { programRandomKey } from "../pconfig.ts";
import type { Steps } from "../step.ts";
import { SYS_NUM_INIT_PKGS, SYS_PKG_CONFIG_BITMAP, SYS_STATE } from "../sys.ts";
import { lockModule } from "../sys-lock.ts";
import { whySystem } from "../why.ts";

/** TDH.SYS.KEY.CONFIG: gives the module's global KeyID a key on this LP's package. The last package makes the system ready. No operands. */
export function* tdhSysKeyConfig(call: Call): Steps {
  const { store, sys } = call;

  yield "lock the module (exclusive)";
  yield* lockModule(call, EXCLUSIVE);
  yield "check that TDH.SYS.CONFIG was done";
  const state = store.read(sys + SYS_STATE);
  if (state !== SYSCONFIG_DONE) fail(TDX_SYS_KEY_CONFIG_NOT_PENDING, 0, whySystem(state));

  yield "check that the package has no key yet";
  const packageNumber = store.read(call.lpCell + LP_PKG);
  const packageBit = 1 << packageNumber;
  const configured = store.read(sys + SYS_PKG_CONFIG_BITMAP);
  if ((configured & packageBit) !== 0) fail(TDX_KEY_CONFIGURED, 0, `package ${packageNumber} has a key`);

  yield "program a random key for the global KeyID";
  programRandomKey(call);

  yield "count the package; the last one makes the system ready";
  store.write(sys + SYS_PKG_CONFIG_BITMAP, configured | packageBit);
  const packages = store.read(sys + SYS_NUM_INIT_PKGS) + 1;
  store.write(sys + SYS_NUM_INIT_PKGS, packages);
  if (packages === call.platform.config.packages.length) store.write(sys + SYS_STATE, SYS_READY);
}
