/** What is read straight from bytes is what JSON would have given. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { registerNames } from "../../../src/arch/registers.ts";
import { type RegisterFile, registerFile, setRegisters } from "../../../src/runtime/log/outcome.ts";
import { LogScanner } from "../../../src/runtime/log/scan.ts";

interface Call {
  readonly lp: number;
  readonly leaf: string;
  readonly input: RegisterFile;
  readonly expected: RegisterFile;
}

/** The line as the scanner takes it; undefined if it leaves it to JSON. */
function scanned(line: string): Call | undefined {
  const bytes = new TextEncoder().encode(line);
  const scanner = new LogScanner(bytes);
  const input = registerFile();
  const expected = registerFile();
  if (!scanner.next() || !scanner.seamcall(input, expected)) return undefined;
  const { lp, leafStart, leafEnd } = scanner.call;
  return { lp, leaf: new TextDecoder().decode(bytes.subarray(leafStart, leafEnd)), input, expected };
}

/** The same by JSON. @throws Error if it is no SEAMCALL with nothing but inputs and outputs */
function parsed(line: string): Call {
  const { op, lp, fn, in: given, out, t: _label, ...rest } = JSON.parse(line);
  if (op !== "seamcall" || Object.keys(rest).length > 0) throw new Error("no plain SEAMCALL");
  const input = registerFile();
  setRegisters(input, given, 1);
  const expected = registerFile();
  expected.set(input);
  setRegisters(expected, out, 1);
  return { lp, leaf: fn, input, expected };
}

const registers = fc.dictionary(
  fc.constantFrom(...registerNames),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => `0x${value.toString(16)}`),
);
const call = fc.record({
  op: fc.constant("seamcall"),
  lp: fc.nat(999),
  fn: fc.constantFrom("TDH.MEM.PAGE.AUG", "TDH.?77", "x"),
  in: registers,
  out: registers,
});

test("calls of any registers", () => {
  fc.assert(
    fc.property(call, (op) => {
      expect(scanned(JSON.stringify(op))).toEqual(parsed(JSON.stringify(op)));
    }),
  );
});

test("a call with a label", () => {
  const line = '{"op":"seamcall","lp":1,"t":"2 of \'x\'","fn":"TDH.SYS.INIT","in":{"rax":"0x21"},"out":{"rax":"0x0"}}';
  expect(scanned(line)).toEqual(parsed(line));
});

test("mutated lines are left to JSON, or mean the same", () => {
  fc.assert(
    fc.property(
      call,
      fc.nat(),
      fc.constantFrom("", '"', "\\", "x", "0", ",", "}", "{", " ", "g", "é"),
      (op, at, text) => {
        const line = JSON.stringify(op);
        const cut = at % line.length;
        const mutated = line.slice(0, cut) + text + line.slice(cut + 1);
        const result = scanned(mutated);
        if (result) expect(result).toEqual(parsed(mutated));
      },
    ),
    { numRuns: 20_000 },
  );
});

test("most of a recorded log", () => {
  const path = join(import.meta.dirname, "../../vectors/dev/life-basic.jsonl.gz");
  const lines = gunzipSync(readFileSync(path)).toString("latin1").trim().split("\n");
  const calls = lines.filter((line) => line.startsWith('{"op":"seamcall"') && !/"(enter|repeat|mask)":/.test(line));
  expect(calls.length).toBeGreaterThan(250);
  for (const line of calls) expect(scanned(line)).toEqual(parsed(line));
});

test("lines end in a line feed, with or without a carriage return, or with the log", () => {
  const scanner = new LogScanner(new TextEncoder().encode("a\nb\r\n\nc"));
  const lines: string[] = [];
  while (scanner.next()) lines.push(`${scanner.line}${scanner.text()}`);
  expect(lines).toEqual(["1a", "2b", "3", "4c"]);
});
