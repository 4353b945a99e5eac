import {
  TDX_INVALID_CPUSVN,
  TDX_INVALID_REPORTMACSTRUCT,
  TDX_OPERAND_INVALID,
} from "../../arch/generated/status-codes.ts";
import { RCX } from "../../arch/registers.ts";
import { REPORT_INVALID_CPUSVN, REPORT_MAC_BYTES, REPORT_OK, verifySeamReport } from "../../platform/seam-report.ts";
import { type Call, fail } from "../call.ts";
import type { Steps } from "../step.ts";
import { hex } from "../why.ts";
import { guestBuffer, READ } from "./translate.ts";

/** TDG.MR.VERIFYREPORT: checks that a report was made on this platform. RCX GPA of its REPORTMACSTRUCT, aligned to 256, private. */
export function* tdgMrVerifyreport(call: Call): Steps {
  yield "check the alignment of the report";
  if (call.lo(RCX) % REPORT_MAC_BYTES !== 0) {
    fail(TDX_OPERAND_INVALID, RCX, `${hex(call.big(RCX))} is not aligned to 256 bytes`);
  }
  const hpa = yield* guestBuffer(call, RCX, READ, true);
  yield "have the processor verify it";
  const report = call.memory.readBytes(hpa, REPORT_MAC_BYTES);
  const result = call.platform.injectedVerification() ?? verifySeamReport(report);
  if (result === REPORT_INVALID_CPUSVN) fail(TDX_INVALID_CPUSVN);
  if (result !== REPORT_OK) fail(TDX_INVALID_REPORTMACSTRUCT, 0, "its MAC is not one of this platform");
}
