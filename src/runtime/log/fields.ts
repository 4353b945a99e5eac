/** What the fields of a log may hold, and the error that names the line, the field and what belongs there. */
import { parseU64 } from "../../arch/u64.ts";

/** A line that is not what the format says. */
export class LogFormatError extends Error {
  /** From 1. */
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.name = "LogFormatError";
    this.line = line;
  }
}

export type Json = Readonly<Record<string, unknown>>;

/** A line as an object. @throws LogFormatError */
export function parseJson(text: string, line: number): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new LogFormatError(line, error instanceof Error ? error.message : "not JSON");
  }
  if (!isObject(value)) throw new LogFormatError(line, "a line of the log is a JSON object");
  return value;
}

/** What a field may hold. */
export interface Kind {
  readonly what: string;
  readonly test: (value: unknown) => boolean;
}

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const isHex = (value: unknown): value is string => typeof value === "string" && parseU64(value);
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value);
export const isText = (value: unknown): value is string => typeof value === "string";

export const integer = (from: number, to: number): Kind => ({
  what: `an integer from ${from} to ${to}`,
  test: (value) => isCount(value) && value >= from && value <= to,
});
export const one = (...texts: readonly string[]): Kind => ({
  what: `one of ${texts.join(", ")}`,
  test: (value) => texts.includes(value as string),
});
export const listOf = (what: string, isOne: (value: unknown) => boolean): Kind => ({
  what,
  test: (value) => Array.isArray(value) && value.every(isOne),
});
export const optional = ({ what, test }: Kind): Kind => ({
  what,
  test: (value) => value === undefined || test(value),
});

/** The first address that no processor has. */
const ADDRESS_END = 2 ** 52;

export const HEX: Kind = { what: 'a hexadecimal text of up to 64 bits, as "0x1f"', test: isHex };
export const HEX32: Kind = {
  what: 'a hexadecimal text of up to 32 bits, as "0x1f"',
  test: (value) => isHex(value) && Number(value) < 2 ** 32,
};
export const ADDRESS: Kind = {
  what: "a physical address of up to 52 bits in hexadecimal",
  test: (value) => isHex(value) && Number(value) < ADDRESS_END,
};
export const COUNT: Kind = { what: "an integer", test: isCount };
export const BYTES: Kind = {
  what: "bytes in lower-case hexadecimal, two digits each",
  test: (value) => isText(value) && value.length % 2 === 0 && /^[0-9a-f]*$/.test(value),
};
export const TEXT: Kind = { what: "a text", test: isText };
export const YES_OR_NO: Kind = { what: "true or false", test: (value) => typeof value === "boolean" };
export const OBJECT: Kind = { what: "an object", test: isObject };

/** What is wrong with a field's value, for people. */
export function wrongField(name: string, value: unknown, { what }: Kind): string {
  return `${name} is ${value === undefined ? "missing" : shown(value)}, and not ${what}`;
}

const SHOWN = 80;

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
