/** From code positions to text. */
import type { Span } from "../language/diagnostics.ts";
import type { FlowFunction, FlowProgram, FlowStatement } from "../language/flow-code.ts";

const statementsByFunction = new WeakMap<FlowProgram, FlowStatement[][]>();

/** The statements of a function, by code position. */
export function statementsOf(program: FlowProgram, fn: FlowFunction): readonly FlowStatement[] {
  let table = statementsByFunction.get(program);
  if (table === undefined) {
    table = program.functions.map(() => []);
    for (const statement of program.statements) table[statement.fn]?.push(statement);
    statementsByFunction.set(program, table);
  }
  return table[fn.index] ?? [];
}

/** The last entry at or before `pc`. */
function lastAt<T extends { readonly pc: number }>(entries: readonly T[], pc: number): T | undefined {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle] as T).pc <= pc) low = middle + 1;
    else high = middle;
  }
  return entries[low - 1];
}

/** The statement that the function is in at `pc`; undefined before its first. */
export function statementAt(program: FlowProgram, fn: FlowFunction, pc: number): FlowStatement | undefined {
  return lastAt(statementsOf(program, fn), pc);
}

/**
 * The text from which the code at `pc` comes. `exact`: the operation at `pc` itself is meant, as where something failed; else `pc`
 * is behind a call that is not over, and the statement with that call is meant.
 */
export function placeInFunction(program: FlowProgram, fn: FlowFunction, pc: number, exact: boolean): Span {
  const statement = statementAt(program, fn, pc);
  const position = exact ? lastAt(fn.positions, pc) : undefined;
  if (position !== undefined && position.pc === pc) return position;
  return statement ?? { start: fn.span.start, end: fn.span.start };
}
