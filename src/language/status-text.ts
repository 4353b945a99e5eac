/** Statuses that are compared as text: a result has its status, which is a constant, and the name of that, which is text. */
import { constants } from "./constants.ts";
import { nearest } from "./diagnostics.ts";
import type { BinaryExpression, Expression, StringLiteral } from "./generated/ast.ts";
import { spanOf } from "./places.ts";
import { Status } from "./values.ts";
import { type Work, warn } from "./work.ts";

export function warnOfStatusText(work: Work, { operator, left, right }: BinaryExpression): void {
  if ((operator !== "==" && operator !== "!=") || left === undefined || right === undefined) return;
  if (right.$type === "StringLiteral") warnOf(work, left, right);
  else if (left.$type === "StringLiteral") warnOf(work, right, left);
}

function warnOf(work: Work, other: Expression, text: StringLiteral): void {
  const name = text.text.slice(1, -1);
  if (!name.startsWith("TDX_")) return;
  const isStatus = constants.get(name)?.value instanceof Status;
  const isName = other.$type === "MemberAccess" && other.member === "name";
  if (isStatus && other.$type === "MemberAccess" && other.member === "status") {
    warn(work, spanOf(text), "status-text", `a status is no text: compare it with ${name}, without quotes`, name);
  } else if (!isStatus && isName) {
    const names = [...constants].flatMap(([known, { value }]) => (value instanceof Status ? [known] : []));
    const near = nearest(name, names);
    warn(
      work,
      spanOf(text),
      "status-text",
      `no status has the name ${text.text}`,
      near === undefined ? undefined : `"${near}"`,
    );
  }
}
