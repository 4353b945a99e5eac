import { sha384 } from "@noble/hashes/sha2.js";
import { OPERAND_RTMR } from "../../arch/generated/operand-ids.ts";
import { TDX_OPERAND_INVALID } from "../../arch/generated/status-codes.ts";
import { RCX, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { TDCS_RTMR, TDCS_RTMR_LOCK } from "../layout.ts";
import { EXCLUSIVE } from "../lock-words.ts";
import { lockSharexHp } from "../locks.ts";
import { readMeasurement, writeMeasurement } from "../measurement.ts";
import type { Steps } from "../step.ts";
import { hex } from "../why.ts";
import { guestBuffer, READ } from "./translate.ts";

const BUFFER_ALIGNMENT = 64;
const DIGEST_BYTES = 48;
const MEASUREMENT_WORDS = DIGEST_BYTES / 4;
export const NUM_RTMRS = 4;

/**
 * TDG.MR.RTMR.EXTEND: extends a run-time measurement register: RTMR = SHA-384(RTMR || 48 bytes).
 *
 * RCX GPA of the 48 bytes, aligned to 64, private · RDX number of the register, 0 to 3.
 */
export function* tdgMrRtmrExtend(call: Call): Steps {
  yield "check the alignment of the data";
  if (call.lo(RCX) % BUFFER_ALIGNMENT !== 0) {
    fail(TDX_OPERAND_INVALID, RCX, `${hex(call.big(RCX))} is not aligned to 64 bytes`);
  }
  const hpa = yield* guestBuffer(call, RCX, READ, true);
  yield "check the number of the register";
  if (call.num(RDX) >= NUM_RTMRS) fail(TDX_OPERAND_INVALID, RDX, "there are RTMRs 0 to 3");
  yield "lock the RTMRs (exclusive)";
  yield* lockSharexHp(call, call.tdcs + TDCS_RTMR_LOCK, EXCLUSIVE, OPERAND_RTMR);
  yield "extend the register";
  const rtmr = call.tdcs + TDCS_RTMR + call.lo(RDX) * MEASUREMENT_WORDS;
  const bytes = new Uint8Array(2 * DIGEST_BYTES);
  bytes.set(readMeasurement(call, rtmr));
  bytes.set(call.memory.readBytes(hpa, DIGEST_BYTES), DIGEST_BYTES);
  writeMeasurement(call, rtmr, sha384(bytes));
}
