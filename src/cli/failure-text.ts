/** What ended a flow, as compilers print errors. */
import type { FlowFailure } from "../runtime/flow-error.ts";

/** Place and message, the hint, then the calls that led there. */
export function failureText({ file, line, column, message, hint, stack }: FlowFailure): string {
  const lines = [`${file}:${line}:${column}: error: ${message}`];
  if (hint !== "") lines.push(`  ${hint}`);
  if (stack.length > 1) lines.push(...stack.map((frame) => `    at ${frame}`));
  return lines.join("\n");
}
