/** Statements to code. */
import { compileCall, isLeafCall } from "./compile-calls.ts";
import { compileExpression, emitConstant, operatorNumber, resolve, unknownName } from "./compile-expressions.ts";
import { nearest, placeOf, type Span } from "./diagnostics.ts";
import { Label } from "./emitter.ts";
import {
  type FunctionKind,
  OP_ACQUIRE,
  OP_BINARY,
  OP_CALL,
  OP_DUPLICATE,
  OP_DUPLICATE_TWO,
  OP_ENTER_LP,
  OP_EXPECT,
  OP_EXPECT_COMPARE,
  OP_FAIL,
  OP_FIELD,
  OP_GUEST,
  OP_INDEX,
  OP_JOIN,
  OP_JUMP,
  OP_JUMP_IF_FALSE,
  OP_LEAVE_LP,
  OP_LOAD,
  OP_LOAD_GLOBAL,
  OP_LOG,
  OP_NEXT_IN_LIST,
  OP_NEXT_IN_RANGE,
  OP_POP,
  OP_RANGE,
  OP_RELEASE,
  OP_RETURN,
  OP_SET_FIELD,
  OP_SET_INDEX,
  OP_SPAWN,
  OP_STATEMENT,
  OP_STORE,
  OP_STORE_GLOBAL,
  OP_YIELD,
  type Operator,
} from "./flow-code.ts";
import { FunctionContext } from "./function-context.ts";
import type {
  Block,
  ExpectStatement,
  Expression,
  ExpressionStatement,
  ForStatement,
  GuestStatement,
  IfStatement,
  LetStatement,
  OnStatement,
  ReturnStatement,
  SpawnStatement,
  Statement,
  TestBlock,
  WhileStatement,
  WithStatement,
} from "./generated/ast.ts";
import { nameSpan, propertySpan, spanOf } from "./parse.ts";
import { type LocalSymbol, Scope } from "./scope.ts";
import { complain, noteUse, type Work, warn } from "./work.ts";

export function compileStatement(work: Work, node: Statement): void {
  const { emitter } = work.context;
  switch (node.$type) {
    case "Block":
      compileBlock(work, node);
      return;
    case "IfStatement":
      compileIf(work, node);
      return;
    case "WhileStatement":
      compileWhile(work, node);
      return;
    case "ForStatement":
      compileFor(work, node);
      return;
    case "LetStatement":
      compileLet(work, node);
      return;
    case "ReturnStatement":
      compileReturn(work, node);
      return;
    case "BreakStatement":
    case "ContinueStatement":
      compileJumpOut(work, node.$type === "BreakStatement", spanOf(node));
      return;
    case "OnStatement":
      compileOn(work, node);
      return;
    case "GuestStatement":
      compileGuest(work, node);
      return;
    case "SpawnStatement":
      compileSpawn(work, node);
      return;
    case "JoinStatement":
      beginStatement(work, spanOf(node));
      loadVariable(work, node.name, nameSpan(node));
      emitter.emit(OP_JOIN, [], 1, 0, spanOf(node));
      return;
    case "YieldStatement":
      beginStatement(work, spanOf(node));
      emitter.emit(OP_YIELD, [], 0, 0, spanOf(node));
      return;
    case "WithStatement":
      compileWith(work, node);
      return;
    case "ExpectStatement":
      compileExpect(work, node);
      return;
    case "LogStatement":
    case "FailStatement":
      beginStatement(work, spanOf(node));
      compileExpression(work, node.value);
      emitter.emit(node.$type === "LogStatement" ? OP_LOG : OP_FAIL, [], 1, 0, spanOf(node));
      return;
    case "ExpressionStatement":
      compileExpressionStatement(work, node);
      return;
  }
}

/** A flow can stop here. */
export function beginStatement(work: Work, span: Span): void {
  const { tables, source, context } = work;
  const place = placeOf(source, span.start);
  const id = tables.statements.length;
  tables.statements.push({ id, fn: -1, pc: context.emitter.pc, source, ...place, ...span });
  context.emitter.emit(OP_STATEMENT, [id], 0, 0);
}

/** The first part of a statement, up to where its block begins: what is shown as the place of its condition. */
function headSpan(
  node: { readonly $cstNode?: Parameters<typeof spanOf>[0]["$cstNode"] },
  last: Expression | undefined,
): Span {
  const whole = spanOf(node);
  return { start: whole.start, end: last?.$cstNode === undefined ? whole.end : spanOf(last).end };
}

export function compileBlock(work: Work, node: Block | undefined): void {
  const outer = work.context.scope;
  const scope = new Scope(outer);
  work.context.scope = scope;
  const ends: (() => void)[] = [];
  let leaves = false;
  for (const statement of node?.statements ?? []) {
    if (leaves) warn(work, spanOf(statement), "unreachable", "this is never reached");
    leaves = LEAVING.has(statement.$type);
    compileStatement(work, statement);
    if (statement.$type === "LetStatement" || statement.$type === "SpawnStatement") {
      const symbol = scope.names.get(statement.name);
      if (symbol?.kind === "local") ends.push(work.context.emitter.declare(symbol.name, symbol.slot));
    }
  }
  for (const end of ends) end();
  warnOfUnused(work, scope, node);
  work.context.scope = outer;
}

/** Statements that nothing behind them in the same block follows. */
const LEAVING: ReadonlySet<string> = new Set([
  "ReturnStatement",
  "BreakStatement",
  "ContinueStatement",
  "FailStatement",
]);

/** Variables of a block that nobody reads; a name that begins with _ says that this is meant. */
function warnOfUnused(work: Work, scope: Scope, node: Block | undefined): void {
  for (const statement of node?.statements ?? []) {
    if (statement.$type !== "LetStatement" || statement.name.startsWith("_")) continue;
    const symbol = scope.names.get(statement.name);
    if (symbol?.kind !== "local" || symbol.reads.count > 0 || symbol.declared.start !== nameSpan(statement).start)
      continue;
    warn(work, nameSpan(statement), "unused", `nothing reads "${statement.name}"`);
  }
}

/** Makes a local of the current block. Returns its slot. */
function declareLocal(work: Work, name: string, span: Span): number {
  if (work.context.scope.names.has(name))
    complain(work, span, "redefinition", `"${name}" is defined in this block already; to change it, leave out "let"`);
  return defineLocal(work, name, span);
}

function defineLocal(work: Work, name: string, span: Span): number {
  const { context, source } = work;
  const slot = context.emitter.slot();
  const symbol: LocalSymbol = {
    kind: "local",
    name,
    slot,
    context,
    captured: false,
    reads: { count: 0 },
    declared: { source, ...span },
  };
  context.scope.names.set(name, symbol);
  noteUse(work, symbol, span);
  return slot;
}

function compileLet(work: Work, node: LetStatement): void {
  beginStatement(work, spanOf(node));
  compileExpression(work, node.value);
  storeNew(work, node.name, nameSpan(node));
}

/** Stores the first value of a new variable. Those of a file's top level were declared before anything was compiled: functions see them. */
function storeNew(work: Work, name: string, span: Span): void {
  const symbol = work.context.scope.names.get(name);
  if (symbol?.kind === "global" && symbol.declared.start === span.start)
    work.context.emitter.emit(OP_STORE_GLOBAL, [symbol.index], 1, 0);
  else work.context.emitter.emit(OP_STORE, [declareLocal(work, name, span)], 1, 0);
}

function compileIf(work: Work, node: IfStatement): void {
  const { emitter } = work.context;
  const otherwise = new Label();
  const end = new Label();
  beginStatement(work, headSpan(node, node.condition));
  compileExpression(work, node.condition);
  emitter.jump(OP_JUMP_IF_FALSE, otherwise, [], 1, 0, spanOf(node.condition ?? node));
  compileBlock(work, node.then);
  if (node.otherwise !== undefined) {
    emitter.jump(OP_JUMP, end, [], 0, 0);
    emitter.place(otherwise);
    compileStatement(work, node.otherwise);
    emitter.place(end);
  } else emitter.place(otherwise);
}

function compileWhile(work: Work, node: WhileStatement): void {
  const { emitter, enclosing } = work.context;
  const continueAt = new Label();
  const breakAt = new Label();
  emitter.place(continueAt);
  beginStatement(work, headSpan(node, node.condition));
  compileExpression(work, node.condition);
  emitter.jump(OP_JUMP_IF_FALSE, breakAt, [], 1, 0, spanOf(node.condition ?? node));
  enclosing.push({ kind: "loop", continueAt, breakAt });
  compileBlock(work, node.body);
  enclosing.pop();
  emitter.jump(OP_JUMP, continueAt, [], 0, 0);
  emitter.place(breakAt);
}

function compileFor(work: Work, node: ForStatement): void {
  const { emitter, enclosing } = work.context;
  const head = headSpan(node, node.step ?? node.to ?? node.from);
  const next = new Label();
  const continueAt = new Label();
  const breakAt = new Label();
  const hidden = emitter.slot(3);
  beginStatement(work, head);
  compileExpression(work, node.from);
  if (node.to !== undefined) {
    compileExpression(work, node.to);
    if (node.step !== undefined) compileExpression(work, node.step);
    else emitConstant(work, 1);
    emitter.emit(OP_RANGE, [hidden], 3, 0, head);
  } else {
    emitter.emit(OP_STORE, [hidden], 1, 0);
    emitConstant(work, 0);
    emitter.emit(OP_STORE, [hidden + 1], 1, 0);
  }
  emitter.place(next);
  emitter.jump(node.to !== undefined ? OP_NEXT_IN_RANGE : OP_NEXT_IN_LIST, breakAt, [hidden], 0, 1, head);
  const outer = work.context.scope;
  work.context.scope = new Scope(outer);
  const slot = declareLocal(work, node.name, nameSpan(node));
  emitter.emit(OP_STORE, [slot], 1, 0);
  const endOfScope = emitter.declare(node.name, slot);
  enclosing.push({ kind: "loop", continueAt, breakAt });
  compileBlock(work, node.body);
  enclosing.pop();
  endOfScope();
  work.context.scope = outer;
  emitter.place(continueAt);
  beginStatement(work, head);
  emitter.jump(OP_JUMP, next, [], 0, 0);
  emitter.place(breakAt);
}

function compileReturn(work: Work, node: ReturnStatement): void {
  const { emitter, enclosing, kind } = work.context;
  beginStatement(work, spanOf(node));
  if (kind === "main") complain(work, spanOf(node), "return", "return outside a function");
  if (node.value !== undefined) compileExpression(work, node.value);
  else emitConstant(work, null);
  for (const entry of enclosing.toReversed()) {
    if (entry.kind === "cleanup" && entry.operation === OP_RELEASE)
      emitter.emit(OP_RELEASE, [entry.slot], 0, 0, spanOf(node));
  }
  emitter.emit(OP_RETURN, [], 1, 0, spanOf(node));
}

function compileJumpOut(work: Work, isBreak: boolean, span: Span): void {
  const { emitter, enclosing } = work.context;
  beginStatement(work, span);
  for (const entry of enclosing.toReversed()) {
    if (entry.kind === "loop") {
      emitter.jump(OP_JUMP, isBreak ? entry.breakAt : entry.continueAt, [], 0, 0);
      return;
    }
    emitter.emit(entry.operation, [entry.slot], 0, 0, span);
  }
  const word = isBreak ? "break" : "continue";
  complain(work, span, "not-in-loop", `${word} outside a loop`);
}

function compileOn(work: Work, node: OnStatement): void {
  const { emitter, enclosing } = work.context;
  const slot = emitter.slot();
  beginStatement(work, headSpan(node, node.lp));
  compileExpression(work, node.lp);
  emitter.emit(OP_ENTER_LP, [slot], 1, 0, spanOf(node.lp ?? node));
  enclosing.push({ kind: "cleanup", operation: OP_LEAVE_LP, slot });
  compileBlock(work, node.body);
  enclosing.pop();
  emitter.emit(OP_LEAVE_LP, [slot], 0, 0);
}

function compileWith(work: Work, node: WithStatement): void {
  const { emitter, enclosing } = work.context;
  const slot = emitter.slot();
  beginStatement(work, headSpan(node, node.lock));
  compileExpression(work, node.lock);
  emitter.emit(OP_ACQUIRE, [slot], 1, 0, spanOf(node.lock ?? node));
  enclosing.push({ kind: "cleanup", operation: OP_RELEASE, slot });
  compileBlock(work, node.body);
  enclosing.pop();
  emitter.emit(OP_RELEASE, [slot], 0, 0, spanOf(node));
}

function compileGuest(work: Work, node: GuestStatement): void {
  const { emitter } = work.context;
  beginStatement(work, headSpan(node, node.vcpu));
  const body = compileInner(work, "guest", "guest", [], node.body, spanOf(node));
  const handler =
    node.handler === undefined
      ? undefined
      : compileInner(
          work,
          "handler",
          "on_exception",
          [
            { name: node.vector ?? "", span: propertySpan(node, "vector") },
            { name: node.info ?? "", span: propertySpan(node, "info") },
          ],
          node.handler,
          spanOf(node.handler),
        );
  if (handler !== undefined && handler.captures.length > 0) {
    complain(
      work,
      spanOf(node.handler ?? node),
      "capture",
      "an exception handler cannot use local variables of the code around it; use a top-level variable",
    );
  }
  compileExpression(work, node.vcpu);
  for (const capture of body.captures) emitter.emit(OP_LOAD, [capture.outer.slot], 0, 1);
  emitter.emit(
    OP_GUEST,
    [body.index, handler?.index ?? -1, body.captures.length],
    1 + body.captures.length,
    0,
    spanOf(node),
  );
}

function compileSpawn(work: Work, node: SpawnStatement): void {
  const { emitter } = work.context;
  beginStatement(work, headSpan(node, node.lp));
  const body = compileInner(work, "task", node.name, [], node.body, spanOf(node));
  if (node.lp !== undefined) compileExpression(work, node.lp);
  for (const capture of body.captures) emitter.emit(OP_LOAD, [capture.outer.slot], 0, 1);
  const pops = body.captures.length + (node.lp === undefined ? 0 : 1);
  emitter.emit(
    OP_SPAWN,
    [body.index, work.tables.name(node.name), body.captures.length, node.lp === undefined ? 0 : 1],
    pops,
    1,
    spanOf(node),
  );
  storeNew(work, node.name, nameSpan(node));
}

/** Compiles a block that runs by itself as a function of its own. */
function compileInner(
  work: Work,
  kind: FunctionKind,
  name: string,
  parameters: readonly NamedSpan[],
  body: Block | undefined,
  span: Span,
): { index: number; captures: FunctionContext["captures"] } {
  const outer = work.context;
  const context = new FunctionContext(kind, new Scope(outer.scope), outer);
  const index = work.tables.reserveFunction();
  work.context = context;
  compileFunction(work, index, name, parameters, body, span);
  work.context = outer;
  return { index, captures: context.captures };
}

/** A parameter, and where its name lies. */
interface NamedSpan {
  readonly name: string;
  readonly span: Span;
}

/** Compiles a function into its place in the tables. The context is the function's own. */
export function compileFunction(
  work: Work,
  index: number,
  name: string,
  parameters: readonly NamedSpan[],
  body: Block | undefined,
  span: Span,
): void {
  const { context, tables } = work;
  const { emitter } = context;
  const firstStatement = tables.statements.length;
  const argumentSlots = parameters.map((parameter) => {
    if (context.scope.names.has(parameter.name))
      complain(work, parameter.span, "redefinition", `"${parameter.name}" is the name of two parameters`);
    const slot = defineLocal(work, parameter.name, parameter.span);
    emitter.variables.push({ name: parameter.name, slot, from: 0, to: Number.MAX_SAFE_INTEGER });
    return slot;
  });
  compileBlock(work, body);
  finishFunction(
    work,
    index,
    name,
    parameters.map((parameter) => parameter.name),
    [...argumentSlots, ...context.captures.map((capture) => capture.slot)],
    span,
    firstStatement,
  );
}

export function finishFunction(
  work: Work,
  index: number,
  name: string,
  parameters: readonly string[],
  argumentSlots: readonly number[],
  span: Span,
  firstStatement: number,
): void {
  const { context, tables } = work;
  const { emitter } = context;
  emitConstant(work, null);
  emitter.emit(OP_RETURN, [], 1, 0);
  // Statements that are still without a function are this one's; those of functions inside it have theirs.
  for (let id = firstStatement; id < tables.statements.length; id++) {
    const statement = tables.statements[id];
    if (statement?.fn === -1) tables.statements[id] = { ...statement, fn: index };
  }
  tables.functions[index] = {
    index,
    name,
    kind: context.kind,
    source: work.source,
    span,
    parameters,
    argumentSlots,
    code: Int32Array.from(emitter.code),
    locals: emitter.locals,
    depth: emitter.deepest,
    variables: emitter.variables,
    positions: emitter.positions,
  };
}

function compileExpect(work: Work, node: ExpectStatement): void {
  const { emitter } = work.context;
  beginStatement(work, spanOf(node));
  const value = node.value;
  const span = spanOf(node);
  const text = value === undefined ? "" : work.source.text.slice(spanOf(value).start, spanOf(value).end);
  const operator = value?.$type === "BinaryExpression" && isComparison(value.operator) ? value.operator : undefined;
  const expectation = work.tables.expectations.push({ text, operator, fails: node.fails }) - 1;
  if (value?.$type === "BinaryExpression" && operator !== undefined) {
    if (node.fails && operator !== "==")
      complain(work, span, "expect", "expect fails takes a call, or a call == STATUS");
    compileExpression(work, value.left);
    compileExpression(work, value.right);
    emitter.emit(OP_EXPECT_COMPARE, [expectation], 2, 0, span);
  } else {
    compileExpression(work, value);
    emitter.emit(OP_EXPECT, [expectation], 1, 0, span);
  }
}

function isComparison(operator: string): operator is Operator {
  return ["==", "!=", "<", "<=", ">", ">="].includes(operator);
}

function loadVariable(work: Work, name: string, span: Span): void {
  const symbol = resolve(work, name, span);
  if (symbol?.kind === "local") work.context.emitter.emit(OP_LOAD, [symbol.slot], 0, 1, span);
  else if (symbol?.kind === "global") work.context.emitter.emit(OP_LOAD_GLOBAL, [symbol.index], 0, 1, span);
  else unknownName(work, name, span);
}

function compileExpressionStatement(work: Work, node: ExpressionStatement): void {
  const { emitter } = work.context;
  const target = node.target;
  beginStatement(work, spanOf(node));
  if (node.operator !== undefined) {
    compileAssignment(work, node, target);
    return;
  }
  if (target === undefined) return;
  if (target.$type !== "CallExpression")
    complain(
      work,
      spanOf(target),
      "no-effect",
      "this does nothing: a statement is a call, an assignment, let, expect, …",
    );
  if (isLeafCall(work, target)) {
    compileCall(work, target, true);
    return;
  }
  compileExpression(work, target);
  emitter.emit(OP_POP, [], 1, 0, spanOf(target));
}

function compileAssignment(work: Work, node: ExpressionStatement, target: Expression | undefined): void {
  const { emitter } = work.context;
  const span = spanOf(node);
  const operator = node.operator === "=" ? undefined : (node.operator?.slice(0, -1) as Operator);
  const value = () => {
    compileExpression(work, node.value);
    if (operator !== undefined) emitter.emit(OP_BINARY, [operatorNumber(operator)], 2, 1, span);
  };
  switch (target?.$type) {
    case "NameReference": {
      if (operator !== undefined) compileExpression(work, target);
      value();
      storeVariable(work, target.name, spanOf(target));
      return;
    }
    case "MemberAccess": {
      const name = work.tables.name(target.member);
      compileExpression(work, target.receiver);
      if (operator !== undefined) {
        emitter.emit(OP_DUPLICATE, [], 1, 2);
        emitter.emit(OP_FIELD, [name], 1, 1, spanOf(target));
      }
      value();
      emitter.emit(OP_SET_FIELD, [name], 2, 0, spanOf(target));
      return;
    }
    case "IndexAccess":
      compileExpression(work, target.receiver);
      compileExpression(work, target.index);
      if (operator !== undefined) {
        emitter.emit(OP_DUPLICATE_TWO, [], 2, 4);
        emitter.emit(OP_INDEX, [], 2, 1, spanOf(target));
      }
      value();
      emitter.emit(OP_SET_INDEX, [], 3, 0, spanOf(target));
      return;
    default:
      complain(
        work,
        spanOf(target ?? node),
        "assignment",
        "only a variable, a field or a list element can be assigned to",
      );
  }
}

function storeVariable(work: Work, name: string, span: Span): void {
  const symbol = resolve(work, name, span, true);
  if (symbol?.kind === "local") {
    if (symbol.captured)
      complain(
        work,
        span,
        "capture",
        `"${name}" is a copy here, taken when this block was made: use a record or a top-level variable to share it`,
      );
    work.context.emitter.emit(OP_STORE, [symbol.slot], 1, 0, span);
    return;
  }
  if (symbol?.kind === "global") {
    work.context.emitter.emit(OP_STORE_GLOBAL, [symbol.index], 1, 0, span);
    return;
  }
  if (symbol !== undefined) {
    complain(work, span, "assignment", `"${name}" is a ${symbol.kind} and cannot be assigned to`);
    return;
  }
  complain(
    work,
    span,
    "unknown-name",
    `"${name}" is not defined; a new variable begins with "let"`,
    nearest(name, work.context.scope.visible()),
  );
}

/** Compiles a test: it runs the file's own statements first. */
export function compileTest(work: Work, node: TestBlock, mainFunction: number): void {
  const { tables, source } = work;
  const index = tables.reserveFunction();
  const firstStatement = tables.statements.length;
  const span = { start: spanOf(node).start, end: propertySpan(node, "label").end };
  const name = node.label.slice(1, -1);
  if (tables.tests.some((test) => test.name === name))
    complain(work, span, "redefinition", `there is a test "${name}" already`);
  tables.tests.push({ name, fn: index, line: placeOf(source, span.start).line, ...spanOf(node) });
  compileImport(work, span, mainFunction);
  compileBlock(work, node.body);
  finishFunction(work, index, `test ${name}`, [], [], spanOf(node), firstStatement);
}

/** An import runs the other file's statements here, once. */
export function compileImport(work: Work, span: Span, mainFunction: number): void {
  beginStatement(work, span);
  work.context.emitter.emit(OP_CALL, [mainFunction, 0], 0, 1, span);
  work.context.emitter.emit(OP_POP, [], 1, 0);
}
