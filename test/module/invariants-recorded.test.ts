/** Recorded sequences, good calls and bad ones, break no invariant of the machine. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { checkInvariants, type Violation } from "../../src/module/invariants.ts";
import { Machine } from "../../src/module/machine.ts";
import { survey } from "../../src/module/survey.ts";
import type { PlatformConfig } from "../../src/platform/config.ts";
import { replay } from "../../src/runtime/log/replay.ts";
import { Store } from "../../src/state/store.ts";

/** Files, and of how many calls one is checked. */
const samples: readonly (readonly [file: string, every: number])[] = [
  ["life-basic", 1],
  ["leaf-mng-vpflushdone-freeid-cachewb", 10],
  ["leaf-mem-page-remove.0", 20],
  ["rand-0118", 10],
  ["rand-0194", 20],
  ["grand-0004", 20],
];

class CheckedMachine extends Machine {
  readonly violations: Violation[] = [];
  private readonly every: number;
  private seamcalls = 0;

  constructor(config: PlatformConfig, every: number) {
    super(new Store({ recording: false }), config);
    this.every = every;
  }

  override seamcall(lp: number, operands?: Readonly<Uint32Array>): void {
    const isChecked = this.seamcalls++ % this.every === 0;
    const before = isChecked ? survey(this) : undefined;
    super.seamcall(lp, operands);
    if (isChecked) this.violations.push(...checkInvariants(this, before));
  }
}

it.each(samples)("%s keeps the invariants", (file, every) => {
  const bytes = gunzipSync(readFileSync(new URL(`../vectors/dev/${file}.jsonl.gz`, import.meta.url)));
  let machine: CheckedMachine | undefined;
  const { calls, matches } = replay(bytes, {
    createMachine: (config) => {
      machine = new CheckedMachine(config, every);
      return machine;
    },
  });
  expect(machine?.violations).toEqual([]);
  expect(matches).toBe(calls);
});
