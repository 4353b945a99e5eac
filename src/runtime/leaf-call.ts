/** Puts the operands of a leaf call into an LP's registers, and takes its results out. */

import { guestLeafInfo, hostLeafInfo } from "../arch/generated/leaves.ts";
import { type LeafOperand, leafSignatures } from "../arch/leaf-operands.ts";
import { RAX, registerNames } from "../arch/registers.ts";
import { isFailure } from "../arch/status.ts";
import type { LeafCall } from "../language/flow-code.ts";
import { highHalf, type Integer, isInteger, lowHalf, Status, shiftLeft } from "../language/values.ts";
import { LP_GPR } from "../platform/lp.ts";
import type { Platform } from "../platform/platform.ts";
import { hintFor } from "./arguments.ts";
import { FlowError } from "./flow-error.ts";
import { GUEST_LEAF } from "./hooks.ts";
import { LeafResult } from "./leaf-result.ts";
import { aType } from "./values.ts";

const REGISTERS = registerNames.length;

/** The registers of the call that is being made: low and high half of each. Used within one call only. */
const scratch = new Uint32Array(REGISTERS * 2);

/** By a number of bits: the first number that has more. */
const LIMITS = Array.from({ length: 65 }, (_, bits) => 2 ** bits);

/**
 * The general registers for a call, low and high half of each: those that it does not name are 0. `values` has its operands from
 * `first` on. The array is used again for the next call.
 */
export function registersFor(
  platform: Platform,
  call: LeafCall,
  values: readonly unknown[],
  first: number,
): Readonly<Uint32Array> {
  const { operands } = call;
  scratch.fill(0);
  scratch[0] = call.number;
  for (let index = 0; index < operands.length; index++) {
    const operand = operands[index] as LeafOperand;
    const value = values[first + index];
    // Almost all operands are numbers that stand at the register's lowest bit, or where they are.
    const isPlain = typeof value === "number" && operand.width > 0 && (operand.low === 0 || operand.inPlace);
    if (isPlain && (operand.inPlace || value < (LIMITS[operand.width] as number))) put(operand.register, value);
    else place(platform, operand, integerOf(operand, value));
  }
  return scratch;
}

/** Writes all general registers of the LP, as `registersFor` gives them. */
export function loadRegisters(
  platform: Platform,
  lp: number,
  call: LeafCall,
  values: readonly unknown[],
  first: number,
): void {
  platform.writeGprs(lp, registersFor(platform, call, values, first));
}

function integerOf(operand: LeafOperand, value: unknown): Integer {
  if (isInteger(value)) return value;
  if (value instanceof Status) return value.integer;
  if (typeof value === "boolean") return value ? 1 : 0;
  const register = registerNames[operand.register]?.toUpperCase();
  throw new FlowError(
    `the operand "${operand.name}" (${register}) takes an integer, not ${aType(value)}`,
    hintFor(value),
  );
}

function place(platform: Platform, operand: LeafOperand, value: Integer): void {
  let bits = value;
  if (operand.width === 0) bits = shiftLeft(value, platform.addressBits);
  else if (operand.width < 64 && !operand.inPlace) {
    if (value >= (LIMITS[operand.width] as number)) {
      throw new FlowError(
        `the operand "${operand.name}" has ${operand.width} bits; ${value} does not fit`,
        "to set any bits, name the register",
      );
    }
    bits = shiftLeft(value, operand.low);
  }
  put(operand.register, bits);
}

/** Operands can share a register. */
function put(register: number, bits: Integer): void {
  const at = register * 2;
  scratch[at] = (scratch[at] as number) | lowHalf(bits);
  scratch[at + 1] = (scratch[at + 1] as number) | highHalf(bits);
}

/** Number of the leaf that is called, TDCALLs from GUEST_LEAF on. The operands are on the stack from `first` on. */
export function calleeOf(call: LeafCall, stack: readonly unknown[], first: number): number {
  const base = call.guest ? GUEST_LEAF : 0;
  if (call.name !== undefined) return base + call.number;
  const index = call.operands.findIndex(({ register, low }) => register === RAX && low === 0);
  if (index < 0) return base + (call.number & 0xffff);
  return base + (lowHalf(integerOf(call.operands[index] as LeafOperand, stack[first + index])) & 0xffff);
}

/** Name of the leaf that a call calls. */
export function nameOfCall(call: LeafCall, stack: readonly unknown[], first: number): string {
  return call.name ?? leafName(calleeOf(call, stack, first));
}

/** Name of a leaf by its number, TDCALLs from GUEST_LEAF on; a number without a name reads `TDH.?66`. */
export function leafName(callee: number): string {
  const info = callee >= GUEST_LEAF ? guestLeafInfo[callee - GUEST_LEAF] : hostLeafInfo[callee];
  return info?.name ?? `${callee >= GUEST_LEAF ? "TDG" : "TDH"}.?${callee % GUEST_LEAF}`;
}

/** Whether the LP's registers hold the status of a call that failed. */
export function hasFailed(platform: Platform, lp: number): boolean {
  return isFailure(platform.store.read(platform.lpCell(lp) + LP_GPR + RAX * 2 + 1));
}

/** The registers of the LP as a result. */
export function takeResult(platform: Platform, lp: number, leaf: string): LeafResult {
  // Arrays of 64 bytes each: larger ones do not lie in the heap of objects, and cost ten times as much.
  const lows = new Uint32Array(REGISTERS);
  const highs = new Uint32Array(REGISTERS);
  const cell = platform.lpCell(lp) + LP_GPR;
  for (let i = 0; i < REGISTERS; i++) {
    lows[i] = platform.store.read(cell + i * 2);
    highs[i] = platform.store.read(cell + i * 2 + 1);
  }
  return new LeafResult(leaf, leafSignatures.get(leaf), lows, highs);
}
