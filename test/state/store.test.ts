import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BLOCK_WORDS, Store } from "../../src/state/store.ts";

/** What a run may do to a store: write a word, write a value, end a step. */
const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("word" as const),
      at: fc.nat(3 * BLOCK_WORDS - 1),
      value: fc.nat(0xffff_ffff),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("value" as const),
      at: fc.nat(15),
      value: fc.oneof(
        fc.nat(),
        fc.string(),
        fc.boolean(),
        fc.bigInt(0n, 2n ** 64n),
        fc.constant(undefined),
        fc.array(fc.nat()),
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("mark" as const), at: fc.constant(0), value: fc.constant(0) }),
  },
);

function fresh(options = {}): Store {
  const store = new Store(options);
  for (let tag = 0; tag < 3; tag++) store.allocate(tag);
  store.allocateValues(16);
  return store;
}

type Operation = { kind: "word" | "value" | "mark"; at: number; value: unknown };

function apply(store: Store, { kind, at, value }: Operation): void {
  if (kind === "word") store.write(at, value as number);
  else if (kind === "value") store.writeValue(at, value);
  else store.mark();
}

describe("a store", () => {
  it("goes back to the very state of any earlier mark", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), fc.nat(), (operations, pick) => {
        const store = fresh();
        const hashes = [store.hash()];
        for (const operation of operations) {
          apply(store, operation);
          if (operation.kind === "mark") hashes[store.now] = store.hash();
        }
        const mark = pick % (store.now + 1);
        store.undo(mark);
        expect(store.now).toBe(mark);
        expect(store.hash()).toBe(hashes[mark]);
      }),
    );
  });

  it("reaches the same state again when what was undone is done again", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const store = fresh();
        for (const operation of operations) apply(store, operation);
        const end = store.hash();
        store.undo(0);
        for (const operation of operations) apply(store, operation);
        expect(store.hash()).toBe(end);
      }),
    );
  });

  it("has the same state with and without history", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const [kept, none] = [fresh(), fresh({ recording: false })];
        for (const operation of operations) {
          apply(kept, operation);
          apply(none, operation);
        }
        expect(none.hash()).toBe(kept.hash());
        expect(none.now).toBe(kept.now);
      }),
    );
  });

  it("has one hash for a state, whatever the order in which its blocks came", () => {
    const [one, two] = [new Store(), new Store()];
    const a1 = one.allocate(7);
    const b1 = one.allocate(9);
    const b2 = two.allocate(9);
    const a2 = two.allocate(7);
    for (const [store, a, b] of [
      [one, a1, b1],
      [two, a2, b2],
    ] as const) {
      store.write(a + 3, 5);
      store.write(b + 3, 6);
    }
    expect(two.hash()).toBe(one.hash());
    two.write(a2 + 3, 6);
    two.write(b2 + 3, 5);
    expect(two.hash()).not.toBe(one.hash());
  });

  it("fills and copies blocks alike with and without history, and takes them back", () => {
    const [kept, none] = [fresh(), fresh({ recording: false })];
    kept.write(5, 7);
    none.write(5, 7);
    const [before, mark] = [kept.hash(), kept.mark()];
    for (const store of [kept, none]) {
      store.fillBlock(0, 1, 0x8000_0002);
      store.copyBlock(0, 2 * BLOCK_WORDS);
      store.fillBlock(0, 3, 3);
      const words = [0, 1, BLOCK_WORDS - 1, BLOCK_WORDS, 2 * BLOCK_WORDS, 3 * BLOCK_WORDS - 1];
      expect(words.map((cell) => store.read(cell))).toEqual([3, 3, 3, 0, 1, 0x8000_0002]);
    }
    expect(none.hash()).toBe(kept.hash());
    kept.undo(mark);
    expect(kept.hash()).toBe(before);
  });

  it("keeps what it holds when it grows", () => {
    const store = new Store();
    const cells = Array.from({ length: 600 }, (_, tag) => store.allocate(tag));
    for (const [i, cell] of cells.entries()) store.write(cell + 1, i + 1);
    const [before, mark] = [store.hash(), store.mark()];
    for (let tag = 600; tag < 1200; tag++) store.write(store.allocate(tag), 9);
    expect(cells.every((cell, i) => store.read(cell + 1) === i + 1)).toBe(true);
    store.undo(mark);
    expect(store.hash()).toBe(before);
  });

  it("does not journal a write that changes nothing", () => {
    const store = fresh();
    store.write(5, 1);
    store.writeValue(2, "x");
    store.mark();
    store.write(5, 1);
    store.writeValue(2, "x");
    store.mark();
    expect([...store.changes(1)]).toEqual([]);
    expect([...store.changes(0, 1)]).toEqual([
      { cell: 5, old: 0 },
      { slot: 2, old: undefined },
    ]);
  });

  it("names the step that wrote a cell last", () => {
    const store = fresh();
    store.mark();
    store.write(8, 1); // step 2
    store.mark();
    store.write(9, 1); // step 3
    store.writeValue(1, "a");
    store.mark();
    expect(store.lastWriter(8)).toBe(2);
    expect(store.lastWriter(9)).toBe(3);
    expect(store.lastValueWriter(1)).toBe(3);
    expect(store.lastWriter(10)).toBeUndefined();
    store.write(8, 2); // the open step
    expect(store.lastWriter(8)).toBe(4);
    expect(store.changedSince(2)).toEqual(new Set([9, 8]));
    expect(store.slotsChangedSince(2)).toEqual(new Set([1]));
  });

  it("keeps 64-bit words exact in both forms", () => {
    const store = fresh();
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 64n - 1n), fc.maxSafeNat(), (big, number) => {
        store.writeBig(0, big);
        store.writeNumber(2, number);
        expect(store.readBig(0)).toBe(big);
        expect(store.readNumber(2)).toBe(number);
        expect(store.readBig(2)).toBe(BigInt(number));
      }),
    );
  });

  it("forgets the oldest steps past its budget, and says which are left", () => {
    const store = fresh({ historyBudget: 4 * 1024 * 1024 });
    const at: string[] = [];
    for (let step = 1; step <= 300_000; step++) {
      store.write(step % 1000, step);
      store.write(1000 + (step % 24), step * 3);
      if (store.mark() % 60_000 === 0) at[step] = store.hash();
    }
    expect(store.oldest).toBeGreaterThan(0);
    expect(store.historyBytes).toBeLessThan(6 * 1024 * 1024);
    expect(() => store.undo(store.oldest - 1)).toThrow(/not in history/);
    const reachable = at.findIndex((hash, step) => hash !== undefined && step >= store.oldest);
    store.undo(reachable);
    expect(store.hash()).toBe(at[reachable]);
  });

  it("brings values of any kind back, also after it forgot some", () => {
    const kinds = [
      7,
      undefined,
      "text",
      2 ** 32,
      0.5,
      2n ** 60n,
      null,
      true,
      2 ** 32 - 1,
      { stateKey: () => "object" },
    ];
    const store = fresh({ historyBudget: 4 * 1024 * 1024 });
    const at: string[] = [];
    for (let step = 1; step <= 300_000; step++) {
      // Long runs of plain numbers too, in which no value lies beside the log.
      store.writeValue(step % 7, step % 100_000 < 50_000 ? kinds[step % kinds.length] : step);
      if (store.mark() % 10_000 === 0) at[step] = store.hash();
    }
    expect(store.oldest).toBeGreaterThan(0);
    for (let step = 300_000; step >= store.oldest; step -= 10_000) {
      store.undo(step);
      expect(store.hash()).toBe(at[step]);
    }
  });

  it("keeps a note with each mark", () => {
    const store = fresh();
    for (let step = 1; step <= 50_000; step++) {
      store.write(step % 100, step);
      store.mark(step * 300);
    }
    for (const step of [1, 777, 50_000]) expect(store.noteAt(step)).toBe(step * 300);
    store.undo(700);
    store.mark(5);
    expect(store.noteAt(701)).toBe(5);
    expect(store.noteAt(700)).toBe(210_000);
  });

  it("holds a long journal across its chunks", () => {
    const store = fresh();
    for (let step = 1; step <= 100_000; step++) {
      store.write(step % 2000, step);
      store.mark();
    }
    const hash = store.hash();
    store.undo(40_000);
    for (let step = 40_001; step <= 100_000; step++) {
      store.write(step % 2000, step);
      store.mark();
    }
    expect(store.hash()).toBe(hash);
    store.undo(0);
    expect(store.hash()).toBe(fresh().hash());
  });
});
