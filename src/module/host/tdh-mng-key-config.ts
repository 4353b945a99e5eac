import { TDX_KEY_CONFIGURED, TDX_LIFECYCLE_STATE_INCORRECT, TDX_TD_FATAL } from "../../arch/generated/status-codes.ts";
import { RCX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { TDR_FATAL, TDR_LIFECYCLE_STATE, TDR_PKG_CONFIG_BITMAP } from "../layout.ts";
import { LP_PKG } from "../local-data.ts";
import { EXCLUSIVE } from "../lock-words.ts";
import { programRandomKey } from "../pconfig.ts";
import type { Steps } from "../step.ts";
import { SYS_PKG_CONFIG_BITMAP } from "../sys.ts";
import { lockTdr, TD_HKID_ASSIGNED, TD_KEYS_CONFIGURED } from "../td.ts";
import { whyLifecycle } from "../why.ts";

/**
 * TDH.MNG.KEY.CONFIG: gives the TD's KeyID a key on this LP's package. The TD can be built once all packages have one.
 *
 * RCX TDR.
 */
export function* tdhMngKeyConfig(call: Call): Steps {
  const { store } = call;

  yield "lock the TDR (exclusive)";
  const tdr = yield* lockTdr(call, RCX, EXCLUSIVE);
  yield "check the TD's life cycle";
  if (store.read(tdr + TDR_FATAL) !== 0) fail(TDX_TD_FATAL);
  const lifecycle = store.read(tdr + TDR_LIFECYCLE_STATE);
  if (lifecycle !== TD_HKID_ASSIGNED) fail(TDX_LIFECYCLE_STATE_INCORRECT, 0, whyLifecycle(lifecycle));
  yield "check that the package has no key for it yet";
  const packageNumber = store.read(call.lpCell + LP_PKG);
  const packageBit = 1 << packageNumber;
  const configured = store.read(tdr + TDR_PKG_CONFIG_BITMAP);
  if ((configured & packageBit) !== 0) fail(TDX_KEY_CONFIGURED, 0, `package ${packageNumber} has a key`);

  yield "program a random key for the TD's KeyID";
  programRandomKey(call);

  yield "note the package; the last one completes the configuration";
  store.write(tdr + TDR_PKG_CONFIG_BITMAP, configured | packageBit);
  if ((configured | packageBit) === store.read(call.sys + SYS_PKG_CONFIG_BITMAP)) {
    store.write(tdr + TDR_LIFECYCLE_STATE, TD_KEYS_CONFIGURED);
  }
}
