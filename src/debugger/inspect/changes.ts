/** Which cells differ between an earlier mark and now: what "changed since the last stop" means. */

import { firstIndex } from "../../language/bisect.ts";
import type { Store } from "../../state/store.ts";
import type { Undone } from "../undone.ts";
import type { CellRange } from "./item.ts";

/** Past this many journal entries a comparison costs more than the mark is worth, and nothing counts as changed. */
const MAX_ENTRIES = 200_000;

export class Changes {
  /** Cells whose value differs, ascending. */
  readonly cells: readonly number[];
  /** Value slots that differ. */
  readonly slots: ReadonlySet<number>;

  /** @param undone what cells and slots held at the earlier moment, where that is known already */
  constructor(store: Store, since: number, undone: Undone) {
    const before = new Map(undone.cells);
    const slots = new Map(undone.slots);
    let entries = 0;
    if (since >= store.oldest && since <= store.now) {
      for (const change of store.changes(since)) {
        if (++entries > MAX_ENTRIES) {
          before.clear();
          slots.clear();
          break;
        }
        if ("cell" in change) {
          if (!before.has(change.cell)) before.set(change.cell, change.old);
        } else if (!slots.has(change.slot)) slots.set(change.slot, change.old);
      }
    }
    // A lock that was taken and released again, or a counter that came back, is no change to look at.
    this.cells = [...before].filter(([cell, old]) => store.read(cell) !== old).map(([cell]) => cell);
    (this.cells as number[]).sort((a, b) => a - b);
    this.slots = new Set([...slots].filter(([slot, old]) => !Object.is(store.readValue(slot), old)).map(([s]) => s));
  }

  /** Whether any cell of a range differs. */
  inRange([first, count]: CellRange): boolean {
    const cell = this.cells[firstIndex(this.cells.length, (index) => (this.cells[index] as number) >= first)];
    return cell !== undefined && cell < first + count;
  }

  inAny(ranges: readonly CellRange[]): boolean {
    return this.cells.length > 0 && ranges.some((range) => this.inRange(range));
  }
}
