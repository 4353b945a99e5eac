/** What there is to say about things of the architecture and of the language, as Markdown. */
import { guestLeafInfo, hostLeafInfo, type LeafInfo } from "../../arch/generated/leaves.ts";
import { type LeafOperand, type LeafSignature, leafSignatures } from "../../arch/leaf-operands.ts";
import { registerNames } from "../../arch/registers.ts";
import { decodeStatus, statusText } from "../../arch/status.ts";
import { type Builtin, builtinNumbers, builtins } from "../builtins.ts";
import { constants, fieldNamespace } from "../constants.ts";
import type { FlowSymbol } from "../scope.ts";
import { parseNumber } from "../strings.ts";
import { type Constant, isInteger, Status } from "../values.ts";

/** Where an operand lies: `RCX[51:12]`. */
export function placeOfOperand(operand: LeafOperand): string {
  const register = registerNames[operand.register]?.toUpperCase() ?? "";
  if (operand.width === 64) return register;
  if (operand.width === 0) return `${register}[KeyID bits]`;
  return operand.width === 1
    ? `${register}[${operand.low}]`
    : `${register}[${operand.low + operand.width - 1}:${operand.low}]`;
}

function operandList(title: string, operands: readonly LeafOperand[]): string[] {
  if (operands.length === 0) return [];
  const lines = operands.map((operand) => {
    const what = operand.what === "" ? "" : `: ${operand.what}`;
    return `- \`${operand.name}\`${operand.optional ? " (optional)" : ""} ${placeOfOperand(operand)}${what}`;
  });
  return [`**${title}**`, lines.join("\n")];
}

function leafInfo(name: string): { readonly number: number; readonly info: LeafInfo } | undefined {
  for (const table of [hostLeafInfo, guestLeafInfo]) {
    for (const [number, info] of Object.entries(table)) if (info.name === name) return { number: Number(number), info };
  }
  return undefined;
}

export function describeLeaf(signature: LeafSignature): string {
  const leaf = leafInfo(signature.name);
  const versions =
    leaf === undefined || leaf.info.versions.length < 2 ? "" : `, versions ${leaf.info.versions.join(", ")}`;
  return [
    `**${signature.name}**${leaf === undefined ? "" : ` (leaf ${leaf.number}${versions})`}`,
    signature.purpose,
    ...operandList(
      "Operands",
      signature.inputs.filter((input) => input.name !== "version"),
    ),
    ...operandList("Outputs", signature.outputs),
  ].join("\n\n");
}

export function builtinSignature(builtin: Builtin): string {
  return `${builtin.name}(${builtin.parameters.join(", ")})`;
}

export function describeBuiltin(builtin: Builtin): string {
  const where = { host: " For the host only.", guest: " For guests only.", both: "" }[builtin.where];
  return `\`${builtinSignature(builtin)}\`\n\n${builtin.what}.${where}`;
}

function valueText(value: Constant): string {
  if (value instanceof Status) return `0x${value.integer.toString(16).padStart(16, "0")}`;
  return isInteger(value) ? `${value} = 0x${value.toString(16)}` : String(value);
}

function describeStatus(hi: number, lo: number): string {
  const status = decodeStatus(hi, lo);
  const flags = [
    status.error ? "error" : "",
    status.nonRecoverable ? "non-recoverable" : "",
    status.fatal ? "fatal" : "",
  ].filter((flag) => flag !== "");
  return `${statusText(hi, lo)}: ${flags.length === 0 ? "no error" : flags.join(", ")}; class ${status.className}`;
}

export function describeConstant(name: string, value: Constant, what: string): string {
  const more = value instanceof Status ? `\n\n${describeStatus(value.hi, value.lo)}` : "";
  return `\`${name}\` = ${valueText(value)}\n\n${what}${more}`;
}

/** A number in other notations; as a size, as a status, as a guest physical address. */
export function describeNumber(text: string): string | undefined {
  const value = parseNumber(text);
  if (typeof value === "string") return undefined;
  const lines = [`\`${text}\` = ${value} = 0x${value.toString(16)}`];
  const hi = Number(value >> 32n);
  const lo = Number(value & 0xffff_ffffn);
  if (hi >= 0x1000_0000 && decodeStatus(hi, lo).name !== undefined)
    lines.push(`As a status: ${describeStatus(hi, lo)}`);
  const size = sizeText(value);
  if (size !== undefined) lines.push(`As a size: ${size}`);
  if (value >= 4096n && value < 2n ** 52n && (value & 0xfffn) === 0n) {
    const indexes = [4, 3, 2, 1, 0].map((level) => `L${level} ${(value >> BigInt(12 + 9 * level)) & 0x1ffn}`);
    lines.push(`As a guest physical address: S-EPT indexes ${indexes.join(", ")}`);
  }
  return lines.join("\n\n");
}

function sizeText(value: bigint): string | undefined {
  for (const [unit, shift] of [
    ["TiB", 40n],
    ["GiB", 30n],
    ["MiB", 20n],
    ["KiB", 10n],
  ] as const) {
    if (value > 0n && value % (1n << shift) === 0n) return `${value >> shift} ${unit}`;
  }
  return undefined;
}

/** How a name of the flow is shown. */
export function symbolText(symbol: FlowSymbol): string {
  switch (symbol.kind) {
    case "function":
      return `fn ${symbol.name}(${symbol.parameters.join(", ")})`;
    case "module":
      return `import … as ${symbol.name}`;
    case "global":
      return `let ${symbol.name} (top level)`;
    case "local":
      return `let ${symbol.name}`;
  }
}

/** The comment lines right above the line of a declaration. */
export function commentAbove(text: string, offset: number): string {
  const lines = text.slice(0, text.lastIndexOf("\n", offset - 1) + 1).split("\n");
  lines.pop();
  const comment: string[] = [];
  for (let line = lines.pop(); line !== undefined; line = lines.pop()) {
    const match = /^\s*\/\/ ?(.*)$/.exec(line);
    if (match === null) break;
    comment.unshift(match[1] as string);
  }
  return comment.join("\n");
}

export function describeSymbol(symbol: FlowSymbol): string {
  const { source, start } = symbol.declared;
  const comment = symbol.kind === "local" ? "" : commentAbove(source.text, start);
  return `\`\`\`tdxflow\n${symbolText(symbol)}\n\`\`\`${comment === "" ? "" : `\n\n${comment}`}`;
}

/** What is known about a dotted path without the flow: a leaf, a builtin, a constant, a metadata field. */
export function describePath(path: string): string | undefined {
  const signature = leafSignatures.get(path);
  if (signature !== undefined) return describeLeaf(signature);
  const number = builtinNumbers.get(path);
  if (number !== undefined) return describeBuiltin(builtins[number] as Builtin);
  const constant = constants.get(path);
  if (constant !== undefined) return describeConstant(path, constant.value, constant.what);
  const dot = path.indexOf(".");
  const id = dot < 0 ? undefined : fieldNamespace(path.slice(0, dot))?.get(path.slice(dot + 1));
  return id === undefined ? undefined : describeConstant(path, id, "id of a metadata field");
}
