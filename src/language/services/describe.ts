/** What things are, in Markdown: for hovers, completion and signature help. */
import { leafStatuses } from "../../arch/generated/leaf-statuses.ts";
import { leafLocks } from "../../arch/generated/locks.ts";
import { type LeafOperand, leafSignatures } from "../../arch/leaf-operands.ts";
import { registerNames } from "../../arch/registers.ts";
import { decodeStatus, statusText } from "../../arch/status.ts";
import { statusAdvice } from "../../arch/status-advice.ts";
import { formatU64 } from "../../arch/u64.ts";
import type { Builtin } from "../builtins.ts";
import { builtinNumbers, builtins } from "../builtins.ts";
import { constants, fieldNamespace } from "../constants.ts";
import { PLATFORM_KEYS } from "../platform-block.ts";
import { type Constant, Status } from "../values.ts";

/** Text as a piece of a flow. */
export function fence(text: string): string {
  return `\`\`\`tdxflow\n${text}\n\`\`\``;
}

/** `RCX`, or the bits of it: `RCX[2:0]`. */
export function registerText({ register, low, width }: LeafOperand): string {
  const name = (registerNames[register] ?? "").toUpperCase();
  if (width === 64) return name;
  if (width === 0) return `${name}[KeyID bits]`;
  return width === 1 ? `${name}[${low}]` : `${name}[${low + width - 1}:${low}]`;
}

export function operandText(operand: LeafOperand): string {
  const also = operand.aliases.length > 0 ? `, also \`${operand.aliases.join("`, `")}\`` : "";
  return `${operand.what}${also} (${registerText(operand)}${operand.optional ? ", may be left out" : ""})`;
}

/** Operands that a caller names; the version of the interface is rarely given. */
export function leafSignatureText(name: string): string {
  const inputs = leafSignatures.get(name)?.inputs.filter((input) => input.name !== "version") ?? [];
  return `${name}(${inputs.map((input) => `${input.name}${input.optional ? "?" : ""}`).join(", ")})`;
}

export function describeLeaf(name: string): string | undefined {
  const signature = leafSignatures.get(name);
  if (signature === undefined) return undefined;
  const rows = (operands: readonly LeafOperand[]) =>
    operands.map(
      (operand) => `| \`${operand.name}\`${operand.optional ? "?" : ""} | ${registerText(operand)} | ${operand.what} |`,
    );
  const table = (title: string, operands: readonly LeafOperand[]) =>
    operands.length === 0 ? [] : [[`| ${title} | register | |`, "|---|---|---|", ...rows(operands)].join("\n")];
  const statuses = leafStatuses[name] ?? [];
  const locks = [...new Set((leafLocks[name] ?? []).map(([, mode, object]) => `${object} (${mode})`))];
  return [
    fence(leafSignatureText(name)),
    signature.purpose,
    ...table("operand", signature.inputs),
    ...table("output", signature.outputs),
    ...(statuses.length > 0
      ? [`**Statuses** besides TDX_SUCCESS: ${statuses.map((status) => `\`${status}\``).join(", ")}`]
      : []),
    ...(locks.length > 0 ? [`**Locks**, in this order: ${locks.join(", ")}`] : []),
  ].join("\n\n");
}

export function describeBuiltin({ name, parameters, what, where }: Builtin): string {
  const only = where === "both" ? "" : ` Only in ${where === "host" ? "host" : "guest"} code.`;
  return [fence(`${name}(${parameters.join(", ")})`), `${what}.${only}`].join("\n\n");
}

export function builtinOf(name: string): Builtin | undefined {
  const number = builtinNumbers.get(name);
  return number === undefined ? undefined : builtins[number];
}

/** A completion status: what it means, what its caller usually does, who returns it. */
export function describeStatus(hi: number, lo: number): string {
  const status = decodeStatus(hi, lo);
  const { meaning, action } = statusAdvice(hi, lo);
  const kind = [
    status.error ? "error" : "no error",
    status.nonRecoverable ? "not recoverable" : "recoverable",
    ...(status.fatal ? ["fatal"] : []),
  ];
  const leaves = Object.entries(leafStatuses).flatMap(([leaf, names]) =>
    status.name !== undefined && names.includes(status.name) ? [leaf] : [],
  );
  return [
    `**${statusText(hi, lo)}** = \`${formatU64(lo, hi)}\``,
    `${status.className}; ${kind.join(", ")}${status.detail === "" ? "" : `; ${status.detailKind}: ${status.detail}`}`,
    meaning,
    `*Usually:* ${action}`,
    ...(leaves.length > 0 ? [`*Returned by:* ${leaves.join(", ")}`] : []),
  ].join("\n\n");
}

/** An entry of a platform block, or a feature that one may name. */
export function describePlatformKey(name: string): string | undefined {
  const key = Object.hasOwn(PLATFORM_KEYS, name) ? PLATFORM_KEYS[name] : undefined;
  if (key === undefined) return describeConstant(`TDX_FEATURES0_${name}`);
  const limits = key.min === undefined || key.max === undefined ? "" : ` From ${key.min} to ${key.max}.`;
  return `**${name}**: ${key.what}.${limits}\n\nWithout it: ${key.otherwise}.`;
}

function valueText(value: Constant): string {
  if (typeof value === "number" || typeof value === "bigint") return `\`0x${value.toString(16)}\` (${value})`;
  return `\`${String(value)}\``;
}

export function describeConstant(name: string): string | undefined {
  const constant = constants.get(name);
  if (constant === undefined) return undefined;
  if (constant.value instanceof Status) return describeStatus(constant.value.hi, constant.value.lo);
  return `**${name}** = ${valueText(constant.value)}\n\n${sentence(constant.what)}`;
}

export function describeField(namespace: string, name: string): string | undefined {
  const id = fieldNamespace(namespace)?.get(name);
  return id === undefined ? undefined : `**${namespace}.${name}** = ${valueText(id)}\n\nId of a metadata field.`;
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

const PAGE = 4096n;
const UNITS: readonly (readonly [bigint, string])[] = [
  [1n << 40n, "TiB"],
  [1n << 30n, "GiB"],
  [1n << 20n, "MiB"],
  [1n << 10n, "KiB"],
];

/** A number in its other spellings; as a size; as a guest physical address with the S-EPT indexes that a walk uses; as a status. */
export function describeNumber(value: bigint): string {
  const lines = [`\`0x${value.toString(16)}\` = ${value}`];
  const unit = UNITS.find(([size]) => value >= size && value % (size / 4n) === 0n);
  if (unit !== undefined) {
    const quarters = Number((value * 4n) / unit[0]);
    lines.push(`Size: ${quarters / 4} ${unit[1]}${value % PAGE === 0n ? `, ${value / PAGE} pages of 4 KiB` : ""}`);
  }
  const hi = Number(value >> 32n);
  const lo = Number(value & 0xffff_ffffn);
  if (hi >>> 24 !== 0 && decodeStatus(hi, lo).name !== undefined) lines.push(describeStatus(hi, lo));
  else if (value >= PAGE && value < 1n << 52n) {
    const indexes = [4, 3, 2, 1, 0].map((level) => `L${level} ${(value >> BigInt(12 + 9 * level)) & 0x1ffn}`);
    const offset = value % PAGE;
    lines.push(
      `As a GPA: S-EPT indexes ${indexes.join(", ")}${offset === 0n ? "" : `, offset 0x${offset.toString(16)}`}`,
    );
  }
  return lines.join("\n\n");
}
