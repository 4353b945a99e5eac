/** Replays a folder of recorded calls: one test for each file. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type FileReport, replayFile } from "../../src/cli/replay-file.ts";
import { mismatchText } from "../../src/runtime/log/mismatch.ts";

/** Files that do not match whole, with the reason. A file that does must not be here. */
const open: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(join(import.meta.dirname, "open.json"), "utf8"),
).files;

function differences({ mismatches, crash, invalid }: FileReport): string[] {
  return [
    ...mismatches.map(mismatchText),
    ...(crash ? [`${crash.line}: the emulator failed: ${crash.message}`] : []),
    ...(invalid ? [`${invalid.line}: ${invalid.message}`] : []),
  ];
}

/** Declares the tests of a folder of test/vectors; returns the reports, filled as tests run. */
export function replayFolder(folder: string): FileReport[] {
  const path = join(import.meta.dirname, "../vectors", folder);
  const reports: FileReport[] = [];
  for (const name of readdirSync(path).sort()) {
    if (!name.endsWith(".jsonl.gz")) continue;
    const reason = open[`${folder}/${name}`];
    test(`${name}${reason === undefined ? "" : ` (open: ${reason})`}`, () => {
      const report = replayFile(join(path, name), { mismatchLimit: 3, context: 0 });
      reports.push(report);
      const found = differences(report);
      if (reason === undefined) expect(found).toEqual([]);
      else expect(found, "it matches: take it off test/conformance/open.json").not.toEqual([]);
    });
  }
  return reports;
}

export const total = (reports: readonly FileReport[], of: (report: FileReport) => number): number =>
  reports.reduce((sum, report) => sum + of(report), 0);
