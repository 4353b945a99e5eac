/**
 * The one store of a session: every cell whose value matters to a run lives here, and every write to it goes through
 * `write` or `writeValue`, which append the old value to the journal. A step is a mark in the journal.
 *
 * Rules
 * - A cell of a fresh block is zero (a fresh value slot is undefined). Allocation is not state: after an undo a block
 *   stays allocated with its zeros, so a state does not depend on how it was reached.
 * - A write that changes nothing appends nothing.
 * - `poke` bypasses the journal. Only for cells that hold the same value again when the step ends (a lock that is taken
 *   and released inside one step): otherwise undo would not restore them.
 */
import { highHalf, lowHalf, toBig } from "../arch/u64.ts";
import { hashBlock, hashValue, mix } from "./hash.ts";
import { type Change, Journal } from "./journal.ts";

export type { Change };

/** Words per block: one 4 KiB page. */
export const BLOCK_WORDS = 1024;

/** Words that a new store has room for: 1 MiB. */
const FIRST_ROOM = 1 << 18;

export interface StoreOptions {
  /** Bytes that history may take; the oldest steps are forgotten past it. Default 512 MiB. */
  readonly historyBudget?: number;
  /** False: no history at all. */
  readonly recording?: boolean;
}

export class Store {
  recording: boolean;

  /** One array, which doubles when it is full: a cell's number is its index, and an access costs one look-up. */
  private cells = new Uint32Array(FIRST_ROOM);
  private blocks = 0;
  /** Logical identity of each block (an owner's tag and its number in that owner), independent of the order of allocation. */
  private readonly blockTags: number[] = [];

  private readonly values: unknown[] = [];
  private valueCount = 0;
  /** Logical identity of slots that were given out together, as of blocks. */
  private readonly valueRanges: { readonly first: number; readonly tag: number }[] = [];

  private readonly journal = new Journal();
  private readonly budget: number;
  private readonly restore = (cell: number, old: number): void => {
    this.cells[cell] = old;
  };

  constructor(options: StoreOptions = {}) {
    this.recording = options.recording ?? true;
    this.budget = options.historyBudget ?? 512 * 1024 * 1024;
  }

  // ---- words ----

  /**
   * A new block of 1024 zero words. `tag` names it independently of the order of allocation and must be unique, below 2^53.
   * Returns the number of its first cell.
   */
  allocate(tag: number): number {
    const base = this.blocks * BLOCK_WORDS;
    if (base === this.cells.length) {
      const cells = new Uint32Array(2 * base);
      cells.set(this.cells);
      this.cells = cells;
    }
    this.blockTags.push(tag);
    this.blocks++;
    return base;
  }

  read(cell: number): number {
    return this.cells[cell] as number;
  }

  write(cell: number, value: number): void {
    const { cells } = this;
    const old = cells[cell] as number;
    if (old === value >>> 0) return;
    cells[cell] = value;
    if (this.recording) this.journal.word(cell, old);
  }

  /** A write that leaves no trace in the journal; see the rule at the top. */
  poke(cell: number, value: number): void {
    this.cells[cell] = value;
  }

  /** Words `cell` and `cell + 1` as one unsigned number; exact below 2^53. */
  readNumber(cell: number): number {
    const { cells } = this;
    return (cells[cell + 1] as number) * 0x1_0000_0000 + (cells[cell] as number);
  }

  /** Writes a number below 2^53 to words `cell` (low half) and `cell + 1`. */
  writeNumber(cell: number, value: number): void {
    this.write(cell, value >>> 0); // the low 32 bits, of any integer below 2^53
    this.write(cell + 1, (value / 0x1_0000_0000) | 0);
  }

  readBig(cell: number): bigint {
    return toBig(this.read(cell), this.read(cell + 1));
  }

  writeBig(cell: number, value: bigint): void {
    this.write(cell, lowHalf(value));
    this.write(cell + 1, highHalf(value));
  }

  /** Copies as many words as `target` has, from `cell` on: an LP's registers, whichever of them are used. */
  load(cell: number, target: Uint32Array): void {
    const { cells } = this;
    for (let i = 0; i < target.length; i++) target[i] = cells[cell + i] as number;
  }

  /** Which of the words from `cell` on differ from `words`, of which there are 32 at most: a bit for each. */
  differing(cell: number, words: Readonly<Uint32Array>): number {
    const { cells } = this;
    let bits = 0;
    for (let i = 0; i < words.length; i++) if (cells[cell + i] !== words[i]) bits |= 1 << i;
    return bits;
  }

  /** Writes as many words as `source` has, 32 at most, from `cell` on. Those that differ are few, as a rule, and found in a loop that does nothing else. */
  save(cell: number, source: Readonly<Uint32Array>): void {
    for (let bits = this.differing(cell, source); bits !== 0; bits &= bits - 1) {
      const i = 31 - Math.clz32(bits & -bits); // the lowest
      this.write(cell + i, source[i] as number);
    }
  }

  /**
   * A view of `count` words from `cell` on, up to date until the next block is allocated. For reading only: a write to it would
   * escape the journal.
   */
  view(cell: number, count: number): Readonly<Uint32Array> {
    return this.cells.subarray(cell, cell + count);
  }

  /** The tag of the block that `cell` lies in. */
  tagOf(cell: number): number {
    return this.blockTags[Math.floor(cell / BLOCK_WORDS)] as number;
  }

  // ---- whole blocks ----

  /** Writes all words of a block, two by two: `even` to the first, `odd` to the second, and so on. */
  fillBlock(block: number, even: number, odd: number): void {
    const end = block + BLOCK_WORDS;
    if (this.recording) {
      for (let cell = block; cell < end; cell += 2) {
        this.write(cell, even);
        this.write(cell + 1, odd);
      }
    } else {
      const { cells } = this;
      cells.fill(even, block, end);
      if (odd !== even) for (let cell = block + 1; cell < end; cell += 2) cells[cell] = odd;
    }
  }

  /** Copies all words of a block to another. */
  copyBlock(from: number, to: number): void {
    if (!this.recording) this.cells.copyWithin(to, from, from + BLOCK_WORDS);
    else for (let i = 0; i < BLOCK_WORDS; i++) this.write(to + i, this.read(from + i));
  }

  // ---- values ----

  /**
   * `count` new slots, undefined until written. `tag` names them independently of the order of allocation, as that of a block does; it
   * is below 2^32 and can be left out for slots that every run takes first. Returns the number of the first.
   */
  allocateValues(count: number, tag?: number): number {
    const first = this.valueCount;
    this.valueRanges.push({ first, tag: tag ?? first });
    this.valueCount += count;
    for (let i = this.values.length; i < this.valueCount; i++) this.values.push(undefined);
    return first;
  }

  readValue(slot: number): unknown {
    return this.values[slot];
  }

  /** `value` must never be changed afterwards: the journal keeps it, not a copy. */
  writeValue(slot: number, value: unknown): void {
    const old = this.values[slot];
    if (Object.is(old, value)) return;
    this.values[slot] = value;
    if (this.recording) this.journal.value(slot, old);
  }

  /** `writeValue` without a trace in the journal; see the rule at the top. */
  pokeValue(slot: number, value: unknown): void {
    this.values[slot] = value;
  }

  // ---- time ----

  /** Steps done so far. */
  get now(): number {
    return this.journal.now;
  }

  /** The earliest mark that `undo` can go back to. */
  get oldest(): number {
    return this.recording ? this.journal.oldest : this.now;
  }

  /** Bytes that history takes at present. */
  get historyBytes(): number {
    return this.journal.bytes;
  }

  /** Ends the current step and returns the number of the mark at its end. `note`, below 2^24, stays with it: for an index of steps. */
  mark(note = 0): number {
    this.journal.mark(note);
    if ((this.now & 0xfff) === 0 && this.historyBytes > this.budget) {
      const { oldest } = this.journal;
      this.journal.forget(oldest + ((this.now - oldest) >>> 1)); // the older half
    }
    return this.now;
  }

  /** The note of a mark. */
  noteAt(mark: number): number {
    return this.journal.noteAt(mark);
  }

  /** Makes one step of all that came after `mark`. */
  join(mark: number): void {
    this.journal.dropMarks(mark);
    this.mark();
  }

  /** Goes back to the state at `mark`; everything after it is gone. Throws a RangeError if that mark is not in history. */
  undo(mark: number): void {
    if (mark < this.oldest || mark > this.now) {
      throw new RangeError(`step ${mark} is not in history (${this.oldest} to ${this.now})`);
    }
    this.journal.undo(mark, this.restore, this.values);
  }

  /** The journal's entries after `mark` up to `end` (default: now, with the open step), oldest first. */
  changes(mark: number, end?: number): Generator<Change> {
    return this.journal.changes(mark, end);
  }

  /** The cells (words) that were written after `mark`. */
  changedSince(mark: number): Set<number> {
    const cells = new Set<number>();
    if (mark < this.oldest) return cells;
    for (const change of this.changes(mark)) if ("cell" in change) cells.add(change.cell);
    return cells;
  }

  /** The value slots that were written after `mark`. */
  slotsChangedSince(mark: number): Set<number> {
    const slots = new Set<number>();
    if (mark < this.oldest) return slots;
    for (const change of this.changes(mark)) if ("slot" in change) slots.add(change.slot);
    return slots;
  }

  /** The number of the step (counted from 1) that wrote `cell` last, or undefined if none in history did. */
  lastWriter(cell: number): number | undefined {
    return this.journal.lastWriter(cell);
  }

  /** As `lastWriter`, for a value slot. */
  lastValueWriter(slot: number): number | undefined {
    return this.journal.lastValueWriter(slot);
  }

  /** A hash of the whole state: equal states give equal hashes, however they were reached. */
  hash(): string {
    let a = 0;
    let b = 0;
    for (let block = 0; block < this.blocks; block++) {
      const words = this.view(block * BLOCK_WORDS, BLOCK_WORDS);
      const h = hashBlock(words, this.blockTags[block] as number);
      a = (a + (h[0] as number)) >>> 0; // a sum, so that the order of allocation does not matter
      b = (b + (h[1] as number)) >>> 0;
    }
    for (const [index, { first, tag }] of this.valueRanges.entries()) {
      const end = this.valueRanges[index + 1]?.first ?? this.valueCount;
      for (let slot = first; slot < end; slot++) {
        const value = this.values[slot];
        if (value === undefined) continue;
        const h = hashValue(value);
        const place = mix(tag, slot - first);
        a = (a + mix(h, place)) >>> 0;
        b = (b + mix(place, h)) >>> 0;
      }
    }
    return a.toString(16).padStart(8, "0") + b.toString(16).padStart(8, "0");
  }
}
