/** What is known about what the session stopped for: the status, the check that failed, its place, what it compared, who wrote that. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import { describeEvent } from "../debugger/describe-event.ts";
import type { ExceptionHit, SilentEvent } from "../debugger/exceptions.ts";
import type { FailedCall } from "../debugger/explain.ts";
import type { LastChange } from "../debugger/last-change.ts";
import type { Session } from "../debugger/session.ts";

type Info = DebugProtocol.ExceptionInfoResponse["body"];

export function exceptionInfo(session: Session, hit: ExceptionHit): Info {
  const { failure, event } = hit;
  if (event) return eventInfo(session, event);
  const { call, changes = [] } = session.explanation() ?? {};
  const lines: string[] = [];
  if (call) lines.push(...callLines(call));
  else if (failure) lines.push(failure.message);
  lines.push(...changes.map(changeLine));
  if (call) lines.push(`What hosts do: ${call.action}`);
  if (failure?.hint) lines.push(`In the flow: ${failure.hint}`);
  const trace = (call?.places ?? []).map(({ file, line }) => `    at ${file}:${line}`).reverse();
  const place = failure ? [`    at ${failure.file}:${failure.line}:${failure.column}`] : [];
  return {
    exceptionId: call?.status ?? failure?.kind ?? hit.filter,
    description: lines.join("\n"),
    breakMode: failure ? "unhandled" : "always",
    details: {
      message: failure?.message ?? lines[0] ?? hit.filter,
      typeName: call?.className ?? hit.filter,
      ...(call && { fullTypeName: `${call.leaf}: ${call.status}` }),
      stackTrace: [...trace, ...place].join("\n"),
    },
  };
}

function callLines({ leaf, status, className, step, places, why, meaning }: FailedCall): string[] {
  const at = places.at(-1);
  return [
    `${leaf} returned ${status}${className === "general" ? "" : ` (${className})`}`,
    meaning,
    ...(step && at ? [`It ended at: ${step} (${at.file}:${at.line})`] : []),
    ...(why ? [`It found: ${why}`] : []),
  ];
}

function changeLine({ what, step, by }: LastChange): string {
  return `Last changed: ${what}, at step ${step}${by ? ` by ${by}` : ""}`;
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
