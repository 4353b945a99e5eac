/** What the host's own checks say: `warn(…)` goes on, as WARN_ON() of Linux does, and is counted; `bug(…)` ends the flow. */
import { FlowError } from "./flow-error.ts";
import { RUNTIME_WARNINGS, type SessionState, VALUE_WARNING } from "./session-state.ts";

export function warn(state: SessionState, text: string): void {
  state.write(RUNTIME_WARNINGS, state.read(RUNTIME_WARNINGS) + 1);
  state.writeValue(VALUE_WARNING, text);
  state.hooks.output?.(`WARNING: ${text}`, state.task);
}

/** What the runtime itself has to say about the flow: no check of the host's. */
export function remark(state: SessionState, text: string): void {
  state.hooks.output?.(`WARNING: ${text}`, state.task);
}

/** Errors: FlowError, always. */
export function bug(text: string): never {
  throw new FlowError(`BUG: ${text}`, "bug() stands where the host's code holds something to be impossible");
}

/** Text of the latest warning; empty if there was none. */
export function latestWarning(state: SessionState): string {
  return String(state.readValue(VALUE_WARNING) ?? "");
}
