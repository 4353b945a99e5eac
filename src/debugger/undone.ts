/** What cells held before they were taken back: going back leaves no journal of what it changed. */
import type { Store } from "../state/store.ts";

/** Past this many entries nobody looks at each change any more. */
const MAX_ENTRIES = 50_000;

export class Undone {
  /** What each cell and value slot held at the last stop, as far as it was taken back since. */
  readonly cells = new Map<number, number>();
  readonly slots = new Map<number, unknown>();
  private entries = 0;

  /** Called before the store goes back to a mark. */
  note(store: Store, mark: number): void {
    if (this.entries > MAX_ENTRIES || mark >= store.now) return;
    for (const change of store.changes(mark)) {
      if (++this.entries > MAX_ENTRIES) return;
      if ("cell" in change) {
        if (!this.cells.has(change.cell)) this.cells.set(change.cell, store.read(change.cell));
      } else if (!this.slots.has(change.slot)) this.slots.set(change.slot, store.readValue(change.slot));
    }
  }

  forget(): void {
    this.cells.clear();
    this.slots.clear();
    this.entries = 0;
  }
}
