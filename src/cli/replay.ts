/** `tdxflow replay`: runs SEAMCALL logs and compares every output. */
import { mismatchText } from "../runtime/log/mismatch.ts";
import { type CommandLine, EXIT_FAILED, EXIT_FINE, EXIT_USAGE, parseCommand } from "./command.ts";
import { type FileReport, isWhole } from "./replay-file.ts";
import { replayFiles } from "./replay-pool.ts";
import { tables } from "./replay-table.ts";

export const replayCommand: CommandLine = {
  name: "replay",
  usage: "tdxflow replay [--table] [--jobs N] [--context N] [--mismatches N] [--json] LOG…",
  summary: "Run SEAMCALL logs (JSON Lines, plain or gzip) on the emulated machine and compare every output.",
  options: {
    table: { type: "boolean", help: "print how many calls match, by family and by leaf" },
    jobs: { type: "string", value: "N", help: "files to replay at the same time (default: one for each core)" },
    context: {
      type: "string",
      value: "N",
      help: "operations to show before the first difference of a file (default 0)",
    },
    mismatches: { type: "string", value: "N", help: "differences to show of each file (default 1)" },
  },
  run: async (args) => {
    const { positionals, flags, numbers, json } = parseCommand(replayCommand, args);
    if (positionals.length === 0) {
      console.error(`no log given\nusage: ${replayCommand.usage}`);
      return EXIT_USAGE;
    }
    const reports: FileReport[] = [];
    const show = numbers.mismatches ?? 1;
    const options = { mismatchLimit: Math.max(1, show), context: numbers.context ?? 0 };
    await replayFiles(positionals, numbers.jobs ?? 0, options, (report) => {
      reports.push(report);
      if (!json && !isWhole(report)) for (const line of failureLines(report, show)) console.log(line);
    });
    reports.sort((a, b) => positionals.indexOf(a.file) - positionals.indexOf(b.file));
    for (const { file, invalid } of reports)
      if (invalid) console.error(`${file}:${invalid.line}:1: ${invalid.message}`);
    if (json) console.log(JSON.stringify(summary(reports), undefined, 1));
    else {
      if (flags.table) for (const line of tables(reports)) console.log(line);
      console.log(totals(reports));
    }
    if (reports.some(({ invalid }) => invalid)) return EXIT_USAGE;
    return reports.every(isWhole) ? EXIT_FINE : EXIT_FAILED;
  },
};

/** What is printed of a file that differs: the place and the difference, then what led to it. */
function failureLines({ file, mismatches, context, crash, invalid }: FileReport, show: number): string[] {
  if (invalid) return [];
  return [
    ...mismatches.slice(0, show).map((mismatch) => `${file}:${mismatchText(mismatch)}`),
    ...(crash ? [`${file}:${crash.line}: the emulator failed: ${crash.stack}`] : []),
    ...context.map((line) => `    ${line.length > 600 ? `${line.slice(0, 600)}…` : line}`),
  ];
}

const sum = (reports: readonly FileReport[], of: (report: FileReport) => number): number =>
  reports.reduce((total, report) => total + of(report), 0);

function totals(reports: readonly FileReport[]): string {
  const calls = sum(reports, (report) => report.calls);
  const matches = sum(reports, (report) => report.matches);
  return `${reports.filter(isWhole).length} of ${reports.length} files whole, ${matches} of ${calls} calls match`;
}

function summary(reports: readonly FileReport[]): object {
  return {
    files: reports.length,
    whole: reports.filter(isWhole).length,
    calls: sum(reports, (report) => report.calls),
    matches: sum(reports, (report) => report.matches),
    seamcalls: sum(reports, (report) => report.seamcalls),
    guestActions: sum(reports, (report) => report.guestActions),
    reports: reports.map(({ byLeaf, ...report }) => ({
      ...report,
      byLeaf: Object.fromEntries(byLeaf.map(({ leaf, ...tally }) => [leaf, tally])),
    })),
  };
}
