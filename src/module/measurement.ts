/**
 * The measurement of a TD's build, MRTD: SHA-384 over 128-byte headers that name what was done (TDH.MEM.PAGE.ADD with its
 * GPA, TDH.MR.EXTEND with its GPA) and, for an extension, the 256 bytes themselves. Its running state is TDCS.MRTD_CONTEXT;
 * TDCS.MRTD is all zero until TDH.MR.FINALIZE writes the digest.
 */
import type { Call } from "./call.ts";
import { TDCS_MRTD, TDCS_MRTD_CONTEXT } from "./layout.ts";
import { SHA384_BLOCK_WORDS, sha384Blocks, sha384Digest, sha384Input, sha384Start } from "./sha384.ts";

/** Bytes that one TDH.MR.EXTEND measures. */
export const EXTENSION_BYTES = 256;

const EXTENSION_WORDS = EXTENSION_BYTES / 4;
/** 32-bit words of a measurement register. */
const REGISTER_WORDS = 12;

/** Word of a header that has the GPA; the operation's name, in ASCII, is before it. */
const HEADER_GPA = 4;
const PAGE_ADD = headerName("MEM.PAGE.ADD");
const EXTEND = headerName("MR.EXTEND");

function headerName(operation: string): Uint32Array {
  const name = new DataView(new ArrayBuffer(HEADER_GPA * 4));
  for (let i = 0; i < operation.length; i++) name.setUint8(i, operation.charCodeAt(i));
  return Uint32Array.from({ length: HEADER_GPA }, (_, i) => name.getUint32(i * 4, true));
}

/** Puts the header of one step of a TD's build into the first block to be hashed. */
function putHeader(input: Uint32Array, name: Uint32Array, gpa: number): void {
  for (let i = 0; i < HEADER_GPA; i++) input[i] = name[i] as number;
  input[HEADER_GPA] = gpa >>> 0;
  input[HEADER_GPA + 1] = (gpa / 0x1_0000_0000) | 0;
  for (let i = HEADER_GPA + 2; i < SHA384_BLOCK_WORDS; i++) input[i] = 0;
}

export function startMeasurement(call: Call, tdcs: number): void {
  sha384Start(call.store, tdcs + TDCS_MRTD_CONTEXT);
}

/** Measures that a page was added at `gpa`. */
export function measurePageAdd(call: Call, tdcs: number, gpa: number): void {
  putHeader(sha384Input(), PAGE_ADD, gpa);
  sha384Blocks(call.store, tdcs + TDCS_MRTD_CONTEXT, 1);
}

/** Measures the 256 bytes of memory at `hpa`, which is aligned to that and mapped at `gpa`. */
export function measureExtension(call: Call, tdcs: number, gpa: number, hpa: number): void {
  const input = sha384Input();
  putHeader(input, EXTEND, gpa);
  const cell = call.memory.peek(hpa);
  for (let i = 0; i < EXTENSION_WORDS; i++) {
    input[SHA384_BLOCK_WORDS + i] = cell === 0 ? 0 : call.store.read(cell + i);
  }
  sha384Blocks(call.store, tdcs + TDCS_MRTD_CONTEXT, 1 + EXTENSION_WORDS / SHA384_BLOCK_WORDS);
}

/** Writes the final digest to TDCS.MRTD. */
export function finalizeMeasurement(call: Call, tdcs: number): void {
  writeMeasurement(call, tdcs + TDCS_MRTD, sha384Digest(call.store, tdcs + TDCS_MRTD_CONTEXT));
}

/** Writes the 48 bytes of a measurement register to its 12 words at `cell`. */
export function writeMeasurement(call: Call, cell: number, digest: Uint8Array): void {
  const bytes = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
  for (let i = 0; i < REGISTER_WORDS; i++) call.store.write(cell + i, bytes.getUint32(i * 4, true));
}

/** The 48 bytes of a measurement register. */
export function readMeasurement(call: Call, cell: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(REGISTER_WORDS * 4));
  for (let i = 0; i < REGISTER_WORDS; i++) bytes.setUint32(i * 4, call.store.read(cell + i), true);
  return new Uint8Array(bytes.buffer);
}
