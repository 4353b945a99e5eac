/** Statements to code. */
import { compileCall, isLeafCall } from "./compile-calls.ts";
import {
  compileFor,
  compileIf,
  compileJumpOut,
  compileOn,
  compileReturn,
  compileWhile,
  compileWith,
} from "./compile-control.ts";
import { compileExpect } from "./compile-expect.ts";
import { compileExpression, operatorNumber } from "./compile-expressions.ts";
import { compileGuest, compileJoin, compileSpawn } from "./compile-functions.ts";
import { isBuiltIn } from "./constants.ts";
import {
  OP_BINARY,
  OP_DUPLICATE,
  OP_DUPLICATE_TWO,
  OP_FAIL,
  OP_FIELD,
  OP_INDEX,
  OP_LOG,
  OP_PAUSE,
  OP_POP,
  OP_SET_FIELD,
  OP_SET_INDEX,
  OP_YIELD,
  type Operator,
} from "./flow-code.ts";
import { formOf } from "./foreign-words.ts";
import type { Block, Expression, ExpressionStatement, LetStatement, Statement, TopStatement } from "./generated/ast.ts";
import { nameSpan, spanOf } from "./places.ts";
import { Scope } from "./scope.ts";
import { beginStatement } from "./statement-start.ts";
import { holdsOf, storeNew, storeVariable } from "./variables.ts";
import { warnOfNoEffect, warnOfUnreachable, warnOfUnused } from "./warnings.ts";
import { complain, type Work } from "./work.ts";

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
      compileJoin(work, node);
      return;
    case "YieldStatement":
      beginStatement(work, spanOf(node));
      emitter.emit(OP_YIELD, [], 0, 0, spanOf(node));
      return;
    case "PauseStatement":
      beginStatement(work, spanOf(node));
      compileExpression(work, node.at);
      emitter.emit(OP_PAUSE, [], 1, 0, spanOf(node));
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

export function compileBlock(work: Work, node: Block | undefined): void {
  const outer = work.context.scope;
  const scope = new Scope(outer);
  work.context.scope = scope;
  const ends: (() => void)[] = [];
  const statements = node?.statements ?? [];
  warnOfUnreachable(work, statements);
  for (const [index, statement] of statements.entries()) {
    if (isBlockOfForm(work, statements[index - 1], statement)) continue;
    compileStatement(work, statement);
    if (statement.$type === "LetStatement" || statement.$type === "SpawnStatement") {
      const symbol = scope.names.get(statement.name);
      if (symbol?.kind === "local") ends.push(work.context.emitter.declare(symbol.name, symbol.slot));
    }
  }
  for (const end of ends) end();
  warnOfUnused(work, scope.names, statements);
  work.context.scope = outer;
}

/** Whether a block belongs to a word whose statement looks otherwise: `try { … }`. That is said of the word. */
export function isBlockOfForm(work: Work, before: TopStatement | undefined, statement: TopStatement): boolean {
  if (statement.$type !== "Block" || before?.$type !== "ExpressionStatement") return false;
  const { target } = before;
  const name = target?.$type === "NameReference" ? target.name : "";
  return formOf(name) !== undefined && work.context.scope.find(name) === undefined;
}

function compileLet(work: Work, node: LetStatement): void {
  beginStatement(work, spanOf(node));
  compileExpression(work, node.value);
  storeNew(work, node.name, nameSpan(node), holdsOf(node.value));
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
  // Of a name that means nothing that is said, and no more.
  const isKnown =
    target.$type !== "NameReference" || isBuiltIn(target.name) || work.context.scope.find(target.name) !== undefined;
  if (target.$type !== "CallExpression" && isKnown)
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
  warnOfNoEffect(work, target);
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
