/** `tdxflow run`: runs a flow to its end. */
import { closeSync, openSync, writeSync } from "node:fs";
import { basename } from "node:path";
import { compileFlow } from "../language/compile.ts";
import { formatDiagnostic } from "../language/diagnostics.ts";
import type { FlowProgram } from "../language/flow-code.ts";
import { Machine } from "../module/machine.ts";
import { LoggedMachine } from "../runtime/log/logged-machine.ts";
import { platformConfig } from "../runtime/platform.ts";
import { Runtime } from "../runtime/runtime.ts";
import { endless } from "../runtime/test-run.ts";
import { Store } from "../state/store.ts";
import { type CommandLine, EXIT_FAILED, EXIT_FINE, EXIT_USAGE, parseCommand, UsageError } from "./command.ts";
import { failureText } from "./failure-text.ts";
import { loadOptions } from "./files.ts";

const DEFAULT_STATEMENTS = 100_000_000;
/** A run does not go back, so history needs no room, except to tell the log what the host wrote between two calls. */
const NO_HISTORY = 2 ** 20;

export const runCommand: CommandLine = {
  name: "run",
  usage: "tdxflow run [--log FILE] [--statements N] [--seed N] [--json] FLOW",
  summary: "Run a flow (.tdx) to its end.",
  options: {
    log: {
      type: "string",
      value: "FILE",
      help: "write every call of the module to a SEAMCALL log, for tdxflow replay",
    },
    statements: {
      type: "string",
      value: "N",
      help: `give up after so many statements (default ${DEFAULT_STATEMENTS})`,
    },
    seed: {
      type: "string",
      value: "N",
      help: "run tasks in another order for each number (default: the platform's schedule, else 0: they switch where they wait)",
    },
  },
  run: async (args) => {
    const { positionals, texts, numbers, json } = parseCommand(runCommand, args);
    const [path, more] = positionals;
    if (path === undefined || more !== undefined) {
      throw new UsageError(
        `${path === undefined ? "no flow" : "more than one flow"} given\nusage: ${runCommand.usage}`,
      );
    }
    const { program, diagnostics } = await compileFlow(path, loadOptions());
    for (const diagnostic of diagnostics) console.error(formatDiagnostic(diagnostic));
    if (program === undefined) {
      if (json) console.log(JSON.stringify({ status: "invalid", diagnostics }, undefined, 1));
      return EXIT_USAGE;
    }
    const log = texts.log === undefined ? undefined : new LogFile(texts.log);
    try {
      const statements = numbers.statements ?? DEFAULT_STATEMENTS;
      return runProgram(program, { path, log, statements, seed: numbers.seed, json });
    } finally {
      log?.close();
    }
  },
};

interface RunOptions {
  readonly path: string;
  readonly log: LogFile | undefined;
  readonly statements: number;
  readonly seed: number | undefined;
  readonly json: boolean;
}

function runProgram(program: FlowProgram, { path, log, statements, seed, json }: RunOptions): number {
  const output: string[] = [];
  const config = platformConfig(program.platform);
  const machine = log
    ? new LoggedMachine(new Store(), config, basename(path, ".tdx"), log.put)
    : new Machine(new Store({ recording: false, historyBudget: NO_HISTORY }), config);
  const say = (text: string): void => {
    output.push(text);
    if (!json) console.log(text);
  };
  const runtime = new Runtime(program, machine, {
    hooks: { output: say },
    ...(seed !== undefined && { scheduleSeed: seed }),
  });
  runtime.run(statements);
  const failure =
    runtime.failure ??
    (runtime.status === "running"
      ? { ...endless(runtime, statements), hint: "an endless loop? --statements N allows more" }
      : undefined);
  if (failure) console.error(failureText(failure));
  if (json) console.log(JSON.stringify({ status: failure ? "failed" : "done", output, failure }, undefined, 1));
  return failure ? EXIT_FAILED : EXIT_FINE;
}

/** Collects lines and writes them in large pieces. */
class LogFile {
  private static readonly PIECE = 2 ** 20;
  private readonly file: number;
  private lines = "";

  constructor(path: string) {
    try {
      this.file = openSync(path, "w");
    } catch (error) {
      throw new UsageError(`the log cannot be written: ${error instanceof Error ? error.message : error}`);
    }
  }

  readonly put = (line: string): void => {
    this.lines += `${line}\n`;
    if (this.lines.length > LogFile.PIECE) this.flush();
  };

  close(): void {
    this.flush();
    closeSync(this.file);
  }

  private flush(): void {
    writeSync(this.file, this.lines);
    this.lines = "";
  }
}
