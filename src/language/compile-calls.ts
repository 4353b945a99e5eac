/** Calls to code: of the flow's functions, of builtins, and of leaf functions by name with named operands. */

import { guestLeafInfo, hostLeafInfo } from "../arch/generated/leaves.ts";
import { findOperand, type LeafOperand, type LeafSignature, leafSignatures } from "../arch/leaf-operands.ts";
import { registerNames } from "../arch/registers.ts";
import { arity, builtinNumbers, builtins } from "./builtins.ts";
import { compileExpression, emitConstant, memberSpan, resolve, unknownName } from "./compile-expressions.ts";
import { nearest, type Span } from "./diagnostics.ts";
import { OP_BUILTIN, OP_CALL, OP_CALL_VALUE, OP_LEAF } from "./flow-code.ts";
import type { Argument, CallExpression, Expression } from "./generated/ast.ts";
import { nameSpan, spanOf } from "./parse.ts";
import type { FunctionSymbol } from "./scope.ts";
import { parseNumber } from "./strings.ts";
import { complain, noteUse, type Work, warn } from "./work.ts";

/** `unused`: nobody looks at the result of a leaf: its failure ends the flow, and nothing is left on the stack. Tells whether that is so. */
export function compileCall(work: Work, node: CallExpression, unused: boolean): void {
  const leaf = leafName(work, node.callee);
  if (leaf !== undefined) {
    compileLeaf(work, node, leaf, unused);
    return;
  }
  const symbol = calledFunction(work, node.callee);
  if (symbol !== undefined) {
    compileFunctionCall(work, node, symbol);
    return;
  }
  if (node.callee?.$type === "NameReference" && resolve(work, node.callee.name) === undefined) {
    compileNamedCall(work, node, node.callee.name, unused);
    return;
  }
  if (!allowed(work, node)) {
    emitConstant(work, null);
    return;
  }
  compileExpression(work, node.callee);
  const count = positional(work, node.arguments);
  work.context.emitter.emit(OP_CALL_VALUE, [count], count + 1, 1, spanOf(node));
}

/** Whether the call is one whose unused result ends the flow when it is a failure. */
export function isLeafCall(work: Work, node: Expression): node is CallExpression {
  if (node.$type !== "CallExpression") return false;
  if (leafName(work, node.callee) !== undefined) return true;
  const callee = node.callee;
  return callee?.$type === "NameReference" && isRawCall(callee.name) && resolve(work, callee.name) === undefined;
}

function isRawCall(name: string): boolean {
  return name === "seamcall" || name === "tdcall";
}

function allowed(work: Work, node: CallExpression): boolean {
  if (work.pure)
    complain(work, spanOf(node), "watch", "a watch expression can only call functions that change nothing");
  return !work.pure;
}

/** The dotted name if the callee is a leaf: a path that begins with TDH or TDG. */
function leafName(work: Work, callee: Expression | undefined): string | undefined {
  const parts: string[] = [];
  let at = callee;
  while (at?.$type === "MemberAccess") {
    parts.unshift(at.member);
    at = at.receiver;
  }
  if (at?.$type !== "NameReference" || (at.name !== "TDH" && at.name !== "TDG") || parts.length === 0) return undefined;
  return work.context.scope.find(at.name) === undefined ? [at.name, ...parts].join(".") : undefined;
}

function calledFunction(work: Work, callee: Expression | undefined): FunctionSymbol | undefined {
  if (callee?.$type === "NameReference") {
    const symbol = work.context.scope.find(callee.name);
    if (symbol?.kind !== "function") return undefined;
    noteUse(work, symbol, spanOf(callee));
    return symbol;
  }
  if (callee?.$type !== "MemberAccess" || callee.receiver?.$type !== "NameReference") return undefined;
  const module = work.context.scope.find(callee.receiver.name);
  const symbol = module?.kind === "module" ? module.names.get(callee.member) : undefined;
  if (symbol?.kind !== "function") return undefined;
  noteUse(work, module, spanOf(callee.receiver));
  noteUse(work, symbol, memberSpan(callee));
  return symbol;
}

function compileFunctionCall(work: Work, node: CallExpression, symbol: FunctionSymbol): void {
  if (!allowed(work, node)) {
    emitConstant(work, null);
    return;
  }
  const args = orderArguments(work, node, symbol.name, symbol.parameters, symbol.parameters.length);
  for (const value of args) compileExpression(work, value);
  work.context.emitter.emit(OP_CALL, [symbol.index, args.length], args.length, 1, spanOf(node));
}

function compileNamedCall(work: Work, node: CallExpression, name: string, unused: boolean): void {
  if (isRawCall(name)) {
    compileRawCall(work, node, name === "tdcall", unused);
    return;
  }
  const number = builtinNumbers.get(name);
  const entry = number === undefined ? undefined : builtins[number];
  if (number === undefined || entry === undefined) {
    unknownName(work, name, spanOf(node.callee ?? node));
    for (const argument of node.arguments) compileExpression(work, argument.value);
    emitConstant(work, null);
    return;
  }
  if (!entry.pure && !allowed(work, node)) {
    emitConstant(work, null);
    return;
  }
  const names = entry.parameters.map((parameter) => parameter.replace("?", ""));
  const args = orderArguments(work, node, name, names, arity(entry)[0]);
  for (const value of args) compileExpression(work, value);
  work.context.emitter.emit(OP_BUILTIN, [number, args.length], args.length, 1, spanOf(node));
}

/** Arguments in the order of the parameters: positional ones first, then named ones. Tells about those that are wrong. */
function orderArguments(
  work: Work,
  node: CallExpression,
  name: string,
  parameters: readonly string[],
  least: number,
): (Expression | undefined)[] {
  const values: (Expression | undefined)[] = [];
  const signature = `${name}(${parameters.join(", ")})`;
  for (const [position, argument] of node.arguments.entries()) {
    const index = argument.name === undefined ? position : parameters.indexOf(argument.name);
    if (index < 0) {
      complain(
        work,
        nameSpan(argument),
        "unknown-argument",
        `${signature} has no parameter "${argument.name}"`,
        nearest(argument.name ?? "", parameters),
      );
    } else if (index >= parameters.length) {
      complain(work, spanOf(argument), "arity", `too many arguments: ${signature} takes ${parameters.length}`);
      break;
    } else if (values[index] !== undefined) {
      complain(work, spanOf(argument), "duplicate-argument", `"${parameters[index]}" is given twice`);
    } else values[index] = argument.value;
  }
  const missing = parameters.slice(0, Math.max(least, values.length)).filter((_, index) => values[index] === undefined);
  if (missing.length > 0)
    complain(
      work,
      spanOf(node),
      "arity",
      `${signature} needs ${missing.map((parameter) => `"${parameter}"`).join(" and ")}`,
    );
  return Array.from(values);
}

function positional(work: Work, args: readonly Argument[]): number {
  for (const argument of args) {
    if (argument.name !== undefined)
      complain(work, spanOf(argument), "unknown-argument", "a function in a variable takes its arguments by position");
    compileExpression(work, argument.value);
  }
  return args.length;
}

// ---- leaf functions ----

const leafNumbers: ReadonlyMap<string, number> = new Map(
  [...Object.entries(hostLeafInfo), ...Object.entries(guestLeafInfo)].map(([number, info]) => [
    info.name,
    Number(number),
  ]),
);

function compileLeaf(work: Work, node: CallExpression, name: string, unused: boolean): void {
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

function compileRawCall(work: Work, node: CallExpression, guest: boolean, unused: boolean): void {
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
  if (!operands.some((operand) => operand.register === 0)) {
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
    warnOfLiteral(work, argument, operand);
  }
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

const PAGE = 4096n;
/** Operands that are the address of a page. */
const PAGE_OPERANDS: ReadonlySet<string> = new Set(["tdr", "tdvpr", "tdcx", "page", "hpa", "source"]);
/** S-EPT levels: 0 to 4 with 5-level paging. */
const MAX_LEVEL = 4n;

/** A number that is written out and that no leaf can take. */
function warnOfLiteral(work: Work, argument: Argument, operand: LeafOperand): void {
  const literal = argument.value?.$type === "NumberLiteral" ? parseNumber(argument.value.text) : undefined;
  if (typeof literal !== "bigint" || argument.value === undefined) return;
  if (operand.name === "level" && literal > MAX_LEVEL) {
    warn(work, spanOf(argument.value), "level", `S-EPT levels are 0 to ${MAX_LEVEL}`);
  } else if ((operand.inPlace || PAGE_OPERANDS.has(operand.name)) && literal % PAGE !== 0n) {
    warn(work, spanOf(argument.value), "alignment", `"${operand.name}" is the address of a page: a multiple of 4K`);
  }
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
    const example = signature.inputs[0]?.name ?? "rcx";
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
