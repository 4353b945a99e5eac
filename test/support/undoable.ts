/** What must hold for every successful call: it breaks no invariant, steps to the same end, and leaves no trace when undone. */
import { expect } from "vitest";
import { checkInvariants } from "../../src/module/invariants.ts";
import { survey } from "../../src/module/survey.ts";
import type { Host, Operands } from "./host.ts";

export interface HostCall {
  readonly leaf: string;
  readonly operands: Operands;
}

/** Runs the call as one, and undoes it. */
export function expectUndone(host: Host, { leaf, operands }: HostCall): void {
  const { store } = host.machine;
  const start = store.mark();
  const startHash = store.hash();
  const before = survey(host.machine);
  expect(host.call(leaf, operands)).toBe(0n);
  expect(checkInvariants(host.machine, before)).toEqual([]);
  store.undo(start);
  expect(store.hash()).toBe(startHash);
}

/** Runs the call step by step to where it ends as one, and undoes it from each step. */
export function expectUndoneByStep(host: Host, { leaf, operands }: HostCall): void {
  const { store } = host.machine;
  const start = store.mark();
  const startHash = store.hash();
  host.call(leaf, operands);
  const whole = store.hash();
  store.undo(start);

  const entry = host.begin(leaf, operands, 0);
  const hashes = [store.hash()];
  const marks = [store.mark()];
  while (entry.step() !== undefined) {
    hashes.push(store.hash());
    marks.push(store.mark());
  }
  expect(store.hash()).toBe(whole);
  for (let i = marks.length - 1; i >= 0; i--) {
    store.undo(marks[i] as number);
    expect(store.hash()).toBe(hashes[i]);
  }
  host.machine.forgetEntries();
  store.undo(start);
  expect(store.hash()).toBe(startHash);
}
