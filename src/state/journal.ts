/**
 * What each cell held before it was written, in the order of the writes, and the marks between the steps. An entry is a pair of
 * words: the number of a word's cell or of a value slot, and the old content. A value that is no 32-bit number lies beside the log.
 */
import { PairLog } from "./log.ts";

// The first word of an entry: the number of a cell, or that of a slot with one of these.
/** The old value is an integer below 2^32: the second word. */
const SLOT_OF_NUMBER = 0x8000_0000;
/** The old value is undefined. */
const SLOT_OF_NOTHING = 0xa000_0000;
/** The old value lies in `olds`; the second word is its position there. */
const SLOT_OF_VALUE = 0xc000_0000;
const SLOT_MASK = 0x1fff_ffff;

/** Bytes of an old value beside the log: an array element, and what is in it may be boxed. */
const OLD_BYTES = 24;

/** Entries that are looked through for the first old value that is still needed. */
const SEARCHED = 2 ** 20;

const TWO_32 = 2 ** 32;
/** Bits of a note; above them a mark has the high bits of its position. */
const NOTE_BITS = 24;
const NOTE_MASK = 2 ** NOTE_BITS - 1;

/** One entry: a word (`cell`) or a value slot (`slot`) and what it held before. */
export type Change = { readonly cell: number; readonly old: number } | { readonly slot: number; readonly old: unknown };

export class Journal {
  /** The earliest mark that can be gone back to. */
  oldest = 0;
  private readonly entries = new PairLog();
  private readonly olds: unknown[] = [];
  /** Position of the first of `olds`, below 2^32: the front is cut off when history is forgotten. */
  private oldsBase = 0;
  /** Mark n is at the number of entries that were there when n steps were done. */
  private readonly marks = new PairLog();

  constructor() {
    this.mark(0);
  }

  /** Steps done so far. */
  get now(): number {
    return this.marks.length - 1;
  }

  get bytes(): number {
    return this.entries.bytes + this.marks.bytes + this.olds.length * OLD_BYTES;
  }

  word(cell: number, old: number): void {
    this.entries.push(cell, old);
  }

  value(slot: number, old: unknown): void {
    // -0 comes back as 0: the language has unsigned integers only.
    if (typeof old === "number" && old >>> 0 === old) this.entries.push(SLOT_OF_NUMBER | slot, old);
    else if (old === undefined) this.entries.push(SLOT_OF_NOTHING | slot, 0);
    else {
      this.entries.push(SLOT_OF_VALUE | slot, this.oldsBase + this.olds.length);
      this.olds.push(old);
    }
  }

  /** Ends a step. `note` stays with the mark: below 2^24. */
  mark(note: number): void {
    const { length } = this.entries;
    this.marks.push(length, length < TWO_32 ? note : Math.floor(length / TWO_32) * (NOTE_MASK + 1) + note);
  }

  noteAt(mark: number): number {
    return this.marks.second(mark) & NOTE_MASK;
  }

  /** Takes the marks after `mark` away, and leaves the entries. */
  dropMarks(mark: number): void {
    this.marks.truncate(mark + 1);
  }

  /** Puts back what words (by `restore`) and value slots held at `mark`; what came after it is gone. */
  undo(mark: number, restore: (cell: number, old: number) => void, values: unknown[]): void {
    const { entries, olds } = this;
    const end = this.position(mark);
    for (let left = entries.length; left > end; ) {
      const pairs = entries.chunk(left - 1);
      const first = entries.firstOfChunk(left - 1);
      const last = Math.max(first, end);
      for (; left > last; left--) {
        const at = (left - 1 - first) * 2;
        const place = pairs[at] as number;
        if (place < SLOT_OF_NUMBER) restore(place, pairs[at + 1] as number);
        else if (place < SLOT_OF_NOTHING) values[place & SLOT_MASK] = pairs[at + 1];
        else values[place & SLOT_MASK] = place < SLOT_OF_VALUE ? undefined : olds.pop();
      }
    }
    entries.truncate(end);
    this.dropMarks(mark);
  }

  /** The entries after `mark` up to `end` (undefined: to the last one), oldest first. */
  *changes(mark: number, end: number | undefined): Generator<Change> {
    const last = end === undefined ? this.entries.length : this.position(end);
    for (let at = this.position(mark); at < last; at++) {
      const place = this.entries.first(at);
      if (place < SLOT_OF_NUMBER) yield { cell: place, old: this.entries.second(at) };
      else yield { slot: place & SLOT_MASK, old: this.oldValue(place, at) };
    }
  }

  /** The number of the step (counted from 1) that wrote a word last, or undefined if none in history did. */
  lastWriter(cell: number): number | undefined {
    for (let at = this.entries.length - 1; at >= this.position(this.oldest); at--) {
      if (this.entries.first(at) === cell) return this.stepAt(at);
    }
    return undefined;
  }

  /** As `lastWriter`, for a value slot. */
  lastValueWriter(slot: number): number | undefined {
    for (let at = this.entries.length - 1; at >= this.position(this.oldest); at--) {
      const place = this.entries.first(at);
      if (place >= SLOT_OF_NUMBER && (place & SLOT_MASK) === slot) return this.stepAt(at);
    }
    return undefined;
  }

  /** Forgets the steps before `keep`. */
  forget(keep: number): void {
    this.oldest = keep;
    const start = this.position(keep);
    const searched = Math.min(this.entries.length, start + SEARCHED);
    for (let at = start; at < searched && this.olds.length > 0; at++) {
      if (this.entries.first(at) < SLOT_OF_VALUE) continue;
      const dropped = this.indexOfOld(at);
      this.olds.splice(0, dropped);
      this.oldsBase = (this.oldsBase + dropped) % TWO_32;
      break;
    }
    this.entries.forgetBefore(start);
    this.marks.forgetBefore(keep);
  }

  private oldValue(place: number, at: number): unknown {
    if (place >= SLOT_OF_VALUE) return this.olds[this.indexOfOld(at)];
    return place < SLOT_OF_NOTHING ? this.entries.second(at) : undefined;
  }

  private indexOfOld(at: number): number {
    return (this.entries.second(at) - this.oldsBase) >>> 0;
  }

  private position(mark: number): number {
    return (this.marks.second(mark) >>> NOTE_BITS) * TWO_32 + this.marks.first(mark);
  }

  /** The first step whose mark lies after an entry, by bisection over the marks. */
  private stepAt(at: number): number {
    let low = this.oldest;
    let high = this.now + 1; // the open step
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.position(middle) > at) high = middle;
      else low = middle;
    }
    return high;
  }
}
