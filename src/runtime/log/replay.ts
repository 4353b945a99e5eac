/** Replays whole logs. */
import { LogFormatError } from "./fields.ts";
import type { LogHeader } from "./format.ts";
import type { Mismatch } from "./mismatch.ts";
import { Replayer, type ReplayOptions, type Tally } from "./replayer.ts";
import { LogScanner } from "./scan.ts";

export interface ReplayResult {
  readonly header: LogHeader;
  /** SEAMCALLs and guest actions; a repeat counts as often as it says. */
  readonly calls: number;
  readonly matches: number;
  readonly seamcalls: number;
  readonly guestActions: number;
  /** Comparisons of memory, and how many matched. */
  readonly reads: Tally;
  readonly byLeaf: ReadonlyMap<string, Tally>;
  /** The first differences; at most `mismatchLimit`. */
  readonly mismatches: readonly Mismatch[];
  /** Why the replay could not go on: a defect of the machine, not a difference. */
  readonly crash: { readonly line: number; readonly message: string; readonly stack: string } | undefined;
}

/**
 * Runs a log, all of it: after a crash of the emulator the rest is counted as not matching.
 *
 * @param bytes the log's text, JSON Lines in ASCII
 * @throws LogFormatError if a line is not what the format says
 */
export function replay(bytes: Uint8Array, options: ReplayOptions = {}): ReplayResult {
  const scanner = new LogScanner(bytes);
  if (!scanner.next()) throw new LogFormatError(1, "an empty log");
  const log = new Replayer(scanner, options);
  let crash: ReplayResult["crash"];
  while (scanner.next()) {
    if (crash) {
      log.skip();
      continue;
    }
    try {
      log.run();
    } catch (error) {
      if (error instanceof LogFormatError) throw error;
      const { message, stack } = error instanceof Error ? error : new Error(String(error));
      crash = { line: scanner.line, message, stack: stack ?? "" };
      log.skip();
    }
  }
  const { header, calls, matches, seamcalls, reads, byLeaf, mismatches } = log;
  return { header, calls, matches, seamcalls, guestActions: calls - seamcalls, reads, byLeaf, mismatches, crash };
}
