import { sha384 } from "@noble/hashes/sha2.js";
import { OPERAND_RTMR } from "../../arch/generated/operand-ids.ts";
import { TDX_OPERAND_INVALID } from "../../arch/generated/status-codes.ts";
import { R8, RCX, RDX } from "../../arch/registers.ts";
import { REPORT_DATA_BYTES, seamReport } from "../../platform/seam-report.ts";
import { type Call, fail } from "../call.ts";
import {
  TDCS_ATTRIBUTES,
  TDCS_MRCONFIGID,
  TDCS_MROWNER,
  TDCS_MROWNERCONFIG,
  TDCS_MRTD,
  TDCS_RTMR,
  TDCS_RTMR_LOCK,
  TDCS_SERVTD_HASH,
  TDCS_SERVTD_NUM,
  TDCS_XFAM,
} from "../layout.ts";
import { SHARED } from "../lock-words.ts";
import { lockSharexHp } from "../locks.ts";
import { readMeasurement } from "../measurement.ts";
import type { Steps } from "../step.ts";
import { hex } from "../why.ts";
import { guestBuffer, READ, WRITE } from "./translate.ts";

/** TDREPORT: REPORTMACSTRUCT, TEE_TCB_INFO, TDINFO. */
const REPORT_BYTES = 1024;
const TD_INFO = 512;
const TD_INFO_BYTES = 512;
const MEASUREMENT_BYTES = 48;
const MEASUREMENT_WORDS = MEASUREMENT_BYTES / 4;

const REPORT_TYPE_TDX = 0x81;
/** REPORTTYPE.VERSION of a TD with bound service TDs. */
const VERSION_WITH_SERVTDS = 1;

/**
 * TDG.MR.REPORT: a report of what the TD is, which this platform vouches for.
 *
 * RCX GPA of the 1024 bytes to write, aligned to 1024 · RDX GPA of 64 bytes to include, aligned to 64 · R8 0 (subtype).
 * An interrupt stops it before the report is made; the TDCALL is then to be repeated.
 */
export function* tdgMrReport(call: Call): Steps {
  const { store, memory, tdcs } = call;
  yield "check the alignment of the buffers";
  if (call.lo(RCX) % REPORT_BYTES !== 0) {
    fail(TDX_OPERAND_INVALID, RCX, `${hex(call.big(RCX))} is not aligned to 1024 bytes`);
  }
  if (call.lo(RDX) % REPORT_DATA_BYTES !== 0) {
    fail(TDX_OPERAND_INVALID, RDX, `${hex(call.big(RDX))} is not aligned to 64 bytes`);
  }
  const dataHpa = yield* guestBuffer(call, RDX, READ, false);
  yield "check the subtype";
  if (call.lo(R8) !== 0 || call.hi(R8) !== 0) fail(TDX_OPERAND_INVALID, R8, "the only subtype is 0");

  yield "lock the RTMRs (shared)";
  yield* lockSharexHp(call, tdcs + TDCS_RTMR_LOCK, SHARED, OPERAND_RTMR);
  yield "gather what the TD is";
  const info = tdInfo(call);
  call.release(tdcs + TDCS_RTMR_LOCK);
  yield "stop here if an interrupt is pending";
  if (call.platform.pollInterrupt() !== 0) {
    call.interrupted = true;
    return;
  }

  yield "have the processor make the report";
  const version = store.read(tdcs + TDCS_SERVTD_NUM) > 0 ? VERSION_WITH_SERVTDS : 0;
  const type = new Uint8Array([REPORT_TYPE_TDX, 0, version, 0]);
  const data = memory.readBytes(dataHpa, REPORT_DATA_BYTES);
  const report = new Uint8Array(REPORT_BYTES);
  report.set(seamReport(type, data, sha384(info)));
  report.set(info, TD_INFO);
  const reportHpa = yield* guestBuffer(call, RCX, READ | WRITE, false);
  yield "write the report to the guest's memory";
  memory.writeBytes(reportHpa, report);
}

function tdInfo(call: Call): Uint8Array {
  const { store, tdcs } = call;
  const info = new Uint8Array(TD_INFO_BYTES);
  const view = new DataView(info.buffer);
  view.setBigUint64(0, store.readBig(tdcs + TDCS_ATTRIBUTES), true);
  view.setBigUint64(8, store.readBig(tdcs + TDCS_XFAM), true);
  const registers = [TDCS_MRTD, TDCS_MRCONFIGID, TDCS_MROWNER, TDCS_MROWNERCONFIG];
  for (let i = 0; i < 4; i++) registers.push(TDCS_RTMR + i * MEASUREMENT_WORDS);
  registers.push(TDCS_SERVTD_HASH);
  for (const [i, place] of registers.entries()) {
    info.set(readMeasurement(call, tdcs + place), 16 + i * MEASUREMENT_BYTES);
  }
  return info;
}
