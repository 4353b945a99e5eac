/** What a leaf function gave back: an immutable value with the status, the outputs by name and every register. */
import { findOperand, type LeafOperand, type LeafSignature, leafSignatures } from "../arch/leaf-operands.ts";
import { RAX, registerNames } from "../arch/registers.ts";
import { decodeStatus } from "../arch/status.ts";
import {
  and,
  complement,
  fromHalves,
  highHalf,
  type Integer,
  lowHalf,
  or,
  Status,
  shiftLeft,
  shiftRight,
} from "../language/values.ts";

const NO_OUTPUTS: readonly LeafOperand[] = [];

export class LeafResult {
  readonly leaf: string;
  private readonly outputs: readonly LeafOperand[];
  /** Low and high halves of the general registers after the call. */
  private readonly lows: Readonly<Uint32Array>;
  private readonly highs: Readonly<Uint32Array>;

  constructor(
    leaf: string,
    signature: LeafSignature | undefined,
    lows: Readonly<Uint32Array>,
    highs: Readonly<Uint32Array>,
  ) {
    this.leaf = leaf;
    this.outputs = signature?.outputs ?? NO_OUTPUTS;
    this.lows = lows;
    this.highs = highs;
  }

  get status(): Status {
    return new Status(this.highs[RAX] as number, this.lows[RAX] as number);
  }

  register(number: number): Integer {
    return fromHalves(this.lows[number] as number, this.highs[number] as number);
  }

  /** Status parts, outputs by name, registers by name; undefined if there is nothing of that name. */
  field(name: string): Integer | Status | string | boolean | null | undefined {
    const output = findOperand(this.outputs, name);
    if (output !== undefined) return this.part(output);
    const register = registerNames.indexOf(name as (typeof registerNames)[number]);
    if (register >= 0) return this.register(register);
    const hi = this.highs[RAX] as number;
    const lo = this.lows[RAX] as number;
    if (name === "status") return this.status;
    if (name === "ok") return !this.status.failed;
    if (name === "name") return decodeStatus(hi, lo).name ?? "";
    if (name === "detail") return lo;
    if (name === "operand") {
      const status = decodeStatus(hi, lo);
      return status.detailKind === "operand" ? status.detail : null;
    }
    return undefined;
  }

  /** Names of its fields: first those that say what happened, then all registers. */
  fieldNames(): string[] {
    const outputs = this.outputs.map((output) => output.name);
    const registers = registerNames.filter((name) => !outputs.includes(name));
    return ["status", "ok", "name", "operand", "detail", ...outputs, ...registers];
  }

  /** Names of the outputs that it has by name. */
  outputNames(): string[] {
    return this.outputs.map((output) => output.name);
  }

  /** The same with another status, output or register. Undefined if the field is none of them, or the value has too many bits. */
  with(name: string, value: Integer): LeafResult | undefined {
    const output = findOperand(this.outputs, name);
    const named = name === "status" ? RAX : registerNames.indexOf(name as (typeof registerNames)[number]);
    const register = output?.register ?? named;
    if (register < 0) return undefined;
    const lows = this.lows.slice();
    const highs = this.highs.slice();
    let bits = value;
    if (output !== undefined && output.width !== 64 && output.width !== 0) {
      const mask = shiftLeft(2 ** output.width - 1, output.low);
      const placed = shiftLeft(value, output.low);
      if (value >= 2 ** output.width) return undefined;
      bits = or(and(this.register(register), complement(mask)), placed);
    }
    lows[register] = lowHalf(bits);
    highs[register] = highHalf(bits);
    return new LeafResult(this.leaf, leafSignatures.get(this.leaf), lows, highs);
  }

  stateKey(): string {
    return `${this.leaf}:${this.lows.join(",")}:${this.highs.join(",")}`;
  }

  private part(output: LeafOperand): Integer {
    const value = this.register(output.register);
    if (output.width === 64 || output.width === 0) return value;
    return and(shiftRight(value, output.low), 2 ** output.width - 1);
  }
}
