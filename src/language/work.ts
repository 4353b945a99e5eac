/** What the parts of the compiler share while they compile one source. */
import type { DiagnosticSink, SourceFile, Span } from "./diagnostics.ts";
import type { Doubt } from "./doubt.ts";
import type { FunctionContext } from "./function-context.ts";
import type { Use } from "./scope.ts";
import type { Tables } from "./tables.ts";

export interface Work {
  readonly tables: Tables;
  readonly sink: DiagnosticSink;
  readonly source: SourceFile;
  /** A watch expression: must not change anything. */
  readonly pure: boolean;
  context: FunctionContext;
  /** What is not known of the source, and of the names that it can use. */
  readonly doubt: Doubt;
  /** Where names are used, in the order of compilation; kept for editors only. */
  readonly uses: Use[] | undefined;
}

/** Notes that a name is used, or declared, there. */
export function noteUse(work: Work, symbol: Use["symbol"] | undefined, span: Span): void {
  if (symbol !== undefined) work.uses?.push({ source: work.source, start: span.start, end: span.end, symbol });
}

/** Tells of something that is allowed but hardly meant. */
export function warn(work: Work, span: Span, code: string, message: string, suggestion?: string): void {
  work.sink.warning(work.source, span, code, message, suggestion);
}

export function complain(work: Work, span: Span, code: string, message: string, suggestion?: string): void {
  const hint = suggestion === undefined ? "" : `; did you mean "${suggestion}"?`;
  work.sink.error(work.source, span, code, message + hint, suggestion);
}
