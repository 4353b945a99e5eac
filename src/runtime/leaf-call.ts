/** Puts the operands of a leaf call into an LP's registers, and takes its results out. */

import { guestLeafInfo, hostLeafInfo } from "../arch/generated/leaves.ts";
import { type LeafOperand, leafSignatures } from "../arch/leaf-operands.ts";
import { RAX, registerNames } from "../arch/registers.ts";
import type { LeafCall } from "../language/flow-code.ts";
import { highHalf, type Integer, isInteger, lowHalf, Status, shiftLeft } from "../language/values.ts";
import { LP_GPR } from "../platform/lp.ts";
import type { Platform } from "../platform/platform.ts";
import { FlowError } from "./flow-error.ts";
import { LeafResult } from "./leaf-result.ts";
import { aType } from "./values.ts";

const REGISTERS = registerNames.length;

/** The registers of the call that is being made: low and high half of each. Used within one call only. */
const scratch = new Uint32Array(REGISTERS * 2);

/** Writes all general registers of the LP: those that the call does not name are 0. `values` has its operands from `first` on. */
export function loadRegisters(
  platform: Platform,
  lp: number,
  call: LeafCall,
  values: readonly unknown[],
  first: number,
): void {
  scratch.fill(0);
  scratch[0] = call.number;
  call.operands.forEach((operand, index) => {
    place(platform, operand, integerOf(operand, values[first + index]));
  });
  const cell = platform.lpCell(lp) + LP_GPR;
  for (let i = 0; i < scratch.length; i++) platform.store.write(cell + i, scratch[i] as number);
}

function integerOf(operand: LeafOperand, value: unknown): Integer {
  if (isInteger(value)) return value;
  if (value instanceof Status) return value.integer;
  if (typeof value === "boolean") return value ? 1 : 0;
  const register = registerNames[operand.register]?.toUpperCase();
  throw new FlowError(`the operand "${operand.name}" (${register}) takes an integer, not ${aType(value)}`);
}

function place(platform: Platform, operand: LeafOperand, value: Integer): void {
  let bits = value;
  if (operand.width === 0) bits = shiftLeft(value, platform.addressBits);
  else if (operand.width < 64 && !operand.inPlace) {
    if (value >= 2 ** operand.width) {
      throw new FlowError(
        `the operand "${operand.name}" has ${operand.width} bits; ${value} does not fit`,
        "to set any bits, name the register",
      );
    }
    bits = shiftLeft(value, operand.low);
  }
  const at = operand.register * 2;
  scratch[at] = (scratch[at] as number) | lowHalf(bits);
  scratch[at + 1] = (scratch[at + 1] as number) | highHalf(bits);
}

/** Number of the leaf that the LP's registers ask for. */
export function leafNumber(platform: Platform, lp: number): number {
  return platform.store.read(platform.lpCell(lp) + LP_GPR + RAX * 2) & 0xffff;
}

/** Name of a leaf by its number; a number without a name reads `TDH.?66`. */
export function leafNameOf(number: number, guest: boolean): string {
  const info = guest ? guestLeafInfo[number] : hostLeafInfo[number];
  return info?.name ?? `${guest ? "TDG" : "TDH"}.?${number}`;
}

/** The registers of the LP as a result. */
export function takeResult(platform: Platform, lp: number, leaf: string): LeafResult {
  const words = new Uint32Array(REGISTERS * 2);
  // Word by word: a view of the store would cost more than the copy.
  const cell = platform.lpCell(lp) + LP_GPR;
  for (let i = 0; i < words.length; i++) words[i] = platform.store.read(cell + i);
  return new LeafResult(leaf, leafSignatures.get(leaf), words);
}
