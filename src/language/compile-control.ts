/** Statements with blocks that decide what runs, how often, and where: to code. */
import { compileExpression, emitConstant } from "./compile-expressions.ts";
import { compileBlock, compileStatement } from "./compile-statements.ts";
import type { Span } from "./diagnostics.ts";
import { Label } from "./emitter.ts";
import {
  OP_ACQUIRE,
  OP_ENTER_LP,
  OP_INTERRUPT,
  OP_JUMP,
  OP_JUMP_IF_FALSE,
  OP_LEAVE_LP,
  OP_NEXT_IN_LIST,
  OP_NEXT_IN_RANGE,
  OP_RANGE,
  OP_RELEASE,
  OP_RETURN,
  OP_STORE,
} from "./flow-code.ts";
import type {
  ForStatement,
  IfStatement,
  OnStatement,
  ReturnStatement,
  WhileStatement,
  WithStatement,
} from "./generated/ast.ts";
import { nameSpan, spanOf } from "./places.ts";
import { Scope } from "./scope.ts";
import { beginStatement, headSpan } from "./statement-start.ts";
import { declareLocal } from "./variables.ts";
import { complain, type Work } from "./work.ts";

export function compileIf(work: Work, node: IfStatement): void {
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

export function compileWhile(work: Work, node: WhileStatement): void {
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

export function compileFor(work: Work, node: ForStatement): void {
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

export function compileReturn(work: Work, node: ReturnStatement): void {
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

export function compileJumpOut(work: Work, isBreak: boolean, span: Span): void {
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

export function compileOn(work: Work, node: OnStatement): void {
  const { emitter, enclosing } = work.context;
  const slot = emitter.slot();
  beginStatement(work, headSpan(node, node.lp));
  compileExpression(work, node.lp);
  emitter.emit(OP_ENTER_LP, [slot], 1, 0, spanOf(node.lp ?? node));
  emitter.emit(OP_INTERRUPT, [], 0, 0, spanOf(node.lp ?? node));
  enclosing.push({ kind: "cleanup", operation: OP_LEAVE_LP, slot });
  compileBlock(work, node.body);
  enclosing.pop();
  emitter.emit(OP_LEAVE_LP, [slot], 0, 0);
}

export function compileWith(work: Work, node: WithStatement): void {
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
