/** Between offsets, and lines and characters as the Language Server Protocol counts them: from 0. */
import type { Position, Range } from "vscode-languageserver";
import { placeOf, type SourceFile } from "../diagnostics.ts";

export function positionOf(source: SourceFile, offset: number): Position {
  const { line, column } = placeOf(source, offset);
  return { line: line - 1, character: column - 1 };
}

export function rangeOf(source: SourceFile, start: number, end: number): Range {
  return { start: positionOf(source, start), end: positionOf(source, end) };
}

export function offsetOf(source: SourceFile, { line, character }: Position): number {
  const start = source.lineStarts[line];
  if (start === undefined) return source.text.length;
  const next = source.lineStarts[line + 1] ?? source.text.length + 1;
  return Math.min(start + character, next - 1);
}
