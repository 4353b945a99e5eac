/** A remark about a source, with its place; and the lines of a source. */
import { firstIndex } from "./bisect.ts";

export interface SourceFile {
  /** As the reader of sources knows it. */
  readonly path: string;
  readonly text: string;
  /** Offset of the first character of each line. */
  readonly lineStarts: readonly number[];
}

export interface Diagnostic {
  readonly file: string;
  /** Line and column from 1; the end is behind the last character. */
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly severity: "error" | "warning";
  readonly message: string;
  /** For quick fixes: which rule this is, and what the text at the place should rather be. */
  readonly code: string;
  readonly suggestion?: string;
}

export interface Place {
  readonly line: number;
  readonly column: number;
}

export function sourceFile(path: string, text: string): SourceFile {
  const lineStarts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lineStarts.push(at + 1);
  return { path, text, lineStarts };
}

/** Line and column, from 1, of an offset. */
export function placeOf(source: SourceFile, offset: number): Place {
  const { lineStarts } = source;
  const line = Math.max(
    1,
    firstIndex(lineStarts.length, (at) => (lineStarts[at] as number) > offset),
  );
  return { line, column: offset - (lineStarts[line - 1] as number) + 1 };
}

/** Text before, after or between which a remark stands; offsets into the source. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export class DiagnosticSink {
  readonly all: Diagnostic[] = [];

  error(source: SourceFile, span: Span, code: string, message: string, suggestion?: string): void {
    this.add(source, span, "error", code, message, suggestion);
  }

  warning(source: SourceFile, span: Span, code: string, message: string, suggestion?: string): void {
    this.add(source, span, "warning", code, message, suggestion);
  }

  /** All remarks, file by file, from top to bottom. */
  get sorted(): Diagnostic[] {
    const files = [...new Set(this.all.map(({ file }) => file))];
    return this.all.toSorted(
      (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
    );
  }

  get failed(): boolean {
    return this.all.some((diagnostic) => diagnostic.severity === "error");
  }

  private add(
    source: SourceFile,
    span: Span,
    severity: Diagnostic["severity"],
    code: string,
    message: string,
    suggestion?: string,
  ): void {
    const from = placeOf(source, span.start);
    const to = placeOf(source, Math.max(span.end, span.start));
    this.all.push({
      file: source.path,
      line: from.line,
      column: from.column,
      endLine: to.line,
      endColumn: to.column,
      severity,
      message,
      code,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }
}

/** `file:line:column: error: message`, as compilers print it. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  return `${diagnostic.file}:${diagnostic.line}:${diagnostic.column}: ${diagnostic.severity}: ${diagnostic.message}`;
}

/** The candidate that differs least from `name`, if it is near enough to be a slip: at most a third of its letters, and not all of them. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.min(name.length, Math.max(2, Math.floor(name.length / 3) + 1));
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Letters to add, drop, change, or swap with the next one; gives up with `limit` when it is at least that. */
function editDistance(a: string, b: string, limit: number): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? (before[j - 2] as number) + 1 : limit;
      next.push(Math.min(change, swap, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    if (Math.min(...next) >= limit) return limit;
    before = row;
    row = next;
  }
  return row[b.length] as number;
}
