/** Where statements begin: the places at which a flow can stop. */
import { placeOf, type Span } from "./diagnostics.ts";
import { OP_STATEMENT } from "./flow-code.ts";
import type { Expression, Statement } from "./generated/ast.ts";
import { spanOf } from "./places.ts";
import type { Work } from "./work.ts";

/** A flow can stop here. */
export function beginStatement(work: Work, span: Span): void {
  const { tables, source, context } = work;
  const place = placeOf(source, span.start);
  const id = tables.statements.length;
  tables.statements.push({ id, fn: -1, pc: context.emitter.pc, source, ...place, ...span });
  context.emitter.emit(OP_STATEMENT, [id], 0, 0);
}

/** The first part of a statement, up to where its block begins: what is shown as the place of its condition. */
export function headSpan(node: Statement, last: Expression | undefined): Span {
  const whole = spanOf(node);
  return { start: whole.start, end: last === undefined ? whole.end : spanOf(last).end };
}
