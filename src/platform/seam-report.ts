/**
 * The processor's part of a TD report (SEAMREPORT, SEAMVERIFYREPORT): it adds its own identity to what the module says of a TD
 * and authenticates the whole with a key that only it has. Identity and key are made up here, so a report of this platform is
 * genuine only to itself.
 */
import { sha384 } from "@noble/hashes/sha2.js";

/** REPORTMACSTRUCT: REPORTTYPE, CPUSVN, hash of TEE_TCB_INFO, hash of TEE_INFO, REPORTDATA, MAC. */
export const REPORT_MAC_BYTES = 256;
export const REPORT_DATA_BYTES = 64;
const CPUSVN = 16;
const CPUSVN_BYTES = 16;
const TCB_INFO_HASH = 32;
const TEE_INFO_HASH = 80;
const REPORT_DATA = 128;
const MAC = 224;
const MAC_BYTES = 32;

/** TEE_TCB_INFO follows the REPORTMACSTRUCT. */
export const TCB_INFO_BYTES = 239;

const key = new TextEncoder().encode("report key of the simulated platform");
const cpusvn = Uint8Array.from({ length: CPUSVN_BYTES }, (_, i) => i + 1);
/** Valid bits, security version and measurements of the module: none is claimed. */
const tcbInfo = new Uint8Array(TCB_INFO_BYTES);

/** What a verification finds, as the SEAMVERIFYREPORT instruction says it. */
export const REPORT_OK = 0;
export const REPORT_INVALID_CPUSVN = 4;
export const REPORT_INVALID_MAC = 5;

function mac(report: Uint8Array): Uint8Array {
  const input = new Uint8Array(key.length + MAC);
  input.set(key);
  input.set(report.subarray(0, MAC), key.length);
  return sha384(input).subarray(0, MAC_BYTES);
}

/** REPORTMACSTRUCT and TEE_TCB_INFO for the four bytes of REPORTTYPE, REPORTDATA and the hash of TEE_INFO. */
export function seamReport(type: Uint8Array, data: Uint8Array, teeInfoHash: Uint8Array): Uint8Array {
  const report = new Uint8Array(REPORT_MAC_BYTES + TCB_INFO_BYTES);
  report.set(type);
  report.set(cpusvn, CPUSVN);
  report.set(sha384(tcbInfo), TCB_INFO_HASH);
  report.set(teeInfoHash, TEE_INFO_HASH);
  report.set(data, REPORT_DATA);
  report.set(mac(report), MAC);
  report.set(tcbInfo, REPORT_MAC_BYTES);
  return report;
}

/** Checks a REPORTMACSTRUCT. A MAC that fits was made here, so its CPUSVN is this platform's. */
export function verifySeamReport(report: Uint8Array): number {
  return mac(report).every((byte, i) => report[MAC + i] === byte) ? REPORT_OK : REPORT_INVALID_MAC;
}
