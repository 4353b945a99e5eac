/** Calls of leaf functions to code: by name with named operands, or by number with raw registers. */
import { guestLeafInfo, hostLeafInfo } from "../arch/generated/leaves.ts";
import { findOperand, type LeafOperand, type LeafSignature, leafSignatures } from "../arch/leaf-operands.ts";
import { registerNames } from "../arch/registers.ts";
import { allowed } from "./compile-calls.ts";
import { compileExpression, emitConstant } from "./compile-expressions.ts";
import { nearest, type Span } from "./diagnostics.ts";
import { OP_LEAF } from "./flow-code.ts";
import type { Argument, CallExpression } from "./generated/ast.ts";
import { type GivenOperand, warnOfOperands } from "./literal-warnings.ts";
import { nameSpan, spanOf } from "./places.ts";
import { complain, type Work } from "./work.ts";

const leafNumbers: ReadonlyMap<string, number> = new Map(
  [...Object.entries(hostLeafInfo), ...Object.entries(guestLeafInfo)].map(([number, info]) => [
    info.name,
    Number(number),
  ]),
);

export function compileLeaf(work: Work, node: CallExpression, name: string, unused: boolean): void {
  const number = leafNumbers.get(name);
  const signature = leafSignatures.get(name);
  if (number === undefined || signature === undefined) {
    complain(
      work,
      spanOf(node.callee ?? node),
      "unknown-leaf",
      `there is no leaf function ${name}`,
      nearest(name, leafNumbers.keys()),
    );
    for (const argument of node.arguments) compileExpression(work, argument.value);
    emitResult(work, unused);
    return;
  }
  if (!allowed(work, node)) {
    emitResult(work, unused);
    return;
  }
  const operands = compileOperands(work, node, signature);
  if (name === "TDG.VP.VMCALL" && !operands.some((operand) => operand.register === 1)) {
    operands.push(signature.inputs[0] as LeafOperand);
    emitConstant(work, vmcallMask(operands));
  }
  emitLeaf(work, node, { name, number, guest: name.startsWith("TDG"), operands }, unused);
}

/** R10 to R15, and each other register that an operand is in: what TDG.VP.VMCALL passes to the host unless told otherwise. */
function vmcallMask(operands: readonly LeafOperand[]): number {
  return operands.reduce((mask, operand) => (operand.register > 1 ? mask | (1 << operand.register) : mask), 0xfc00);
}

export function compileRawCall(work: Work, node: CallExpression, guest: boolean, unused: boolean): void {
  if (!allowed(work, node)) {
    emitResult(work, unused);
    return;
  }
  const operands = compileOperands(work, node, {
    name: guest ? "tdcall" : "seamcall",
    purpose: "",
    inputs: [],
    outputs: [],
  });
  if (!operands.some(({ register }) => register === 0 || register === UNKNOWN)) {
    complain(work, spanOf(node), "missing-operand", "the leaf number is missing: rax: …");
  }
  emitLeaf(work, node, { name: undefined, number: 0, guest, operands }, unused);
}

function emitLeaf(work: Work, node: CallExpression, call: Work["tables"]["leafCalls"][number], unused: boolean): void {
  const index = work.tables.leafCalls.push(call) - 1;
  work.context.emitter.emit(OP_LEAF, [index, unused ? 1 : 0], call.operands.length, unused ? 0 : 1, spanOf(node));
}

function emitResult(work: Work, unused: boolean): void {
  if (!unused) emitConstant(work, null);
}

function compileOperands(work: Work, node: CallExpression, signature: LeafSignature): LeafOperand[] {
  const operands: LeafOperand[] = [];
  const given: GivenOperand[] = [];
  for (const argument of node.arguments) {
    compileExpression(work, argument.value);
    const operand = operandOf(work, argument, signature, spanOf(argument));
    const known = operands.find((other) => overlaps(other, operand));
    if (known !== undefined)
      complain(
        work,
        spanOf(argument),
        "duplicate-operand",
        `"${operand.name}" and "${known.name}" both set ${registerNames[operand.register]?.toUpperCase()}`,
      );
    operands.push(operand);
    given.push({ operand, value: argument.value });
  }
  warnOfOperands(work, signature.name, given);
  const raw = node.arguments.some((argument) => registerNames.includes(argument.name as never));
  const missing = raw ? [] : signature.inputs.filter((input) => !input.optional && !operands.includes(input));
  if (missing.length > 0) {
    complain(
      work,
      spanOf(node),
      "missing-operand",
      `${signature.name} needs ${missing.map((input) => `"${input.name}" (${input.what})`).join(" and ")}`,
    );
  }
  return operands;
}

/** In place of the register of an operand that does not exist; code with errors never runs. */
const UNKNOWN = -1;

/** A whole register, by its name. */
function rawOperand(register: number): LeafOperand {
  return {
    name: registerNames[register] ?? "",
    aliases: [],
    register,
    low: 0,
    width: 64,
    inPlace: false,
    optional: true,
    what: "",
  };
}

function operandOf(work: Work, argument: Argument, signature: LeafSignature, span: Span): LeafOperand {
  const name = argument.name;
  if (name === undefined) {
    const example = signature.inputs[0]?.name ?? "rax";
    complain(work, span, "unnamed-operand", `the operands of ${signature.name} have names: ${example}: …`);
    return rawOperand(UNKNOWN);
  }
  const operand = findOperand(signature.inputs, name);
  if (operand !== undefined) return operand;
  const register = registerNames.indexOf(name as (typeof registerNames)[number]);
  if (register >= 0) return rawOperand(register);
  const candidates = signature.inputs.flatMap((input) => [input.name, ...input.aliases]);
  const has = signature.inputs.length > 0 ? `; it has ${signature.inputs.map((input) => input.name).join(", ")}` : "";
  complain(
    work,
    nameSpan(argument),
    "unknown-operand",
    `${signature.name} has no operand "${name}"${has}`,
    nearest(name, candidates),
  );
  return rawOperand(UNKNOWN);
}

function overlaps(a: LeafOperand, b: LeafOperand): boolean {
  if (a.register !== b.register || a.register === UNKNOWN) return false;
  if (a.width === 0 || b.width === 0) return a.width === b.width;
  return a.low < b.low + b.width && b.low < a.low + a.width;
}
