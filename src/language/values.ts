/**
 * Values of the language that are not plain JavaScript ones, and arithmetic on its integers.
 *
 * An integer is unsigned, 64 bits, and wraps. It is a `number` below 2^53 and a `bigint` from there on, never a bigint
 * below: so equal integers are identical, and plain loops never meet a bigint.
 */
import { isFailure } from "../arch/status.ts";

export type Integer = number | bigint;

const LIMIT = 2 ** 53;
const BIG_LIMIT = BigInt(LIMIT);
const TWO_32 = 2 ** 32;

export function isInteger(value: unknown): value is Integer {
  return typeof value === "number" || typeof value === "bigint";
}

/** The integer in its one form, wrapped to 64 bits. */
export function fromBig(value: bigint): Integer {
  const wrapped = BigInt.asUintN(64, value);
  return wrapped < BIG_LIMIT ? Number(wrapped) : wrapped;
}

/** The integer made of two 32-bit halves; the halves may be signed, as bit operators leave them. */
export function fromHalves(lo: number, hi: number): Integer {
  const high = hi >>> 0;
  if (high < 0x20_0000) return high * TWO_32 + (lo >>> 0);
  return (BigInt(high) << 32n) | BigInt(lo >>> 0);
}

export function lowHalf(value: Integer): number {
  return typeof value === "number" ? value >>> 0 : Number(value & 0xffff_ffffn);
}

export function highHalf(value: Integer): number {
  return typeof value === "number" ? (value / TWO_32) >>> 0 : Number((value >> 32n) & 0xffff_ffffn);
}

export function add(a: Integer, b: Integer): Integer {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (sum < LIMIT) return sum;
  }
  return fromBig(BigInt(a) + BigInt(b));
}

export function subtract(a: Integer, b: Integer): Integer {
  if (typeof a === "number" && typeof b === "number" && a >= b) return a - b;
  return fromBig(BigInt(a) - BigInt(b));
}

export function multiply(a: Integer, b: Integer): Integer {
  if (typeof a === "number" && typeof b === "number") {
    const product = a * b;
    if (product < LIMIT) return product;
  }
  return fromBig(BigInt(a) * BigInt(b));
}

/** `b` must not be 0. */
export function divide(a: Integer, b: Integer): Integer {
  if (typeof a === "number" && typeof b === "number") return (a - (a % b)) / b;
  return fromBig(BigInt(a) / BigInt(b));
}

/** `b` must not be 0. */
export function remainder(a: Integer, b: Integer): Integer {
  if (typeof a === "number" && typeof b === "number") return a % b;
  return fromBig(BigInt(a) % BigInt(b));
}

export function and(a: Integer, b: Integer): Integer {
  return fromHalves(lowHalf(a) & lowHalf(b), highHalf(a) & highHalf(b));
}

export function or(a: Integer, b: Integer): Integer {
  return fromHalves(lowHalf(a) | lowHalf(b), highHalf(a) | highHalf(b));
}

export function xor(a: Integer, b: Integer): Integer {
  return fromHalves(lowHalf(a) ^ lowHalf(b), highHalf(a) ^ highHalf(b));
}

export function complement(a: Integer): Integer {
  return fromHalves(~lowHalf(a), ~highHalf(a));
}

/** A shift by 64 or more gives 0. */
export function shiftLeft(a: Integer, b: Integer): Integer {
  if (b >= 64) return 0;
  if (typeof a === "number") {
    const shifted = a * 2 ** Number(b);
    if (shifted < LIMIT) return shifted;
  }
  return fromBig(BigInt(a) << BigInt(b));
}

export function shiftRight(a: Integer, b: Integer): Integer {
  if (b >= 64) return 0;
  if (typeof a === "number") return Math.floor(a / 2 ** Number(b));
  return fromBig(a >> BigInt(b));
}

export function toBig(value: Integer): bigint {
  return BigInt(value);
}

/** Small numbers in decimal, the others in hexadecimal, as people read them. */
export function formatInteger(value: Integer): string {
  return value < 1024 ? value.toString() : `0x${value.toString(16)}`;
}

/**
 * A completion status: what RAX holds after a SEAMCALL or TDCALL, and the named constants to compare it with.
 *
 * Bits 31:0 are details, mostly the id of the operand at fault. A named status has none, and then equals the same status
 * with any detail: `r.status == TDX_OPERAND_BUSY` asks whether something was busy, whatever it was.
 */
export class Status {
  /** Bits 63:32 and 31:0. */
  readonly hi: number;
  readonly lo: number;

  constructor(hi: number, lo: number) {
    this.hi = hi >>> 0;
    this.lo = lo >>> 0;
  }

  /** The status that these 64 bits are. */
  static of(bits: Integer): Status {
    return new Status(highHalf(bits), lowHalf(bits));
  }

  /** Whether it stops a flow that does not look at it: the error or the non-recoverable bit is set. */
  get failed(): boolean {
    return isFailure(this.hi);
  }

  get integer(): Integer {
    return fromHalves(this.lo, this.hi);
  }

  matches(other: Status): boolean {
    return this.hi === other.hi && (this.lo === other.lo || this.lo === 0 || other.lo === 0);
  }

  stateKey(): string {
    return `status:${this.hi}:${this.lo}`;
  }
}

/** A function as a value, by its number in the program. */
export class FunctionValue {
  readonly index: number;
  readonly name: string;

  constructor(index: number, name: string) {
    this.index = index;
    this.name = name;
  }

  stateKey(): string {
    return `fn:${this.index}`;
  }
}

/** What the flow's own literals and the architecture's constants can be. */
export type Constant = Integer | boolean | string | null | Status | FunctionValue;
