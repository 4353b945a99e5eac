/**
 * Notes which of some cells and value slots are read, and which are written, also where a write changes nothing: what the journal
 * does not tell. A store is traced by changing what its methods are, so one that nobody traces pays nothing for it.
 */
import { BLOCK_WORDS, Store } from "./store.ts";

/** Some cells and slots, or all. */
export interface Watched {
  readonly cells: Members;
  readonly slots: Members;
}

interface Members {
  has(one: number): boolean;
}

/** Everything. */
export const ALL: Members = { has: () => true };

/** What was touched since the trace was cleared last. */
export class AccessTrace {
  readonly readCells = new Set<number>();
  readonly readSlots = new Set<number>();
  readonly writtenCells = new Set<number>();
  readonly writtenSlots = new Set<number>();
  private readonly watched: Watched;

  constructor(watched: Watched) {
    this.watched = watched;
  }

  clear(): void {
    for (const set of [this.readCells, this.readSlots, this.writtenCells, this.writtenSlots]) set.clear();
  }

  get isEmpty(): boolean {
    return this.readCells.size + this.readSlots.size + this.writtenCells.size + this.writtenSlots.size === 0;
  }

  reads(cell: number): void {
    if (this.watched.cells.has(cell)) this.readCells.add(cell);
  }

  readsRange(first: number, count: number): void {
    for (let cell = first; cell < first + count; cell++) this.reads(cell);
  }

  writes(cell: number): void {
    if (this.watched.cells.has(cell)) this.writtenCells.add(cell);
  }

  readsSlot(slot: number): void {
    if (this.watched.slots.has(slot)) this.readSlots.add(slot);
  }

  writesSlot(slot: number): void {
    if (this.watched.slots.has(slot)) this.writtenSlots.add(slot);
  }
}

/** The methods of a store that is traced. `load` and `differing` are not: they take all of an LP's registers at once, whichever of them are used. */
class TracedStore extends Store {
  declare trace: AccessTrace;

  override read(cell: number): number {
    this.trace.reads(cell);
    return super.read(cell);
  }

  override write(cell: number, value: number): void {
    this.trace.writes(cell);
    super.write(cell, value);
  }

  override poke(cell: number, value: number): void {
    this.trace.writes(cell);
    super.poke(cell, value);
  }

  override readNumber(cell: number): number {
    this.trace.reads(cell);
    this.trace.reads(cell + 1);
    return super.readNumber(cell);
  }

  override save(cell: number, source: Readonly<Uint32Array>): void {
    for (let i = 0; i < source.length; i++) this.trace.writes(cell + i);
    super.save(cell, source);
  }

  override view(cell: number, count: number): Readonly<Uint32Array> {
    this.trace.readsRange(cell, count);
    return super.view(cell, count);
  }

  override fillBlock(block: number, even: number, odd: number): void {
    for (let cell = block; cell < block + BLOCK_WORDS; cell++) this.trace.writes(cell);
    super.fillBlock(block, even, odd);
  }

  override copyBlock(from: number, to: number): void {
    this.trace.readsRange(from, BLOCK_WORDS);
    for (let cell = to; cell < to + BLOCK_WORDS; cell++) this.trace.writes(cell);
    super.copyBlock(from, to);
  }

  override readValue(slot: number): unknown {
    this.trace.readsSlot(slot);
    return super.readValue(slot);
  }

  override writeValue(slot: number, value: unknown): void {
    this.trace.writesSlot(slot);
    super.writeValue(slot, value);
  }
}

/** Notes in `trace` what is done while `run` runs; whatever traced the store before goes on behind it. */
export function tracing<T>(store: Store, trace: AccessTrace, run: () => T): T {
  const before = store instanceof TracedStore ? store.trace : undefined;
  traceAccesses(store, trace);
  try {
    return run();
  } finally {
    traceAccesses(store, before);
  }
}

/** From now on what is done to the store is noted in `trace`; undefined: no longer. */
export function traceAccesses(store: Store, trace: AccessTrace | undefined): void {
  if (trace === undefined) {
    if (store instanceof TracedStore) Object.setPrototypeOf(store, Store.prototype);
    return;
  }
  Object.setPrototypeOf(store, TracedStore.prototype);
  (store as TracedStore).trace = trace;
}
