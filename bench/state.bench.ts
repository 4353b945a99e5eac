/**
 * Speed of the journal: what a write, a step back and the state hash cost. `npm run bench` prints it; nothing here passes or
 * fails. A step writes 8 words, as a SEAMCALL that maps a page does.
 */
import { BLOCK_WORDS, Store } from "../src/state/store.ts";
import { type Figure, perSecond } from "./figures.ts";

const STEPS = 1_000_000;
const WRITES = 8;

function fill(store: Store): void {
  for (let step = 0; step < STEPS; step++) {
    const at = (step * 8) % (64 * BLOCK_WORDS);
    for (let i = 0; i < WRITES; i++) store.write(at + i, step + i + 1);
    store.mark();
  }
}

function prepare(recording: boolean): Store {
  const store = new Store({ recording, historyBudget: 2 ** 30 });
  for (let tag = 0; tag < 64; tag++) store.allocate(tag);
  return store;
}

export function run(): Figure[] {
  fill(prepare(true)); // warm up
  const without = prepare(false);
  const withHistory = prepare(true);
  const plain = perSecond(STEPS, () => fill(without));
  const kept = perSecond(STEPS, () => fill(withHistory));
  const bytes = withHistory.historyBytes / STEPS;
  const hash = perSecond(100, () => {
    for (let i = 0; i < 100; i++) withHistory.hash();
  });
  const back = perSecond(STEPS, () => {
    for (let mark = withHistory.now - 1; mark >= 0; mark--) withHistory.undo(mark);
  });
  return [
    { name: "steps of 8 writes, history off", value: plain, unit: "steps/s" },
    { name: "steps of 8 writes, history on", value: kept, unit: "steps/s" },
    { name: "history of such a step", value: bytes, unit: "bytes" },
    { name: "steps back, one by one", value: back, unit: "steps/s" },
    { name: "state hash of 64 pages", value: hash, unit: "hashes/s" },
  ];
}
