/** What is allowed but hardly meant: statements that are never reached, variables and results that nobody looks at. */
import { builtinNumbers, builtins } from "./builtins.ts";
import { isLeafCall } from "./compile-calls.ts";
import { isComparison } from "./flow-code.ts";
import type { BinaryExpression, Expression, Statement, TopStatement } from "./generated/ast.ts";
import { nameSpan, spanOf } from "./places.ts";
import type { FlowSymbol, ModuleNames } from "./scope.ts";
import { type Work, warn } from "./work.ts";

/** Warns of what stands behind a statement that nothing behind it follows. */
export function warnOfUnreachable(work: Work, statements: readonly TopStatement[]): void {
  const at = statements.findIndex((statement) => leaves(statement) && !work.doubt.isIn(spanOf(statement)));
  const rest = statements.slice(at + 1).filter(({ $type }) => !DECLARATIONS.has($type));
  const [first] = rest;
  const last = rest.at(-1);
  if (at < 0 || first === undefined || last === undefined) return;
  warn(work, { start: spanOf(first).start, end: spanOf(last).end }, "unreachable", "this is never reached");
}

/** They hold wherever they stand in a file. */
const DECLARATIONS: ReadonlySet<string> = new Set(["FunctionDeclaration", "PlatformBlock", "TestBlock", "Import"]);

/** Whether a flow never goes on behind a statement. */
function leaves(statement: TopStatement | undefined): boolean {
  switch (statement?.$type) {
    case "ReturnStatement":
    case "BreakStatement":
    case "ContinueStatement":
    case "FailStatement":
      return true;
    case "Block":
      return statement.statements.some(leaves);
    case "IfStatement":
      return leaves(statement.then) && leaves(statement.otherwise);
    case "OnStatement":
    case "WithStatement":
      return leaves(statement.body);
    case "WhileStatement": {
      const { condition, body } = statement;
      return condition?.$type === "BooleanLiteral" && condition.value && !body?.statements.some(breaks);
    }
    default:
      return false;
  }
}

/** Whether a statement of a loop's body may end that loop. */
function breaks(statement: Statement): boolean {
  switch (statement.$type) {
    case "BreakStatement":
      return true;
    case "Block":
      return statement.statements.some(breaks);
    case "OnStatement":
    case "WithStatement":
      return statement.body?.statements.some(breaks) ?? false;
    case "IfStatement": {
      const { then, otherwise } = statement;
      return (then?.statements.some(breaks) ?? false) || (otherwise !== undefined && breaks(otherwise));
    }
    default:
      return false;
  }
}

/** Variables of a block that nobody reads; a name that begins with _ says that this is meant. */
export function warnOfUnused(
  work: Work,
  names: ReadonlyMap<string, FlowSymbol>,
  statements: readonly TopStatement[],
): void {
  for (const statement of statements) {
    if (statement.$type !== "LetStatement" || statement.name.startsWith("_")) continue;
    const symbol = names.get(statement.name);
    if (symbol?.kind !== "local" && symbol?.kind !== "global") continue;
    if (symbol.declared.start === nameSpan(statement).start && symbol.reads.count === 0) warnOfLet(work, statement);
  }
}

/**
 * Variables of a flow's top level that nobody reads. Not those of a file that only declares things: others may import them, and a
 * debugger shows them.
 */
export function warnOfUnusedGlobals(work: Work, statements: readonly TopStatement[], names: ModuleNames): void {
  if (!doesSomething(statements)) return;
  // One that is defined a second time is no global, and its error says enough.
  const globals = new Map([...names].filter(([, { kind }]) => kind === "global"));
  warnOfUnused(work, globals, statements);
}

function warnOfLet(work: Work, statement: Statement & { $type: "LetStatement" }): void {
  const { name, value } = statement;
  if (work.doubt.mentions(name)) return;
  const isResult = value !== undefined && isLeafCall(work, value);
  if (isResult) warn(work, nameSpan(statement), "ignored", `nothing looks at "${name}": a failure would go unnoticed`);
  else warn(work, nameSpan(statement), "unused", `nothing reads "${name}"`);
}

/** A call that stands alone although all that it does is to give a value. */
export function warnOfNoEffect(work: Work, call: Expression): void {
  const callee = call.$type === "CallExpression" ? call.callee : undefined;
  if (callee?.$type !== "NameReference" || work.context.scope.find(callee.name) !== undefined) return;
  const builtin = builtins[builtinNumbers.get(callee.name) ?? -1];
  if (builtin?.pure === true) warn(work, spanOf(call), "no-effect", `nothing looks at what ${builtin.name}(…) gives`);
}

/** `a < b < c` compares whether a < b. */
export function warnOfChain(work: Work, { left, operator }: BinaryExpression): void {
  if (left?.$type !== "BinaryExpression" || !isComparison(operator) || !isComparison(left.operator)) return;
  warn(work, spanOf(left), "chain", "this compares what a comparison gives: write a < b && b < c");
}

const NOTHING_DONE: ReadonlySet<string> = new Set([...DECLARATIONS, "LetStatement"]);

/** Whether a file is a flow, and does not only declare what others import. */
export function doesSomething(statements: readonly TopStatement[]): boolean {
  return statements.some(({ $type }) => !NOTHING_DONE.has($type));
}
