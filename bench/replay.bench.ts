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
import { type Figure, median, perSecond } from "./figures.ts";

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
  const replayAll = (): number => logs.reduce((calls, log) => calls + replay(log).calls, 0);
  const calls = replayAll(); // warm up
  const rates = Array.from({ length: PASSES }, () => perSecond(calls, replayAll));
  return [{ name: "replay of dev/rand-*, history off", value: median(rates), unit: "calls/s", aim: 200_000 }];
}

/** Times that the files of dev are replayed; the median counts. */
const PASSES = 5;

/** Operations that are parsed before they are run: few enough that they are still in the cache then, as a list that is read on is. */
const BATCH = 512;

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
