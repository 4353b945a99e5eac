/** What is known about what the session stopped for: the status, the check that failed, its place, the values it compared. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import { describeEvent } from "../debugger/describe-event.ts";
import type { ExceptionHit, SilentEvent } from "../debugger/exceptions.ts";
import type { Session } from "../debugger/session.ts";

type Info = DebugProtocol.ExceptionInfoResponse["body"];

export function exceptionInfo(session: Session, hit: ExceptionHit): Info {
  const { failure, event } = hit;
  if (event) return eventInfo(session, event);
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

function eventInfo(session: Session, event: SilentEvent): Info {
  const { text, details } = describeEvent(event, session.inspector.moment);
  return {
    exceptionId: event.violations?.[0]?.invariant ?? event.filter,
    description: [text, ...details].join("\n"),
    breakMode: "always",
    details: { message: text, typeName: event.filter },
  };
}
