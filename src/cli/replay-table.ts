/** How many calls of a replay match, by family of logs and by leaf. */
import { basename } from "node:path";
import { type FileReport, isWhole } from "./replay-file.ts";

interface Row {
  name: string;
  files: number;
  whole: number;
  calls: number;
  matches: number;
}

/** The part of a file's name before its first digit-only part: `rand-0005` → `rand`, `cont-pair-mem.3` → `cont-pair`. */
function familyOf(file: string): string {
  const parts = basename(file).split(/[-.]/);
  return parts[0] === "cont" ? `cont-${parts[1]}` : (parts[0] ?? "");
}

const percent = (part: number, whole: number): string =>
  whole === 0 ? "-" : `${((Math.floor((part / whole) * 10_000) / 10_000) * 100).toFixed(2)} %`;

function lines(title: string, columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [[title, ...columns], ...rows];
  const widths = all[0]!.map((_, i) => Math.max(...all.map((row) => row[i]!.length)));
  return all.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  "),
  );
}

/** The two tables as lines of text, each followed by an empty one. */
export function tables(reports: readonly FileReport[]): string[] {
  const families = new Map<string, Row>();
  const leaves = new Map<string, Row>();
  const rowOf = (rows: Map<string, Row>, name: string): Row => {
    const row = rows.get(name) ?? { name, files: 0, whole: 0, calls: 0, matches: 0 };
    rows.set(name, row);
    return row;
  };
  for (const report of reports) {
    const family = rowOf(families, familyOf(report.file));
    family.files++;
    family.whole += isWhole(report) ? 1 : 0;
    family.calls += report.calls;
    family.matches += report.matches;
    for (const { leaf, calls, matches } of report.byLeaf) {
      const row = rowOf(leaves, leaf);
      row.calls += calls;
      row.matches += matches;
    }
  }
  const sorted = (rows: Map<string, Row>): Row[] => [...rows.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return [
    ...lines(
      "family",
      ["files", "whole", "calls", "match", ""],
      sorted(families).map(({ name, files, whole, calls, matches }) => [
        ...[name, String(files), String(whole), String(calls), String(matches), percent(matches, calls)],
      ]),
    ),
    "",
    ...lines(
      "leaf",
      ["calls", "match", ""],
      sorted(leaves).map(({ name, calls, matches }) => [name, String(calls), String(matches), percent(matches, calls)]),
    ),
    "",
  ];
}
