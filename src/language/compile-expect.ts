/** `expect` to code. What is joined by && is expected one by one, so that a failure says which part it was. */
import { compileExpression } from "./compile-expressions.ts";
import type { Span } from "./diagnostics.ts";
import { isComparison, OP_EXPECT, OP_EXPECT_COMPARE } from "./flow-code.ts";
import type { ExpectStatement, Expression, MemberAccess } from "./generated/ast.ts";
import { spanOf } from "./places.ts";
import { beginStatement } from "./statement-start.ts";
import { warnOfStatusText } from "./status-text.ts";
import { complain, type Work } from "./work.ts";

export function compileExpect(work: Work, node: ExpectStatement): void {
  const { context } = work;
  beginStatement(work, spanOf(node));
  const parts = node.fails ? [node.value] : partsOf(node.value);
  context.expectsFailure = node.fails;
  for (const part of parts) {
    compilePart(work, part, node.fails, parts.length === 1 || part === undefined ? spanOf(node) : partSpan(part));
  }
  context.expectsFailure = false;
}

function partsOf(value: Expression | undefined): (Expression | undefined)[] {
  const inner = value?.$type === "Parenthesized" ? value.inner : value;
  if (inner?.$type !== "BinaryExpression" || inner.operator !== "&&") return [value];
  return [...partsOf(inner.left), ...partsOf(inner.right)];
}

/** The place of an expression among others that operators join: the tree gives each of those the place of the whole. */
function partSpan(value: Expression): Span {
  if (value.$type !== "BinaryExpression" || value.left === undefined || value.right === undefined) return spanOf(value);
  return { start: partSpan(value.left).start, end: partSpan(value.right).end };
}

function compilePart(work: Work, value: Expression | undefined, fails: boolean, span: Span): void {
  const { tables, context } = work;
  const { emitter } = context;
  const { start, end } = value === undefined ? span : partSpan(value);
  const text = value === undefined ? "" : work.source.text.slice(start, end);
  if (value?.$type === "BinaryExpression" && isComparison(value.operator)) {
    const { operator } = value;
    if (fails && operator !== "==") complain(work, span, "expect", "expect fails takes a call, or a call == STATUS");
    warnOfStatusText(work, value);
    compileExpression(work, value.left);
    compileExpression(work, value.right);
    const expectation = tables.expectations.push({ text, operator, fails, ok: false }) - 1;
    emitter.emit(OP_EXPECT_COMPARE, [expectation], 2, 0, span);
    return;
  }
  const negated = value?.$type === "UnaryExpression" && value.operator === "!";
  const ok = fails ? undefined : okOf(work, negated ? value.operand : value);
  compileExpression(work, ok === undefined ? value : ok.receiver);
  const expectation = tables.expectations.push({
    text,
    operator: undefined,
    fails: ok === undefined ? fails : negated,
    ok: ok !== undefined,
  });
  emitter.emit(OP_EXPECT, [expectation - 1], 1, 0, span);
}

/** `r.ok`: the result tells more than its field. Not that of an import. */
function okOf(work: Work, value: Expression | undefined): MemberAccess | undefined {
  if (value?.$type !== "MemberAccess" || value.member !== "ok") return undefined;
  const { receiver } = value;
  const isModule = receiver?.$type === "NameReference" && work.context.scope.find(receiver.name)?.kind === "module";
  return isModule ? undefined : value;
}
