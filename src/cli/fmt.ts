/** `tdxflow fmt`: lays flows out. */
import { readFile, writeFile } from "node:fs/promises";
import { DiagnosticSink, formatDiagnostic } from "../language/diagnostics.ts";
import { parseSource } from "../language/parse.ts";
import { formatText } from "../language/services/format.ts";
import { type CommandLine, EXIT_FAILED, EXIT_FINE, EXIT_USAGE, parseCommand, UsageError } from "./command.ts";

export const fmtCommand: CommandLine = {
  name: "fmt",
  usage: "tdxflow fmt [--check] [--json] FLOW…",
  summary: "Lay flows (.tdx) out: indentation, spaces, empty lines. Rewrites the files that change.",
  options: { check: { type: "boolean", help: "change nothing; exit 1 if a file is not laid out" } },
  run: async (args) => {
    const { positionals, flags, json } = parseCommand(fmtCommand, args);
    if (positionals.length === 0) throw new UsageError(`no flow given\nusage: ${fmtCommand.usage}`);
    const changed: string[] = [];
    let broken = false;
    for (const path of positionals) {
      const text = await textOf(path);
      const formatted = formatText(text);
      if (formatted === undefined) {
        const sink = new DiagnosticSink();
        parseSource(path, text, sink);
        for (const diagnostic of sink.all) console.error(formatDiagnostic(diagnostic));
        broken = true;
      } else if (formatted !== text) {
        changed.push(path);
        if (!flags.check) await writeFile(path, formatted);
      }
    }
    if (json) console.log(JSON.stringify({ files: positionals.length, changed }, undefined, 1));
    else for (const path of changed) console.log(path);
    if (broken) return EXIT_USAGE;
    return flags.check && changed.length > 0 ? EXIT_FAILED : EXIT_FINE;
  },
};

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    throw new UsageError(`cannot read ${path}`);
  }
}
