/** What is written must replay: recorded logs are played on a machine that logs, and its log is played again. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { LoggedMachine } from "../../../src/runtime/log/logged-machine.ts";
import { replay } from "../../../src/runtime/log/replay.ts";
import { Replayer } from "../../../src/runtime/log/replayer.ts";
import { LogScanner } from "../../../src/runtime/log/scan.ts";
import { Store } from "../../../src/state/store.ts";

const VECTORS = join(import.meta.dirname, "../../vectors/dev");

/** Plays a recorded log on a machine that logs. */
function relog(log: Uint8Array): string[] {
  const lines: string[] = [];
  const scanner = new LogScanner(log);
  scanner.next();
  const replayer = new Replayer(scanner, {
    createMachine: (platform) => new LoggedMachine(new Store(), platform, "again", (line) => lines.push(line)),
  });
  while (scanner.next()) replayer.run();
  expect(replayer.mismatches).toEqual([]);
  return lines;
}

type Op = Record<string, unknown>;

const calls = (lines: readonly string[]): Op[] =>
  lines.map((line) => JSON.parse(line)).filter(({ op }) => op === "seamcall" || op === "guest");

/** Without inputs that are zero: a recorder may leave them out or not. */
function withoutZeros(op: Op): Op {
  const set = (record: object): object => Object.fromEntries(Object.entries(record).filter(([, v]) => v !== "0x0"));
  return { ...set(op), ...(op.in ? { in: set(op.in) } : {}) };
}

/** Labels for people, masks and repeats are the recorder's; the rest has to come out again. */
function recorded(log: Uint8Array): Op[] {
  const ops = new TextDecoder()
    .decode(log)
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return ops.flatMap(({ t: _t, mask: _mask, repeat = 1, ...op }) =>
    op.op === "seamcall" || op.op === "guest" ? Array.from({ length: repeat }, () => op) : [],
  );
}

/** Logs without operations that a flow has no means for: interrupts, failures, other processors. */
const LOGS = ["life-basic", "life-big-pages", "guest-exits.0", "grand-0004"];

test.each(LOGS)("%s", (name) => {
  const log = gunzipSync(readFileSync(join(VECTORS, `${name}.jsonl.gz`)));
  const lines = relog(log);
  const expected = recorded(log);
  // The recorder leaves a guest's registers out where they are those of its last entry.
  const written = calls(lines).map((op, i) => {
    const { in: input, ...rest } = op;
    return withoutZeros(expected[i]?.in === undefined ? rest : { ...rest, in: input });
  });
  expect(written).toEqual(expected.map(withoutZeros));
  const result = replay(new TextEncoder().encode(lines.join("\n")));
  expect(result.mismatches).toEqual([]);
  expect(result.matches).toBe(expected.length);
});
