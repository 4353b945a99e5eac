/** Whether texts of breakpoints have the form of expressions: that much can be told before a place is there to evaluate them at. */
import { DiagnosticSink, sourceFile } from "../language/diagnostics.ts";
import { parseExpression } from "../language/parse.ts";

/** What is wrong; undefined if nothing is, and for an empty text. */
export function expressionError(text: string): string | undefined {
  if (text.trim() === "") return undefined;
  const sink = new DiagnosticSink();
  parseExpression(text, sourceFile("expression", text), 0, sink);
  return sink.all[0]?.message;
}
