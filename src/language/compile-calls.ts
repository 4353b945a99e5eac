/** Calls to code: of the flow's functions, of builtins, of functions in variables. Those of leaf functions are in compile-leaf-calls.ts. */
import { builtinNumbers, builtins, fewestArguments, isRawCall, parameterNames } from "./builtins.ts";
import { compileExpression, emitConstant, memberSpan, resolve, unknownName } from "./compile-expressions.ts";
import { compileLeaf, compileRawCall } from "./compile-leaf-calls.ts";
import { nearest } from "./diagnostics.ts";
import { OP_BUILTIN, OP_CALL, OP_CALL_VALUE } from "./flow-code.ts";
import type { Argument, CallExpression, Expression } from "./generated/ast.ts";
import { warnOfArguments } from "./literal-warnings.ts";
import { nameSpan, spanOf } from "./places.ts";
import type { FunctionSymbol } from "./scope.ts";
import { complain, noteUse, type Work } from "./work.ts";

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
  const isKnown = node.callee?.$type !== "NameReference" || !work.doubt.concerns(node.callee.name);
  const count = positional(work, node.arguments, isKnown);
  work.context.emitter.emit(OP_CALL_VALUE, [count], count + 1, 1, spanOf(node));
}

/** Whether the call is one whose unused result ends the flow when it is a failure. */
export function isLeafCall(work: Work, node: Expression): node is CallExpression {
  if (node.$type !== "CallExpression") return false;
  if (leafName(work, node.callee) !== undefined) return true;
  const callee = node.callee;
  return callee?.$type === "NameReference" && isRawCall(callee.name) && resolve(work, callee.name) === undefined;
}

export function allowed(work: Work, node: CallExpression): boolean {
  if (work.pure)
    complain(work, spanOf(node), "watch", "a watch expression can only call functions that change nothing");
  return !work.pure;
}

/** The dotted name if the callee is a leaf: a path that begins with TDH or TDG, or with that in small letters by mistake. */
function leafName(work: Work, callee: Expression | undefined): string | undefined {
  const parts: string[] = [];
  let at = callee;
  while (at?.$type === "MemberAccess") {
    parts.unshift(at.member);
    at = at.receiver;
  }
  if (at?.$type !== "NameReference" || parts.length === 0 || !/^td[hg]$/i.test(at.name)) return undefined;
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
  const { parameters, declaration, declared } = symbol;
  for (const argument of node.arguments) {
    const parameter = declaration.parameters.find(({ name }) => name !== undefined && name === argument.name);
    if (parameter === undefined) continue;
    const { source } = declared;
    const own = { kind: "parameter", name: parameter.name, declared: { source, ...nameSpan(parameter) } } as const;
    noteUse(work, own, nameSpan(argument));
  }
  const args =
    parameters === undefined
      ? node.arguments.map(({ value }) => value)
      : orderArguments(work, node, symbol.name, parameters, parameters.length);
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
  const args = orderArguments(work, node, name, parameterNames(entry), fewestArguments(entry));
  warnOfArguments(work, entry, args);
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
  const missing = parameters.slice(0, least).filter((_, index) => values[index] === undefined);
  if (missing.length > 0)
    complain(
      work,
      spanOf(node),
      "arity",
      `${signature} needs ${missing.map((parameter) => `"${parameter}"`).join(" and ")}`,
    );
  return Array.from(values);
}

/** @param isKnown whether it is sure that a variable is called */
function positional(work: Work, args: readonly Argument[], isKnown: boolean): number {
  for (const argument of args) {
    if (argument.name !== undefined && isKnown)
      complain(work, spanOf(argument), "unknown-argument", "a function in a variable takes its arguments by position");
    compileExpression(work, argument.value);
  }
  return args.length;
}
