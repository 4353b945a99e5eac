/**
 * Operands of the leaf functions by name: which register, or which bits of one, carries what. Names are those of the
 * Intel TDX Module ABI specification and of Linux, short. The tables (operands-host.ts, operands-guest.ts) are text, one
 * operand a line, so that they can be read and compared with the specification.
 */
import { guestOperandTable } from "./operands-guest.ts";
import { hostOperandTable } from "./operands-host.ts";
import { registerNames } from "./registers.ts";

export interface LeafOperand {
  readonly name: string;
  /** Other names that it goes by. */
  readonly aliases: readonly string[];
  /** Number of the register. */
  readonly register: number;
  /** Lowest bit and number of bits. `width` 0: the KeyID bits of a physical address, which depend on the platform. */
  readonly low: number;
  readonly width: number;
  /** The bits keep their place: an address whose low bits are used for something else. Else the value is shifted by `low`. */
  readonly inPlace: boolean;
  readonly optional: boolean;
  readonly what: string;
}

export interface LeafSignature {
  readonly name: string;
  /** What it does, in a sentence. */
  readonly purpose: string;
  readonly inputs: readonly LeafOperand[];
  readonly outputs: readonly LeafOperand[];
}

/** RAX[23:16] of every leaf. */
const versionOperand: LeafOperand = {
  name: "version",
  aliases: [],
  register: 0,
  low: 16,
  width: 8,
  inPlace: false,
  optional: true,
  what: "Version of the leaf function's interface",
};

function parseOperand(line: string): LeafOperand {
  const match = /^(\w+)(?:\[(?:(\d+)(?::(\d+))?|(hkid))\](@?))?\s+([\w|]+)(\??)(?:\s+(.*))?$/.exec(line);
  if (match === null) throw new Error(`operand table: ${line}`);
  const [, register, high, low, keyid, inPlace, names, optional, what] = match;
  const number = registerNames.indexOf(register as (typeof registerNames)[number]);
  const [name, ...aliases] = (names as string).split("|");
  if (number < 0) throw new Error(`operand table: ${line}`);
  const lowest = Number(low ?? high ?? 0);
  return {
    name: name as string,
    aliases,
    register: number,
    low: lowest,
    width: keyid !== undefined ? 0 : high === undefined ? 64 : Number(high) - lowest + 1,
    inPlace: inPlace === "@",
    optional: optional === "?",
    what: what ?? "",
  };
}

function parseTable(table: string, signatures: Map<string, LeafSignature>): void {
  for (const block of table.trim().split(/\n\s*\n/)) {
    const [head, ...lines] = block.trim().split("\n");
    const [name, purpose] = (head as string).split(/\s+-\s+/);
    const of = (direction: string) =>
      lines
        .map((line) => line.trim())
        .filter((line) => line.startsWith(`${direction} `))
        .map((line) => parseOperand(line.slice(direction.length).trim()));
    signatures.set(name as string, {
      name: name as string,
      purpose: purpose ?? "",
      inputs: [...of("in"), versionOperand],
      outputs: of("out"),
    });
  }
}

function build(): ReadonlyMap<string, LeafSignature> {
  const signatures = new Map<string, LeafSignature>();
  parseTable(hostOperandTable, signatures);
  parseTable(guestOperandTable, signatures);
  return signatures;
}

/** Signatures of TDH.* and TDG.* by name. */
export const leafSignatures = build();

/** The operand of that name or alias among `operands`. */
export function findOperand(operands: readonly LeafOperand[], name: string): LeafOperand | undefined {
  return operands.find((operand) => operand.name === name || operand.aliases.includes(name));
}
