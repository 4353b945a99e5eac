/** What ended a flow, as compilers print errors. */
import type { FlowFailure } from "../runtime/flow-error.ts";

/** Place and message, the hint, then the calls that led there. */
export function failureText({ file, line, column, message, hint, stack }: FlowFailure): string {
  const lines = [`${file}:${line}:${column}: error: ${message}`];
  if (hint !== "") lines.push(`  ${hint}`);
  if (stack.length > 1) lines.push(...shownFrames(stack));
  return lines.join("\n");
}

/** Frames that are told at each end of a long stack. */
const ENDS = 8;

function shownFrames(stack: readonly string[]): string[] {
  const lines = stack.map((frame) => `    at ${frame}`);
  if (lines.length <= 2 * ENDS) return lines;
  return [...lines.slice(0, ENDS), `    … ${lines.length - 2 * ENDS} more`, ...lines.slice(-ENDS)];
}
