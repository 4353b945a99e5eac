import { PT_NDA } from "../../arch/generated/pamt-types.ts";
import { TDX_OPERAND_INVALID } from "../../arch/generated/status-codes.ts";
import { RCX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { SHARED } from "../lock-words.ts";
import { lockPage, PG_4K } from "../pamt.ts";
import type { Steps } from "../step.ts";

/**
 * TDH.PHYMEM.PAGE.WBINVD: writes back and invalidates the cache lines of a free page under the KeyID that it last had.
 *
 * RCX the page, with that KeyID in its upper bits.
 */
export function* tdhPhymemPageWbinvd(call: Call): Steps {
  const { config, addressBits } = call.platform;

  yield "take the KeyID out of the address";
  if (call.num(RCX) >= 2 ** config.maxpa) fail(TDX_OPERAND_INVALID, RCX);
  const hpa = call.num(RCX) % 2 ** addressBits;
  yield "lock the page (shared) and check that it is free";
  yield* lockPage(call, hpa, PG_4K, SHARED, PT_NDA, RCX);

  yield "write back and invalidate its cache lines";
  call.platform.keyed.flushPage(hpa);
}
