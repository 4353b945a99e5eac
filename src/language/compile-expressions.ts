/** Expressions to code: each leaves one value on the stack. */

import { leafSignatures } from "../arch/leaf-operands.ts";
import { builtinNumbers } from "./builtins.ts";
import { compileCall } from "./compile-calls.ts";
import { constants, fieldNamespace, fieldNamespaces } from "./constants.ts";
import { nearest, type Span } from "./diagnostics.ts";
import { Label } from "./emitter.ts";
import {
  OP_AND,
  OP_BINARY,
  OP_COMPLEMENT,
  OP_CONCATENATE,
  OP_CONSTANT,
  OP_FIELD,
  OP_INDEX,
  OP_LIST,
  OP_LOAD,
  OP_LOAD_GLOBAL,
  OP_NEGATE,
  OP_NOT,
  OP_OR,
  OP_RECORD,
  OPERATORS,
  type Operator,
} from "./flow-code.ts";
import { formOf, wordHere } from "./foreign-words.ts";
import type {
  BinaryExpression,
  Expression,
  MemberAccess,
  NameReference,
  RecordLiteral,
  StringLiteral,
  UnaryExpression,
} from "./generated/ast.ts";
import { parseExpression } from "./parse.ts";
import { spanOf } from "./places.ts";
import type { FlowSymbol, ModuleSymbol } from "./scope.ts";
import { warnOfStatusText } from "./status-text.ts";
import { parseNumber, splitString } from "./strings.ts";
import { type Constant, FunctionValue, fromBig } from "./values.ts";
import { warnOfChain } from "./warnings.ts";
import { complain, noteUse, type Work, warn } from "./work.ts";

export function compileExpression(work: Work, node: Expression | undefined): void {
  const { emitter } = work.context;
  switch (node?.$type) {
    case "NumberLiteral": {
      const value = parseNumber(node.text);
      if (typeof value === "string") complain(work, spanOf(node), "number", value);
      else emitConstant(work, fromBig(value));
      return;
    }
    case "StringLiteral":
      compileString(work, node);
      return;
    case "BooleanLiteral":
      emitConstant(work, node.value);
      return;
    case "NullLiteral":
      emitConstant(work, null);
      return;
    case "NameReference":
      compileName(work, node);
      return;
    case "Parenthesized":
      compileExpression(work, node.inner);
      return;
    case "ListLiteral":
      for (const item of node.items) compileExpression(work, item);
      emitter.emit(OP_LIST, [node.items.length], node.items.length, 1, spanOf(node));
      return;
    case "RecordLiteral":
      compileRecord(work, node);
      return;
    case "UnaryExpression":
      compileUnary(work, node);
      return;
    case "BinaryExpression":
      compileBinary(work, node);
      return;
    case "MemberAccess":
      compileMember(work, node);
      return;
    case "IndexAccess":
      compileExpression(work, node.receiver);
      compileExpression(work, node.index);
      emitter.emit(OP_INDEX, [], 2, 1, spanOf(node));
      return;
    case "CallExpression":
      compileCall(work, node, false);
      return;
    case undefined: // a syntax error, told already, left a hole
      emitConstant(work, null);
      return;
  }
}

export function emitConstant(work: Work, value: Constant): void {
  work.context.emitter.emit(OP_CONSTANT, [work.tables.constant(value)], 0, 1);
}

function compileString(work: Work, node: StringLiteral): void {
  const { emitter } = work.context;
  const start = spanOf(node).start;
  const { parts, faults } = splitString(node.text);
  for (const fault of faults) {
    complain(work, { start: start + fault.offset, end: start + fault.offset + 1 }, "string", fault.message);
  }
  for (const part of parts) {
    if (part.kind === "text") emitConstant(work, part.text);
    else if (part.source.trim() === "") {
      const at = start + part.offset;
      complain(work, { start: at - 1, end: at + 1 }, "string", "nothing between the braces; write \\{ for a brace");
    } else compileExpression(work, parseExpression(part.source, work.source, start + part.offset, work.sink));
  }
  if (parts.length === 0) emitConstant(work, "");
  else if (parts.length > 1 || parts[0]?.kind === "hole") {
    emitter.emit(OP_CONCATENATE, [parts.length], parts.length, 1, spanOf(node));
  }
}

/** What a name means here: a symbol of the flow, captured if it is a local of a function around a guest or spawn block. */
export function resolve(work: Work, name: string, span?: Span, isStore = false): FlowSymbol | undefined {
  const symbol = work.context.scope.find(name);
  if (span !== undefined) noteUse(work, symbol, span);
  if (symbol?.kind === "global" && !isStore) {
    symbol.reads.count++;
    // Functions run later; the file's own statements run from top to bottom.
    const isOwn = work.context.kind === "main" && symbol.declared.source === work.source;
    if (isOwn && span !== undefined && span.start < symbol.ready && !work.doubt.mentions(name)) {
      const statement = symbol.holds === "task" ? "spawn" : "let";
      const isInside = span.start > symbol.declared.start;
      const why = isInside ? "it is just being made" : `its ${statement} comes further down`;
      warn(work, span, "too-early", `"${name}" has no value yet: ${why}`);
    }
  }
  if (symbol?.kind !== "local") return symbol;
  if (!isStore) symbol.reads.count++;
  return work.context.capture(symbol);
}

function compileName(work: Work, node: NameReference): void {
  const { emitter } = work.context;
  const symbol = resolve(work, node.name, spanOf(node));
  const constant = symbol === undefined ? constants.get(node.name) : undefined;
  if (symbol?.kind === "local") emitter.emit(OP_LOAD, [symbol.slot], 0, 1, spanOf(node));
  else if (symbol?.kind === "global") emitter.emit(OP_LOAD_GLOBAL, [symbol.index], 0, 1, spanOf(node));
  else if (symbol?.kind === "function") emitFunctionValue(work, symbol.index, symbol.name);
  else if (constant !== undefined) emitConstant(work, constant.value);
  else {
    unknownName(work, node.name, spanOf(node));
    emitConstant(work, null);
  }
}

function emitFunctionValue(work: Work, index: number, name: string): void {
  work.context.emitter.emit(OP_CONSTANT, [work.tables.constant(new FunctionValue(index, name))], 0, 1);
}

export function unknownName(work: Work, name: string, span: Span): void {
  if (work.doubt.concerns(name)) return;
  if (builtinNumbers.has(name)) {
    complain(work, span, "builtin-value", `"${name}" is built in and can only be called: ${name}(…)`);
    return;
  }
  if (name === "TDH" || name === "TDG") {
    complain(work, span, "leaf-value", "a leaf function can only be called: TDH.MEM.TRACK(tdr: …)");
    return;
  }
  if (fieldNamespaces.includes(name)) {
    complain(work, span, "unknown-name", `${name} holds field ids: write ${name}.NAME`);
    return;
  }
  const symbol = work.context.scope.find(name);
  if (symbol?.kind === "module") {
    complain(work, span, "module-value", `"${name}" is an import: write ${name}.NAME`);
    return;
  }
  const form = formOf(name);
  if (form !== undefined) {
    complain(work, span, "unknown-name", form);
    return;
  }
  const here = wordHere(name);
  if (here !== undefined) {
    work.sink.error(work.source, span, "unknown-name", `"${name}" is no word of this language: write ${here}`, here);
    return;
  }
  const candidates = [...work.context.scope.visible(), ...builtinNumbers.keys(), ...constants.keys()];
  complain(work, span, "unknown-name", `"${name}" is not defined`, leafNamed(name) ?? nearest(name, candidates));
}

/** The leaf function that has this name in C: tdh_mem_track. */
function leafNamed(name: string): string | undefined {
  const dotted = name.replaceAll("_", ".").toUpperCase();
  return /^td[hg]_/i.test(name) ? nearest(dotted, leafSignatures.keys()) : undefined;
}

function compileRecord(work: Work, node: RecordLiteral): void {
  const names: string[] = [];
  for (const field of node.fields) {
    if (names.includes(field.name))
      complain(work, spanOf(field), "duplicate-field", `the field "${field.name}" is there twice`);
    names.push(field.name);
    compileExpression(work, field.value);
  }
  work.context.emitter.emit(OP_RECORD, [work.tables.shape(names)], names.length, 1, spanOf(node));
}

function compileUnary(work: Work, node: UnaryExpression): void {
  compileExpression(work, node.operand);
  const operation = { "-": OP_NEGATE, "!": OP_NOT, "~": OP_COMPLEMENT }[node.operator];
  work.context.emitter.emit(operation, [], 1, 1, spanOf(node));
}

function compileBinary(work: Work, node: BinaryExpression): void {
  const { emitter } = work.context;
  compileExpression(work, node.left);
  warnOfStatusText(work, node);
  warnOfChain(work, node);
  if (node.operator === "&&" || node.operator === "||") {
    const end = new Label();
    emitter.jump(node.operator === "&&" ? OP_AND : OP_OR, end, [], 1, 0, spanOf(node));
    compileExpression(work, node.right);
    emitter.place(end);
    return;
  }
  compileExpression(work, node.right);
  emitter.emit(OP_BINARY, [operatorNumber(node.operator)], 2, 1, spanOf(node));
}

export function operatorNumber(operator: Operator): number {
  return OPERATORS.indexOf(operator);
}

function compileMember(work: Work, node: MemberAccess): void {
  const receiver = node.receiver;
  if (receiver?.$type === "NameReference") {
    const symbol = work.context.scope.find(receiver.name);
    if (symbol?.kind === "module") {
      noteUse(work, symbol, spanOf(receiver));
      compileModuleMember(work, node, symbol);
      return;
    }
    const fields = symbol === undefined ? fieldNamespace(receiver.name) : undefined;
    if (fields !== undefined) {
      const id = fields.get(node.member);
      if (id === undefined)
        complain(
          work,
          memberSpan(node),
          "unknown-field",
          `no metadata field "${node.member}" in ${receiver.name}`,
          nearest(node.member, fields.keys()),
        );
      emitConstant(work, id ?? null);
      return;
    }
  }
  compileExpression(work, receiver);
  work.context.emitter.emit(OP_FIELD, [work.tables.name(node.member)], 1, 1, spanOf(node));
}

/** Where the member's name lies: at the end of the access. */
export function memberSpan(node: MemberAccess): Span {
  const { end } = spanOf(node);
  return { start: end - node.member.length, end };
}

function compileModuleMember(work: Work, node: MemberAccess, { names, doubt }: ModuleSymbol): void {
  const symbol = names.get(node.member);
  noteUse(work, symbol, memberSpan(node));
  if (symbol?.kind === "global") {
    work.context.emitter.emit(OP_LOAD_GLOBAL, [symbol.index], 0, 1, spanOf(node));
    return;
  }
  if (symbol?.kind === "function") {
    emitFunctionValue(work, symbol.index, symbol.name);
    return;
  }
  emitConstant(work, null);
  if (doubt.concerns(node.member)) return;
  complain(
    work,
    memberSpan(node),
    "unknown-name",
    `the import has no "${node.member}"`,
    nearest(node.member, names.keys()),
  );
}
