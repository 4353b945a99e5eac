/** Takes arguments of builtin functions off the stack. */
import { type Integer, isInteger, Status } from "../language/values.ts";
import { FlowError } from "./flow-error.ts";
import { aType } from "./values.ts";

export function integerArgument(values: readonly unknown[], at: number, name: string): Integer {
  const value = values[at];
  if (isInteger(value)) return value;
  if (value instanceof Status) return value.integer;
  throw new FlowError(`"${name}" is an integer, not ${aType(value)}`);
}

/** Small numbers count something; large ones are addresses and bits. */
function shown(value: Integer): string {
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
  const value = integerArgument(values, at, name);
  if (value < least || value > most)
    throw new FlowError(`"${name}" is from ${shown(least)} to ${shown(most)}, not ${shown(value)}`);
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

export function stringArgument(values: readonly unknown[], at: number, name: string): string {
  const value = values[at];
  if (typeof value !== "string") throw new FlowError(`"${name}" is a string, not ${aType(value)}`);
  return value;
}
