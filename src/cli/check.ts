/** `tdxflow check`: looks for mistakes in flows without running them. */
import { compileFlow } from "../language/compile.ts";
import { type Diagnostic, formatDiagnostic } from "../language/diagnostics.ts";
import { type CommandLine, EXIT_FINE, EXIT_USAGE, parseCommand, UsageError } from "./command.ts";
import { loadOptions } from "./files.ts";

export const checkCommand: CommandLine = {
  name: "check",
  usage: "tdxflow check [--json] FLOW…",
  summary: "Look for mistakes in flows (.tdx) without running them.",
  options: {},
  run: async (args) => {
    const { positionals, json } = parseCommand(checkCommand, args);
    if (positionals.length === 0) throw new UsageError(`no flow given\nusage: ${checkCommand.usage}`);
    const found: Diagnostic[] = [];
    for (const path of positionals) found.push(...(await compileFlow(path, loadOptions())).diagnostics);
    // A file that several flows import is read once for each.
    const diagnostics = [...new Map(found.map((diagnostic) => [formatDiagnostic(diagnostic), diagnostic])).values()];
    const errors = diagnostics.filter(({ severity }) => severity === "error").length;
    for (const diagnostic of diagnostics) console.error(formatDiagnostic(diagnostic));
    const warnings = diagnostics.length - errors;
    if (json) console.log(JSON.stringify({ files: positionals.length, errors, warnings, diagnostics }, undefined, 1));
    else
      console.log(
        `${counted(positionals.length, "flow")}, ${counted(errors, "error")}, ${counted(warnings, "warning")}`,
      );
    return errors > 0 ? EXIT_USAGE : EXIT_FINE;
  },
};

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;
