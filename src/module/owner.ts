/** The TD that owns a page, as its PAMT entry says. */
import { OPERAND_TDR } from "../arch/generated/operand-ids.ts";
import type { Call } from "./call.ts";
import { lockSharexHp } from "./locks.ts";
import { implicitEntry, PG_4K, pamtLock } from "./pamt.ts";
import type { Steps } from "./step.ts";

/** Locks the TDR at `hpa`, which is known to be one: only its own PAMT entry. Returns its cell. Errors: TDX_OPERAND_BUSY(TDR). */
export function* lockOwnerTdr(call: Call, hpa: number, mode: number): Steps<number> {
  yield "lock the owner's TDR";
  yield* lockSharexHp(call, pamtLock(implicitEntry(call, hpa, PG_4K)), mode, OPERAND_TDR);
  return call.memory.cell(hpa);
}
