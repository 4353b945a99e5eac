/** What the commands of the command line have in common: options, help, exit codes. */
import { parseArgs } from "node:util";

/** All is well; the flow or the comparison failed; bad input or usage. */
export const EXIT_FINE = 0;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;

export interface OptionHelp {
  readonly type: "boolean" | "string";
  /** How help names the value; a value named N is a number from 0. */
  readonly value?: string;
  readonly help: string;
}

export interface CommandLine {
  readonly name: string;
  readonly usage: string;
  /** One sentence. */
  readonly summary: string;
  readonly options: Readonly<Record<string, OptionHelp>>;
  /** Returns the exit code. @throws UsageError */
  readonly run: (args: readonly string[]) => Promise<number>;
}

/** The command line is not what the command takes. */
export class UsageError extends Error {}

export interface ParsedCommand {
  readonly positionals: readonly string[];
  readonly flags: Readonly<Record<string, boolean>>;
  readonly texts: Readonly<Record<string, string>>;
  readonly numbers: Readonly<Record<string, number>>;
  readonly json: boolean;
}

/** Takes the arguments of a command apart; every command takes --json. @throws UsageError */
export function parseCommand(command: CommandLine, args: readonly string[]): ParsedCommand {
  const options = { json: { type: "boolean" as const }, ...command.options };
  const flags: Record<string, boolean> = {};
  const texts: Record<string, string> = {};
  const numbers: Record<string, number> = {};
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: Object.fromEntries(Object.entries(options).map(([name, { type }]) => [name, { type }])),
    });
    for (const [name, value] of Object.entries(values)) {
      if (typeof value === "boolean") flags[name] = value;
      else if (command.options[name]?.value !== "N") texts[name] = String(value);
      else if (/^\d+$/.test(String(value))) numbers[name] = Number(value);
      else throw new Error(`--${name} takes a number, not "${value}"`);
    }
    return { positionals, flags, texts, numbers, json: flags.json ?? false };
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : error}\nusage: ${command.usage}`);
  }
}

/** What `--help` prints. */
export function helpText({ usage, summary, options }: CommandLine): string {
  const all: [string, OptionHelp][] = [
    ...Object.entries(options),
    ["json", { type: "boolean", help: "print the result as JSON" }],
    ["help", { type: "boolean", help: "print this" }],
  ];
  const names = all.map(([name, { value }]) => `--${name}${value ? ` ${value}` : ""}`);
  const width = Math.max(...names.map((name) => name.length));
  const lines = all.map(([, { help }], i) => `  ${names[i]!.padEnd(width)}  ${help}`);
  return [`usage: ${usage}`, "", summary, "", ...lines].join("\n");
}
