/**
 * The module gives the same outputs however it is driven: step by step instead of in one go, and again after the store has
 * gone back.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { GuestAction, GuestResult } from "../../src/module/guest/actions.ts";
import { Machine } from "../../src/module/machine.ts";
import type { PlatformConfig } from "../../src/platform/config.ts";
import { mismatchText } from "../../src/runtime/log/mismatch.ts";
import { replay } from "../../src/runtime/log/replay.ts";
import { Store } from "../../src/state/store.ts";

const FOLDER = join(import.meta.dirname, "../vectors/dev");

/** Files of single topics, and every tenth of the random ones: all of them are replayed in one go by dev.test.ts. */
const logs = readdirSync(FOLDER).filter(
  (name) => name.endsWith(".gz") && (!/rand-/.test(name) || /[05]\.jsonl/.test(name)),
);

function differences(name: string, createMachine: (platform: PlatformConfig) => Machine): string[] {
  const log = gunzipSync(readFileSync(join(FOLDER, name)));
  const { mismatches, crash } = replay(log, { createMachine, mismatchLimit: 3 });
  return [...mismatches.map(mismatchText), ...(crash ? [`${crash.line}: ${crash.stack}`] : [])];
}

/** Goes through each leaf by its steps. */
class SteppedMachine extends Machine {
  override seamcall(lp: number, operands?: Readonly<Uint32Array>): void {
    if (operands !== undefined) this.platform.writeGprs(lp, operands);
    const entry = this.beginSeamcall(lp);
    while (entry.next !== undefined) entry.step();
  }

  override guest(lp: number, action: GuestAction): GuestResult {
    const entry = this.beginGuest(lp, action);
    while (entry.next !== undefined) entry.step();
    return this.guestResult(lp);
  }
}

/** Takes every so many calls back, once half-way through its steps and once at its end, and does it again. */
class UndoingMachine extends Machine {
  private count = 0;
  private readonly every: number;

  constructor(config: PlatformConfig, every: number) {
    super(new Store(), config);
    this.every = every;
  }

  override seamcall(lp: number, operands?: Readonly<Uint32Array>): void {
    if (operands !== undefined) this.platform.writeGprs(lp, operands);
    if (++this.count % this.every !== 0) {
      super.seamcall(lp);
      this.store.mark();
      return;
    }
    const mark = this.store.mark();
    const before = this.store.hash();
    const entry = this.beginSeamcall(lp);
    for (let steps = 0; entry.next !== undefined && steps < this.count % 13; steps++) entry.step();
    this.back(mark, before);
    super.seamcall(lp);
    const after = this.store.hash();
    this.back(mark, before);
    super.seamcall(lp);
    if (this.store.hash() !== after) throw new Error("the same call from the same state gave another state");
  }

  private back(mark: number, before: string): void {
    this.store.undo(mark);
    this.forgetEntries();
    if (this.store.hash() !== before) throw new Error("going back did not give the state before");
  }
}

describe("step by step", () => {
  test.each(logs)("%s", (name) => {
    expect(differences(name, (platform) => new SteppedMachine(new Store({ recording: false }), platform))).toEqual([]);
  });
});

describe("taken back and done again", () => {
  test.each(logs)("%s", (name) => {
    expect(differences(name, (platform) => new UndoingMachine(platform, 37))).toEqual([]);
  });
});
