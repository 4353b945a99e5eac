/** Variables: where they are declared, read and written. */
import { resolve, unknownName } from "./compile-expressions.ts";
import { nearest, type Span } from "./diagnostics.ts";
import { OP_LOAD, OP_LOAD_GLOBAL, OP_STORE, OP_STORE_GLOBAL } from "./flow-code.ts";
import type { Expression } from "./generated/ast.ts";
import type { Holds, LocalSymbol } from "./scope.ts";
import { complain, noteUse, type Work } from "./work.ts";

/** Makes a local of the current block. Returns its slot. */
export function declareLocal(work: Work, name: string, span: Span, holds: Holds = "anything"): number {
  if (work.context.scope.names.has(name))
    complain(work, span, "redefinition", `"${name}" is defined in this block already; to change it, leave out "let"`);
  return defineLocal(work, name, span, holds);
}

export function defineLocal(work: Work, name: string, span: Span, holds: Holds = "anything"): number {
  const { context, source } = work;
  const slot = context.emitter.slot();
  const symbol: LocalSymbol = {
    kind: "local",
    name,
    slot,
    context,
    captured: false,
    reads: { count: 0 },
    holds,
    declared: { source, ...span },
  };
  context.scope.names.set(name, symbol);
  noteUse(work, symbol, span);
  return slot;
}

/** Stores the first value of a new variable. Those of a file's top level were declared before anything was compiled: functions see them. */
export function storeNew(work: Work, name: string, span: Span, holds: Holds): void {
  const symbol = work.context.scope.names.get(name);
  if (symbol?.kind === "global" && symbol.declared.start === span.start)
    work.context.emitter.emit(OP_STORE_GLOBAL, [symbol.index], 1, 0);
  else work.context.emitter.emit(OP_STORE, [declareLocal(work, name, span, holds)], 1, 0);
}

export function loadVariable(work: Work, name: string, span: Span): void {
  const symbol = resolve(work, name, span);
  if (symbol?.kind === "local") work.context.emitter.emit(OP_LOAD, [symbol.slot], 0, 1, span);
  else if (symbol?.kind === "global") work.context.emitter.emit(OP_LOAD_GLOBAL, [symbol.index], 0, 1, span);
  else unknownName(work, name, span);
}

export function storeVariable(work: Work, name: string, span: Span): void {
  const symbol = resolve(work, name, span, true);
  if (symbol?.kind === "local") {
    if (symbol.captured && !work.doubt.mentions(name))
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
  if (work.doubt.concerns(name)) return;
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

/** Expressions whose value is surely no task. */
const NO_TASK: ReadonlySet<string> = new Set([
  ...["NumberLiteral", "StringLiteral", "BooleanLiteral", "ListLiteral", "RecordLiteral"],
  ...["UnaryExpression", "BinaryExpression"],
]);

/** What a variable holds that begins with the value of this expression. */
export function holdsOf(value: Expression | undefined): Holds {
  return NO_TASK.has(value?.$type ?? "") ? "other" : "anything";
}
