/** Compares how an entry to the module ended with what the log says. Registers are compared as two halves. */
import { registerNames } from "../../arch/registers.ts";
import { parsed, parseU64 } from "../../arch/u64.ts";
import type { GuestResult, InjectedEvent } from "../../module/guest/actions.ts";
import { LogFormatError } from "./fields.ts";
import type { Mask, Outcome, Registers } from "./format.ts";

const REGISTERS = 16;
const numberOf = new Map<string, number>(registerNames.map((name, i) => [name, i]));

export type Report = (what: string, expected: string, got: string) => void;

/** 16 registers in the order of an LP's block: low and high half each. */
export type RegisterFile = Uint32Array;

export const registerFile = (): RegisterFile => new Uint32Array(2 * REGISTERS);

/** Writes the registers that the log names. @throws LogFormatError */
export function setRegisters(file: RegisterFile, registers: Registers, line: number): void {
  for (const name in registers) {
    if (name === "inject") continue; // an entry to the guest lists the injected event among the registers
    const number = numberOf.get(name);
    if (number === undefined) {
      throw new LogFormatError(line, `no register ${name}; there are ${registerNames.join(", ")}`);
    }
    const value: unknown = registers[name];
    if (typeof value !== "string" || !parseU64(value)) {
      throw new LogFormatError(line, `${name} is ${JSON.stringify(value)}, and no 64-bit hexadecimal number as "0x1f"`);
    }
    file[2 * number] = parsed.lo;
    file[2 * number + 1] = parsed.hi;
  }
}

/** Bits of the registers that a mask names. */
export function maskedRegisters(mask: Mask | undefined): number {
  let bits = 0;
  for (const name of mask ?? []) bits |= 1 << (numberOf.get(name as string) ?? 31);
  return bits;
}

/** An event as the log writes it; empty for none. */
export function eventText(event: InjectedEvent | undefined): string {
  if (event === undefined) return "";
  const information = `0x${(event.information >>> 0).toString(16)}`;
  return event.errorCode === undefined ? information : `${information}:0x${(event.errorCode >>> 0).toString(16)}`;
}

/** Compares everything of a guest action's result but registers and memory. Returns true if it is equal. */
export function compareResult(expected: Outcome, got: GuestResult, report: Report): boolean {
  const kind = expected.ok
    ? "ok"
    : expected.native
      ? "native"
      : expected.resume
        ? "resume"
        : expected.exit
          ? "exit"
          : "none";
  if (got.kind !== kind) {
    report("result", kind, got.kind);
    return false;
  }
  let same = true;
  const check = (what: string, want: string, have: string): void => {
    if (want === have) return;
    same = false;
    report(what, want || "none", have || "none");
  };
  if (got.kind === "resume") {
    check("rip", String(expected.rip ?? 0), String(got.rip));
    check("inject", expected.inject ?? "", eventText(got.injected));
  }
  return same;
}

/** Two lower-case digits a byte. */
export const toHex = (bytes: Uint8Array): string => {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
};

/** Value of a lower-case hexadecimal digit. */
function digit(hex: string, at: number): number {
  const code = hex.charCodeAt(at);
  return code < 0x3a ? code - 0x30 : code - 0x57;
}

/** Bytes of lower-case hexadecimal digits. */
export function bytesOf(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (digit(hex, 2 * i) << 4) | digit(hex, 2 * i + 1);
  return bytes;
}
