/** What cells held at the last stop, as far as it was taken back since: going back leaves no journal of what it changed. */
import type { Change, Store } from "../state/store.ts";

/** Past this many entries nobody looks at each change any more. */
const MAX_ENTRIES = 50_000;

export class Undone {
  /** What each cell and value slot held at the last stop, as far as it was taken back since. */
  readonly cells = new Map<number, number>();
  readonly slots = new Map<number, unknown>();
  private entries = 0;
  /** Up to this mark the journal is what it was at the last stop; what lies behind it was written since. */
  private shared = 0;

  /**
   * Called before the store goes back to a mark. A move may try a way and take it back, so part of what is undone may be
   * younger than the stop: such writes tell by their old values what the stop saw.
   */
  note(store: Store, mark: number): void {
    if (mark >= this.shared) return;
    if (this.entries > MAX_ENTRIES) {
      this.shared = mark;
      return;
    }
    for (const change of store.changes(this.shared)) this.keep(change, change.old);
    for (const change of store.changes(mark, this.shared)) {
      this.keep(change, "cell" in change ? store.read(change.cell) : store.readValue(change.slot));
    }
    this.shared = mark;
  }

  /** The session has stopped here: what comes is compared with this moment. */
  forget(mark: number): void {
    this.cells.clear();
    this.slots.clear();
    this.entries = 0;
    this.shared = mark;
  }

  private keep(change: Change, held: unknown): void {
    this.entries++;
    if ("cell" in change) {
      if (!this.cells.has(change.cell)) this.cells.set(change.cell, held as number);
    } else if (!this.slots.has(change.slot)) this.slots.set(change.slot, held);
  }
}
