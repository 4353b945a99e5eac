/**
 * 64-bit words as two halves. Halves are unsigned 32-bit numbers; `bigint` is for the edges only, where people or
 * protocols read values.
 */

/** Two halves to read a parsed word from without making an object; valid until the next `parseU64`. */
export const parsed = { lo: 0, hi: 0 };

/** Value of a hexadecimal digit's character code, or -1. */
function digit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/**
 * Reads "0x" and 1 to 16 hexadecimal digits into `parsed`. Returns false, with `parsed` undefined in content, for any
 * other text.
 */
export function parseU64(text: string): boolean {
  const length = text.length;
  if (length < 3 || length > 18 || text.charCodeAt(0) !== 48 || (text.charCodeAt(1) | 0x20) !== 120) return false;
  const split = length > 10 ? length - 8 : 2;
  let hi = 0;
  for (let i = 2; i < split; i++) {
    const value = digit(text.charCodeAt(i));
    if (value < 0) return false;
    hi = (hi << 4) | value;
  }
  let lo = 0;
  for (let i = split; i < length; i++) {
    const value = digit(text.charCodeAt(i));
    if (value < 0) return false;
    lo = (lo << 4) | value;
  }
  parsed.lo = lo >>> 0;
  parsed.hi = hi >>> 0;
  return true;
}

/** "0x" and the digits without leading zeros. */
export function formatU64(lo: number, hi: number): string {
  if (hi === 0) return `0x${(lo >>> 0).toString(16)}`;
  return `0x${(hi >>> 0).toString(16)}${(lo >>> 0).toString(16).padStart(8, "0")}`;
}

/** A 64-bit word on its way between halves and a bigint, four times as fast as computing with bigints. Holds nothing between two calls. */
const word = new DataView(new ArrayBuffer(8));

export function toBig(lo: number, hi: number): bigint {
  word.setUint32(0, hi);
  word.setUint32(4, lo);
  return word.getBigUint64(0);
}

/** Bits 31:0. */
export function lowHalf(value: bigint): number {
  word.setBigUint64(0, value);
  return word.getUint32(4);
}

/** Bits 63:32. */
export function highHalf(value: bigint): number {
  word.setBigUint64(0, value);
  return word.getUint32(0);
}
