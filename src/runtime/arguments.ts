/** Takes arguments of builtin functions off the stack. */
import { type Integer, isInteger, Status } from "../language/values.ts";
import { FlowError } from "./flow-error.ts";
import { LeafResult } from "./leaf-result.ts";
import type { SessionState } from "./session-state.ts";
import { aType } from "./values.ts";

/** What a builtin function does: its `count` arguments are on the stack from `first` on. Returns its value. */
export type BuiltinFunction = (state: SessionState, stack: readonly unknown[], first: number, count: number) => unknown;

export function integerArgument(values: readonly unknown[], at: number, name: string): Integer {
  const value = values[at];
  if (isInteger(value)) return value;
  if (value instanceof Status) return value.integer;
  throw new FlowError(`"${name}" must be an integer, not ${aType(value)}`, hintFor(value));
}

/** What may help when a value is none of the integers that are wanted. */
export function hintFor(value: unknown): string {
  if (value === null) return "a function without return gives null, and so does a field that was never set";
  if (value instanceof LeafResult) return "a result has fields: status, and the outputs by name";
  if (typeof value === "boolean") return "integer(value) is 1 or 0";
  if (typeof value === "string") return "a number stands without quotes";
  return `it is ${aType(value)}: a field or an element of it may be meant`;
}

/** Small numbers count something; large ones are addresses and bits. */
export function shown(value: Integer): string {
  return value < 4096 ? String(value) : `0x${value.toString(16)}`;
}

/** An integer that must lie in a range, as a number. */
export function numberArgument(
  values: readonly unknown[],
  at: number,
  name: string,
  least: number,
  most: number,
): number {
  return inRange(integerArgument(values, at, name), name, least, most);
}

/** What a 32-bit register holds. */
export function registerArgument(values: readonly unknown[], at: number, name: string): number {
  return numberArgument(values, at, name, 0, 0xffff_ffff);
}

function inRange(value: Integer, name: string, least: number, most: number): number {
  if (value < least || value > most)
    throw new FlowError(
      `"${name}" must be from ${shown(least)} to ${shown(most)}, not ${shown(value)}`,
      value >= 2n ** 63n ? "integers have no sign: 0 - 1 is 2^64 - 1" : "the call names its parameters: hover it",
    );
  return Number(value);
}

/** Argument number `index` of `count`, or `otherwise` if it was left out. */
export function optionalInteger(
  values: readonly unknown[],
  first: number,
  count: number,
  index: number,
  name: string,
  otherwise: Integer,
): Integer {
  return index < count && values[first + index] !== null ? integerArgument(values, first + index, name) : otherwise;
}

/** As `optionalInteger`, for one that must lie in a range. */
export function optionalNumber(
  values: readonly unknown[],
  first: number,
  count: number,
  index: number,
  name: string,
  otherwise: number,
  most: number,
): number {
  return inRange(optionalInteger(values, first, count, index, name, otherwise), name, 0, most);
}

export function stringArgument(values: readonly unknown[], at: number, name: string): string {
  const value = values[at];
  if (typeof value !== "string")
    throw new FlowError(`"${name}" must be a string, not ${aType(value)}`, 'text(value), or "{value}", makes one');
  return value;
}
