/** A completion status for people: number, name, operand or detail. */
import { decodeStatus, statusText } from "../arch/status.ts";
import { formatU64 } from "../arch/u64.ts";

/** "0x8000020000000001 · TDX_OPERAND_BUSY(RCX)". */
export function describedStatus(hi: number, lo: number): string {
  return decodeStatus(hi, lo).name === undefined ? formatU64(lo, hi) : `${formatU64(lo, hi)} · ${statusText(hi, lo)}`;
}
