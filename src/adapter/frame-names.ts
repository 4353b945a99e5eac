/** Names of flow functions in a call stack, with as much of their parameters as a client asks for. */
import type { Session } from "../debugger/session.ts";
import type { StackFrame } from "../debugger/stack.ts";
import { inHex } from "./format.ts";

/** The protocol's StackFrameFormat. */
export interface FrameFormat {
  readonly hex: boolean;
  readonly parameters: boolean;
  readonly parameterNames: boolean;
  readonly parameterTypes: boolean;
  readonly parameterValues: boolean;
  readonly line: boolean;
}

export function flowFrameName(session: Session, task: number, frame: StackFrame, format: FrameFormat): string {
  const line = format.line ? ` line ${frame.line}` : "";
  if (!format.parameters) return frame.name + line;
  const { fn } = session.debuggee.runtime.frames(task)[frame.flowFrame] ?? {};
  if (fn?.kind !== "function") return frame.name + line;
  const locals = session.locals({ task, flowFrame: frame.flowFrame });
  const parameters = fn.parameters.map((name) => {
    const item = locals.find(({ label }) => label === name);
    const value = item && (format.hex ? inHex(item.value) : item.value);
    const parts = [
      ...(format.parameterTypes && item?.type !== undefined ? [item.type] : []),
      ...(format.parameterNames ? [name] : []),
    ].join(" ");
    if (!format.parameterValues || value === undefined) return parts;
    return parts === "" ? value : `${parts}: ${value}`;
  });
  return `${frame.name}(${parameters.join(", ")})${line}`;
}
