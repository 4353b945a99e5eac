/** Why a session stopped, as the protocol tells it. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import { statusText } from "../arch/status.ts";
import { describeEvent } from "../debugger/describe-event.ts";
import { EXCEPTION_FILTERS } from "../debugger/exceptions.ts";
import type { Session } from "../debugger/session.ts";
import type { Stop } from "../debugger/stops.ts";
import { leafName } from "../runtime/leaf-call.ts";

const FAILURES = { expect: "failed expect", deadlock: "deadlock", bug: "host BUG", error: "flow error" } as const;

type Body = Omit<DebugProtocol.StoppedEvent["body"], "threadId">;

export function stoppedBody(stop: Stop, session: Session): Body {
  return { ...reasonOf(stop, session), allThreadsStopped: true };
}

function reasonOf(stop: Stop, session: Session): Body {
  switch (stop.reason) {
    case "breakpoint": {
      const { ids = [], kind = "line" } = stop.breakpoint ?? {};
      return { reason: kind === "line" ? "breakpoint" : `${kind} breakpoint`, hitBreakpointIds: [...ids] };
    }
    case "exception":
      return { reason: "exception", ...exceptionText(stop, session) };
    case "start":
      return { reason: "entry", description: "Stopped at the start of the flow" };
    case "end":
      return {
        reason: "end",
        description: "Stopped at the end of the flow",
        text: `after step ${session.position.step}`,
      };
    case "goto":
      return { reason: "goto", description: `Stopped at step ${session.position.step}` };
    case "waits":
      return { reason: "pause", description: "Stopped: the thread cannot go on", text: stop.text ?? "" };
    default:
      return { reason: stop.reason };
  }
}

function exceptionText(stop: Stop, session: Session): { description?: string; text?: string } {
  const { exception } = stop;
  if (exception === undefined) return {};
  const label = EXCEPTION_FILTERS.find(({ filter }) => filter === exception.filter)?.label ?? exception.filter;
  const { event, failure, outcome } = exception;
  if (failure)
    return {
      description: `Stopped: ${FAILURES[failure.kind]}`,
      text: failure.message,
    };
  if (event) {
    const { text } = describeEvent(event, session.inspector.moment);
    return { description: `Stopped: ${label}`, text };
  }
  if (outcome === undefined) return { description: label };
  return {
    description: `Stopped: ${label}`,
    text: `${leafName(outcome.callee)}: ${statusText(outcome.hi, outcome.lo)}`,
  };
}
