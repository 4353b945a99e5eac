/**
 * Speed of the emulated module on recorded calls, with every register compared. Random stateful sequences are parsed meanwhile;
 * the phases of the long ones in test/vectors/scale are parsed before, as they were for the native module, whose figures are in
 * test/vectors/scale/README.md: the aim is half of native without history, and a quarter with it.
 */
import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { replay } from "../src/runtime/log/replay.ts";
import { Replayer } from "../src/runtime/log/replayer.ts";
import { LogScanner } from "../src/runtime/log/scan.ts";
import type { Figure } from "./figures.ts";

/** Benchmarks run in the project's folder. */
const VECTORS = "test/vectors";

/** Calls a second of Intel's module, compiled for user space, by phase of a scale sequence. */
const NATIVE: Readonly<Record<string, number>> = {
  "PAGE.ADD and MR.EXTEND": 341_000,
  "PAGE.AUG": 1_000_000,
  "guest PAGE.ACCEPT": 77_000,
  "BLOCK, TRACK and REMOVE of every 8th": 1_030_000,
  teardown: 1_500_000,
};

const unpacked = (path: string): Uint8Array => gunzipSync(readFileSync(`${VECTORS}/${path}`));

function devFigures(): Figure[] {
  const files = readdirSync(`${VECTORS}/dev`).filter((name) => name.startsWith("rand-"));
  const logs = files.map((name) => unpacked(`dev/${name}`));
  for (const log of logs.slice(0, 20)) replay(log);
  let calls = 0;
  const started = performance.now();
  for (const log of logs) calls += replay(log).calls;
  const rate = (calls * 1000) / (performance.now() - started);
  return [{ name: "replay of dev/rand-*, history off", value: rate, unit: "calls/s", aim: 200_000 }];
}

/** Operations that are parsed before they are run: few enough that they do not fill the memory. */
const BATCH = 4096;

interface Phase {
  readonly name: string;
  readonly ops: number;
}

function scaleFigures(file: string, recording: boolean): Figure[] {
  const log = unpacked(`scale/${file}`);
  const scanner = new LogScanner(log);
  scanner.next();
  const { phases } = JSON.parse(scanner.text()) as { phases: Phase[] };
  const replayer = new Replayer(scanner, { recording });
  const figures: Figure[] = [];
  for (const { name, ops } of phases) {
    const before = replayer.calls;
    let milliseconds = 0;
    for (let done = 0; done < ops; done += BATCH) {
      const steps: (() => void)[] = [];
      while (steps.length < Math.min(BATCH, ops - done) && scanner.next()) steps.push(replayer.prepare());
      const started = performance.now();
      for (const step of steps) {
        step();
        if (recording) replayer.machine.store.mark();
      }
      milliseconds += performance.now() - started;
    }
    const native = NATIVE[name];
    if (native === undefined) continue;
    figures.push({
      name: `${file.split(".")[0]}: ${name}, history ${recording ? "on" : "off"}`,
      value: ((replayer.calls - before) * 1000) / milliseconds,
      unit: "calls/s",
      aim: native / (recording ? 4 : 2),
    });
  }
  if (replayer.mismatches.length) throw new Error(`${file}: ${JSON.stringify(replayer.mismatches[0])}`);
  return figures;
}

export function run(): Figure[] {
  const files = readdirSync(`${VECTORS}/scale`).filter((name) => name.endsWith(".gz"));
  for (const file of files) scaleFigures(file, false); // warm up: native code needs none
  return [
    ...devFigures(),
    ...files.flatMap((file) => scaleFigures(file, false)),
    ...files.flatMap((file) => scaleFigures(file, true)),
  ];
}
