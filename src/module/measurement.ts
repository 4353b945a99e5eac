/**
 * The measurement of a TD's build, MRTD: SHA-384 over 128-byte headers that name what was done (TDH.MEM.PAGE.ADD with its
 * GPA, TDH.MR.EXTEND with its GPA) and, for an extension, the 256 bytes themselves. Its running state is TDCS.MRTD_CONTEXT;
 * TDCS.MRTD is all zero until TDH.MR.FINALIZE writes the digest.
 */
import type { Call } from "./call.ts";
import { TDCS_MRTD, TDCS_MRTD_CONTEXT } from "./layout.ts";
import { SHA384_BLOCK_BYTES, sha384Blocks, sha384Digest, sha384Start } from "./sha384.ts";

/** Bytes that one TDH.MR.EXTEND measures. */
export const EXTENSION_BYTES = 256;

/** Offset of the GPA in a header; the operation's name, in ASCII, is before it. */
const HEADER_GPA = 16;

export function startMeasurement(call: Call, tdcs: number): void {
  sha384Start(call.store, tdcs + TDCS_MRTD_CONTEXT);
}

/** Extends by `bytes`, a multiple of 128. */
export function extendMeasurement(call: Call, tdcs: number, bytes: Uint8Array): void {
  const blocks = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  sha384Blocks(call.store, tdcs + TDCS_MRTD_CONTEXT, blocks, bytes.length / SHA384_BLOCK_BYTES);
}

/** The header block of one step of a TD's build. */
export function measurementHeader(operation: "MEM.PAGE.ADD" | "MR.EXTEND", gpa: number): Uint8Array {
  const header = new Uint8Array(SHA384_BLOCK_BYTES);
  for (let i = 0; i < operation.length; i++) header[i] = operation.charCodeAt(i);
  new DataView(header.buffer).setBigUint64(HEADER_GPA, BigInt(gpa), true);
  return header;
}

/** Writes the final digest to TDCS.MRTD. */
export function finalizeMeasurement(call: Call, tdcs: number): void {
  writeMeasurement(call, tdcs + TDCS_MRTD, sha384Digest(call.store, tdcs + TDCS_MRTD_CONTEXT));
}

/** Writes the 48 bytes of a measurement register to its 12 words at `cell`. */
export function writeMeasurement(call: Call, cell: number, digest: Uint8Array): void {
  const bytes = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
  for (let i = 0; i < 12; i++) call.store.write(cell + i, bytes.getUint32(i * 4, true));
}

/** The 48 bytes of a measurement register. */
export function readMeasurement(call: Call, cell: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(48));
  for (let i = 0; i < 12; i++) bytes.setUint32(i * 4, call.store.read(cell + i), true);
  return new Uint8Array(bytes.buffer);
}
