/**
 * Speed of the emulated module on recorded calls, parsing and comparing included: random stateful sequences, and the phases of
 * the long ones in test/vectors/scale. Aims: issue 3, "Speed"; native figures from test/vectors/scale/README.md.
 */
import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { replay } from "../src/runtime/log/replay.ts";
import { Replayer } from "../src/runtime/log/replayer.ts";
import { LogScanner } from "../src/runtime/log/scan.ts";
import { type Figure, perSecond } from "./figures.ts";

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
    const rate = perSecond(1, () => {
      for (let op = 0; op < ops && scanner.next(); op++) {
        replayer.run();
        if (recording) replayer.machine.store.mark();
      }
    });
    const native = NATIVE[name];
    if (native === undefined) continue;
    figures.push({
      name: `${file.split(".")[0]}: ${name}, history ${recording ? "on" : "off"}`,
      value: rate * (replayer.calls - before),
      unit: "calls/s",
      aim: native / (recording ? 4 : 2),
    });
  }
  if (replayer.mismatches.length) throw new Error(`${file}: ${JSON.stringify(replayer.mismatches[0])}`);
  return figures;
}

export function run(): Figure[] {
  const files = readdirSync(`${VECTORS}/scale`).filter((name) => name.endsWith(".gz"));
  return [
    ...devFigures(),
    ...files.flatMap((file) => scaleFigures(file, false)),
    ...files.flatMap((file) => scaleFigures(file, true)),
  ];
}
