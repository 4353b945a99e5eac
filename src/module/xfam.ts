/** Extended features that a TD may use (TDCS.XFAM): bits as in XCR0 and IA32_XSS. */
import type { Call } from "./call.ts";
import { PLATFORM_XCR0_SUPPORTED, PLATFORM_XSS_SUPPORTED } from "./platform-config.ts";

export const XFAM_AVX = 1 << 2;
export const XFAM_AVX512 = 7 << 5;
export const XFAM_PT = 1 << 8;
export const XFAM_PKU = 1 << 9;
export const XFAM_CET = 3 << 11;
export const XFAM_ULI = 1 << 14;
export const XFAM_LBR = 1 << 15;
export const XFAM_AMX = 3 << 17;
/** Highest bit that names a feature. */
export const XFAM_LAST_BIT = 18;

/** Bits that the module supports, and those that must be 1 (x87, SSE). */
export const XFAM_FIXED0 = 0x6dbe7;
export const XFAM_FIXED1 = 0x3;
/** Bits of XCR0; the others are of IA32_XSS. */
export const XCR0_BITS = 0x602ff;

/** Features that both the module and the processor support. */
export function supportedXfam(call: Call): number {
  const { store, sys } = call;
  return XFAM_FIXED0 & (store.read(sys + PLATFORM_XCR0_SUPPORTED) | store.read(sys + PLATFORM_XSS_SUPPORTED));
}

/** All or nothing of the bits in `group`. */
function isWhole(xfam: number, group: number): boolean {
  return (xfam & group) === 0 || (xfam & group) === group;
}

/** Supported bits only, the fixed ones, and combinations that the architecture allows. */
export function isValidXfam(call: Call, xfam: bigint): boolean {
  if (xfam >> 32n !== 0n) return false;
  const bits = Number(xfam);
  return (
    (bits & ~supportedXfam(call)) === 0 &&
    (bits & XFAM_FIXED1) === XFAM_FIXED1 &&
    isWhole(bits, XFAM_AVX512) &&
    ((bits & XFAM_AVX512) === 0 || (bits & XFAM_AVX) !== 0) &&
    isWhole(bits, XFAM_CET) &&
    isWhole(bits, XFAM_AMX)
  );
}
