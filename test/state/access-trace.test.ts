/** A traced store notes what is read and written; the same store untraced is as it was. */
import { describe, expect, it } from "vitest";
import { AccessTrace, ALL, traceAccesses, tracing } from "../../src/state/access-trace.ts";
import { Store } from "../../src/state/store.ts";

/** Methods that reach cells or slots, by themselves or through another of these. */
const TRACED = [
  "read",
  "write",
  "poke",
  "readNumber",
  "save",
  "view",
  "fillBlock",
  "copyBlock",
  "readValue",
  "writeValue",
];
const THROUGH_TRACED = ["writeNumber", "readBig", "writeBig"];
const NO_ACCESS = [
  ...[
    "constructor",
    "allocate",
    "allocateValues",
    "tagOf",
    "load",
    "differing",
    "pokeValue",
    "now",
    "oldest",
    "historyBytes",
    "mark",
  ],
  ...[
    "noteAt",
    "join",
    "undo",
    "changes",
    "changedSince",
    "slotsChangedSince",
    "lastWriter",
    "lastValueWriter",
    "hash",
  ],
];

describe("a traced store", () => {
  it("knows every method by which cells are reached", () => {
    const store = new Store();
    traceAccesses(store, new AccessTrace({ cells: ALL, slots: ALL }));
    const own = Object.getOwnPropertyNames(Object.getPrototypeOf(store));
    expect(own.filter((name) => name !== "constructor").sort()).toEqual([...TRACED].sort());
    // A new method of the store fails here, until somebody has thought about it.
    const all = Object.getOwnPropertyNames(Store.prototype);
    expect(all.filter((name) => ![...TRACED, ...THROUGH_TRACED, ...NO_ACCESS].includes(name))).toEqual([]);
  });

  it("notes reads, and writes that change nothing", () => {
    const store = new Store();
    const cell = store.allocate(1);
    const slot = store.allocateValues(2);
    const trace = new AccessTrace({ cells: new Set([cell, cell + 1, cell + 5]), slots: new Set([slot]) });
    traceAccesses(store, trace);
    store.readBig(cell);
    expect([...trace.readCells].sort()).toEqual([cell, cell + 1]);
    store.read(cell + 2);
    store.write(cell + 5, 0);
    store.writeValue(slot + 1, 1);
    store.readValue(slot);
    expect(trace.readCells.size).toBe(2);
    expect([...trace.writtenCells]).toEqual([cell + 5]);
    expect([...trace.readSlots]).toEqual([slot]);
    expect(trace.writtenSlots.size).toBe(0);
    trace.clear();
    store.view(cell, 8);
    expect(trace.readCells.size).toBe(3);
  });

  it("is as it was when nobody traces it any more, and keeps the trace before", () => {
    const store = new Store();
    const cell = store.allocate(1);
    const outer = new AccessTrace({ cells: ALL, slots: ALL });
    const inner = new AccessTrace({ cells: ALL, slots: ALL });
    traceAccesses(store, outer);
    tracing(store, inner, () => store.write(cell, 1));
    store.read(cell + 1);
    traceAccesses(store, undefined);
    store.read(cell + 2);
    expect(Object.getPrototypeOf(store)).toBe(Store.prototype);
    expect([...inner.writtenCells]).toEqual([cell]);
    expect([...outer.writtenCells]).toEqual([]);
    expect([...outer.readCells]).toEqual([cell + 1]);
    store.mark();
    store.write(cell, 2);
    store.undo(1);
    expect(store.read(cell)).toBe(1);
  });
});
