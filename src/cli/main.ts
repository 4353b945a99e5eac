/** `tdxflow`: the command line. Exit codes: 0 fine, 1 the flow or comparison failed, 2 bad input or usage. */

import "./inlining.ts";
import { checkCommand } from "./check.ts";
import { type CommandLine, EXIT_FINE, EXIT_USAGE, helpText, UsageError } from "./command.ts";
import { dapCommand } from "./dap.ts";
import { decodeCommand } from "./decode.ts";
import { fmtCommand } from "./fmt.ts";
import { lspCommand } from "./lsp.ts";
import { replayCommand } from "./replay.ts";
import { serveReplay } from "./replay-pool.ts";
import { runCommand } from "./run.ts";
import { testCommand } from "./test.ts";

const commands: readonly CommandLine[] = [
  runCommand,
  testCommand,
  checkCommand,
  fmtCommand,
  replayCommand,
  decodeCommand,
  dapCommand,
  lspCommand,
];

function overview(): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return ["usage: tdxflow COMMAND [OPTIONS] …", "", ...lines, "", "tdxflow COMMAND --help says more."].join("\n");
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === "--help" || name === "-h" || name === "help") {
    console.log(overview());
    return EXIT_FINE;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    console.error(`${name === undefined ? "no command" : `unknown command ${name}`}\n${overview()}`);
    return EXIT_USAGE;
  }
  if (args.includes("--help") || args.includes("-h")) {
    console.log(helpText(command));
    return EXIT_FINE;
  }
  try {
    return await command.run(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    return EXIT_USAGE;
  }
}

// Whoever reads the output may stop before its end, as `head` does.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

if (!serveReplay()) process.exitCode = await main(process.argv.slice(2));
