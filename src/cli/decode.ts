/** `tdxflow decode`: what a completion status means. */
import { leafStatuses } from "../arch/generated/leaf-statuses.ts";
import { leafLocks } from "../arch/generated/locks.ts";
import { decodeStatus, statusOf } from "../arch/status.ts";
import { statusAdvice } from "../arch/status-advice.ts";
import { formatU64, parsed, parseU64 } from "../arch/u64.ts";
import { type CommandLine, EXIT_FAILED, EXIT_FINE, EXIT_USAGE, parseCommand, UsageError } from "./command.ts";

/** Class of statuses of a resource that is busy. */
const BUSY_CLASS = 2;

export const decodeCommand: CommandLine = {
  name: "decode",
  usage: "tdxflow decode [--json] STATUS…",
  summary: "Say what a completion status means: RAX of a SEAMCALL or TDCALL in hexadecimal, or its name.",
  options: {},
  run: async (args) => {
    const { positionals, json } = parseCommand(decodeCommand, args);
    if (positionals.length === 0) throw new UsageError(`no status given\nusage: ${decodeCommand.usage}`);
    const explanations = [];
    for (const text of positionals) {
      const halves = halvesOf(text);
      if (halves === undefined) {
        console.error(`${text}: neither a hexadecimal number of up to 64 bits nor the name of a status`);
        return EXIT_USAGE;
      }
      explanations.push(explain(halves.hi, halves.lo));
    }
    if (json) console.log(JSON.stringify(explanations.length === 1 ? explanations[0] : explanations, undefined, 1));
    else console.log(explanations.map(explanationText).join("\n\n"));
    return explanations.every(({ name }) => name !== undefined) ? EXIT_FINE : EXIT_FAILED;
  },
};

interface Explanation {
  readonly value: string;
  readonly name: string | undefined;
  readonly class: string;
  readonly error: boolean;
  readonly recoverable: boolean;
  readonly fatal: boolean;
  readonly detailKind: string;
  readonly detail: string;
  readonly meaning: string;
  readonly action: string;
  readonly leaves: readonly string[];
  /** A busy status that names an object: the leaves that take its lock, and how. */
  readonly takers: readonly string[];
}

/** Locks (docs/locks.md) by the operand that a busy status names. */
const LOCK_OF_OPERAND: Readonly<Record<string, string>> = {
  OP_STATE: "TDCS.OP_STATE",
  TD_EPOCH: "TDCS.EPOCH",
  RTMR: "TDCS.RTMR",
  WBCACHE: "WBT",
};

function takersOf(operand: string): string[] {
  const name = LOCK_OF_OPERAND[operand] ?? operand;
  return Object.entries(leafLocks).flatMap(([leaf, locks]) => {
    const mode = locks.find(([lock]) => lock === name)?.[1];
    return mode === undefined ? [] : [`${leaf} (${mode})`];
  });
}

/** Halves of a number, with or without 0x, decimal for none but 0; or of a status by name. */
function halvesOf(text: string): { hi: number; lo: number } | undefined {
  const code = statusOf(text.toUpperCase());
  if (code !== undefined) return { hi: code, lo: 0 };
  const digits = text.replaceAll("_", "");
  return parseU64(digits.startsWith("0x") || digits.startsWith("0X") ? digits : `0x${digits}`)
    ? { ...parsed }
    : undefined;
}

function explain(hi: number, lo: number): Explanation {
  const status = decodeStatus(hi, lo);
  const { name, error, nonRecoverable, fatal, className, detailKind, detail } = status;
  const leaves = Object.entries(leafStatuses)
    .filter(([, statuses]) => name !== undefined && statuses.includes(name))
    .map(([leaf]) => leaf);
  return {
    value: formatU64(lo, hi),
    name,
    class: className,
    error,
    recoverable: !nonRecoverable,
    fatal,
    detailKind,
    detail,
    ...statusAdvice(hi, lo),
    leaves,
    takers: status.class === BUSY_CLASS && detailKind === "operand" ? takersOf(detail) : [],
  };
}

function explanationText(it: Explanation): string {
  const kind = it.error ? "error" : it.recoverable ? "success" : "no error";
  const lines: [string, string][] = [
    ["class", it.class],
    ["kind", `${kind}, ${it.recoverable ? "recoverable" : "not recoverable"}${it.fatal ? ", fatal" : ""}`],
    [it.detailKind === "operand" ? "operand" : "detail", it.detail],
    ["meaning", it.meaning],
    ["usually", it.action],
    ["leaves", it.leaves.join(" ")],
    ["lock of", it.takers.join(", ")],
  ];
  const shown = lines.filter(([, text]) => text !== "").map(([label, text]) => `  ${label.padEnd(8)} ${text}`);
  return [`${it.value}  ${it.name ?? "no TDX status"}`, ...shown].join("\n");
}
