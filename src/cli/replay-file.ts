/** Replays one log file, plain or gzip, and sums up what a report needs; the sum can be posted between threads. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { LogFormatError } from "../runtime/log/fields.ts";
import type { Mismatch } from "../runtime/log/mismatch.ts";
import { replay } from "../runtime/log/replay.ts";
import { LogScanner } from "../runtime/log/scan.ts";

export interface LeafTally {
  readonly leaf: string;
  readonly calls: number;
  readonly matches: number;
}

export interface FileReport {
  readonly file: string;
  readonly family: string;
  readonly seamcalls: number;
  readonly guestActions: number;
  readonly calls: number;
  readonly matches: number;
  readonly reads: number;
  readonly readMatches: number;
  readonly byLeaf: readonly LeafTally[];
  readonly mismatches: readonly Mismatch[];
  /** The operations before the first mismatch, and that one, as they are in the log. */
  readonly context: readonly string[];
  readonly crash: { readonly line: number; readonly message: string; readonly stack: string } | undefined;
  /** Why the file is no log. */
  readonly invalid: { readonly line: number; readonly message: string } | undefined;
  readonly milliseconds: number;
}

export interface ReplayFileOptions {
  readonly mismatchLimit: number;
  /** Operations to show before the first mismatch. */
  readonly context: number;
}

/** Bytes that are unpacked at a time: a long log would take twice the time in zlib's own small pieces. */
const UNPACKED_PIECE = 2 ** 20;

/** Contents of a file, unpacked if it is compressed with gzip. @throws the file system's error */
function readLog(file: string): Buffer {
  const bytes = readFileSync(file);
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes, { chunkSize: UNPACKED_PIECE }) : bytes;
}

/** Line `line` (from 1) and so many before it, with their numbers. */
function contextOf(bytes: Uint8Array, line: number, before: number): string[] {
  const lines: string[] = [];
  for (const scanner = new LogScanner(bytes); scanner.next() && scanner.line <= line; ) {
    if (scanner.line >= line - before) lines.push(`${scanner.line}: ${scanner.text()}`);
  }
  return lines;
}

/** True if everything was as in the log. */
export function isWhole(report: FileReport): boolean {
  return report.mismatches.length === 0 && report.crash === undefined && report.invalid === undefined;
}

export function replayFile(file: string, options: ReplayFileOptions): FileReport {
  const started = performance.now();
  const nothing = { family: "", seamcalls: 0, guestActions: 0, calls: 0, matches: 0, reads: 0, readMatches: 0 };
  const empty = { file, ...nothing, byLeaf: [], mismatches: [], context: [], crash: undefined, milliseconds: 0 };
  try {
    const bytes = readLog(file);
    const result = replay(bytes, { mismatchLimit: options.mismatchLimit });
    const { header, seamcalls, guestActions, calls, matches, reads, mismatches, crash } = result;
    const milliseconds = performance.now() - started;
    const firstBad = mismatches[0]?.line ?? crash?.line;
    return {
      ...{ file, family: header.family, seamcalls, guestActions, calls, matches, mismatches, crash, milliseconds },
      reads: reads.calls,
      readMatches: reads.matches,
      byLeaf: [...result.byLeaf].map(([leaf, tally]) => ({ leaf, ...tally })),
      context: firstBad === undefined || options.context === 0 ? [] : contextOf(bytes, firstBad, options.context),
      invalid: undefined,
    };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ...empty, invalid: { line: error instanceof LogFormatError ? error.line : 0, message } };
  }
}
