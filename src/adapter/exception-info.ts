/** What is known about what the session stopped for: the status, the check that failed, its place, the values it compared. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import type { ExceptionHit } from "../debugger/exceptions.ts";
import type { Session } from "../debugger/session.ts";

type Info = DebugProtocol.ExceptionInfoResponse["body"];

export function exceptionInfo(session: Session, hit: ExceptionHit): Info {
  const { failure } = hit;
  const explanation = session.explanation();
  const lines: string[] = [];
  if (failure) lines.push(failure.message, ...(failure.hint ? [failure.hint] : []));
  if (explanation) {
    lines.push(`${explanation.leaf} returned ${explanation.status} (${explanation.className})`);
    if (explanation.step) lines.push(`It ended at: ${explanation.step}`);
    if (explanation.why) lines.push(explanation.why);
  }
  const trace = (explanation?.places ?? []).map(({ file, line }) => `    at ${file}:${line}`).reverse();
  const place = failure ? [`    at ${failure.file}:${failure.line}:${failure.column}`] : [];
  return {
    exceptionId: explanation?.status ?? failure?.kind ?? hit.filter,
    description: lines.join("\n"),
    breakMode: failure ? "unhandled" : "always",
    details: {
      message: lines[0] ?? hit.filter,
      typeName: explanation?.className ?? hit.filter,
      ...(explanation && { fullTypeName: `${explanation.leaf}: ${explanation.status}` }),
      stackTrace: [...trace, ...place].join("\n"),
    },
  };
}
