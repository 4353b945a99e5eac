/** What the parts of the compiler share while they compile one source. */
import type { DiagnosticSink, SourceFile, Span } from "./diagnostics.ts";
import type { FunctionContext } from "./function-context.ts";
import type { Tables } from "./tables.ts";

export interface Work {
  readonly tables: Tables;
  readonly sink: DiagnosticSink;
  readonly source: SourceFile;
  /** A watch expression: must not change anything. */
  readonly pure: boolean;
  context: FunctionContext;
}

export function complain(work: Work, span: Span, code: string, message: string, suggestion?: string): void {
  const hint = suggestion === undefined ? "" : `; did you mean "${suggestion}"?`;
  work.sink.error(work.source, span, code, message + hint, suggestion);
}
