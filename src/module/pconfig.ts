/** Programming a key into the memory encryption engines of the LP's package, with the PCONFIG instruction. */
import { OPERAND_KET } from "../arch/generated/operand-ids.ts";
import { TDX_KEY_GENERATION_FAILED, TDX_OPERAND_BUSY } from "../arch/generated/status-codes.ts";
import type { Call } from "./call.ts";
import { fail } from "./call.ts";

/** PCONFIG's failure codes (SDM, "PCONFIG"): too little entropy, and another LP programs a key now. */
const ENTROPY_ERROR = 2;
const DEVICE_BUSY = 5;

/** Gives a KeyID of the package a fresh random key. Errors: TDX_OPERAND_BUSY(KET), TDX_KEY_GENERATION_FAILED. */
export function programRandomKey(call: Call): void {
  const code = call.platform.pconfig();
  if (code === DEVICE_BUSY) fail(TDX_OPERAND_BUSY, OPERAND_KET);
  if (code === ENTROPY_ERROR) fail(TDX_KEY_GENERATION_FAILED);
  if (code !== 0) throw new Error(`PCONFIG failed with ${code}: the module would halt the machine`);
}
