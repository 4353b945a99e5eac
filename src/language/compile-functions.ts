/** Functions, and blocks that run by themselves as functions do: guests, tasks, tests. */
import { compileExpression, emitConstant } from "./compile-expressions.ts";
import { compileBlock } from "./compile-statements.ts";
import { nearest, placeOf, type Span } from "./diagnostics.ts";
import { type FunctionKind, OP_CALL, OP_GUEST, OP_JOIN, OP_LOAD, OP_POP, OP_RETURN, OP_SPAWN } from "./flow-code.ts";
import { FunctionContext } from "./function-context.ts";
import type { Block, GuestStatement, JoinStatement, SpawnStatement, TestBlock } from "./generated/ast.ts";
import { nameSpan, propertySpan, spanOf } from "./places.ts";
import { type FlowSymbol, Scope } from "./scope.ts";
import { beginStatement, headSpan } from "./statement-start.ts";
import { defineLocal, loadVariable, storeNew } from "./variables.ts";
import { complain, type Work, warn } from "./work.ts";

export function compileGuest(work: Work, node: GuestStatement): void {
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

export function compileSpawn(work: Work, node: SpawnStatement): void {
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
  storeNew(work, node.name, nameSpan(node), "task");
}

export function compileJoin(work: Work, node: JoinStatement): void {
  const span = nameSpan(node);
  beginStatement(work, spanOf(node));
  const symbol = work.context.scope.find(node.name);
  if (!work.doubt.concerns(node.name)) checkTask(work, node.name, symbol, span);
  if (symbol?.kind === "local" || symbol?.kind === "global") loadVariable(work, node.name, span);
  work.context.emitter.emit(OP_JOIN, [], 1, 0, spanOf(node));
}

/** Waiting for a task that no `spawn` made is a mistake, or waits for nothing. */
function checkTask(work: Work, name: string, symbol: FlowSymbol | undefined, span: Span): void {
  const { scope } = work.context;
  const tasks = [...scope.visible()].filter((visible) => isTask(scope.find(visible)));
  const near = nearest(name, tasks) ?? (tasks.length === 1 ? tasks[0] : undefined);
  if (symbol === undefined) {
    complain(work, span, "join", `there is no task "${name}" here: spawn ${name} { … } would make it`, near);
  } else if (symbol.kind === "function" || symbol.kind === "module") {
    complain(work, span, "join", `join waits for a task, and "${name}" is a ${symbol.kind}`, near);
  } else if (symbol.holds === "other") {
    warn(work, span, "join", `join waits for a task, and "${name}" was made as something else`, near);
  }
}

function isTask(symbol: FlowSymbol | undefined): boolean {
  return (symbol?.kind === "local" || symbol?.kind === "global") && symbol.holds === "task";
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
