/**
 * Append-only logs in typed-array chunks: an append never moves what is already there, so a long run has no
 * pauses in which a log is copied, and the oldest chunks can be dropped to stay inside a memory budget.
 */

/** Entries per chunk. 2^13 pairs are 64 KiB: quickly there for a fresh machine, large enough that a chunk change is rare. */
const PAIRS_PER_CHUNK = 2 ** 13;
const PAIR_MASK = PAIRS_PER_CHUNK - 1;

/** A log of (u32, u32) pairs, addressed by position from 0; positions stay valid when older ones are dropped. */
export class PairLog {
  private readonly chunks: (Uint32Array | undefined)[] = [];
  /** Empty before the first entry: a store without history takes no room for it. */
  private current: Uint32Array = new Uint32Array(0);
  /** Index of the next free half-pair in `current`. */
  private at = 0;
  private chunkStart = 0;
  private firstChunk = 0;
  private spare: Uint32Array | undefined;

  get length(): number {
    return this.chunkStart + (this.at >>> 1);
  }

  /** Position of the oldest entry that is still there. */
  get oldest(): number {
    return this.firstChunk * PAIRS_PER_CHUNK;
  }

  get bytes(): number {
    return (this.chunks.length - this.firstChunk) * PAIRS_PER_CHUNK * 8;
  }

  push(first: number, second: number): void {
    if (this.at === this.current.length) this.open(Math.floor(this.length / PAIRS_PER_CHUNK));
    const at = this.at;
    this.current[at] = first;
    this.current[at + 1] = second;
    this.at = at + 2;
  }

  first(position: number): number {
    return (this.chunks[Math.floor(position / PAIRS_PER_CHUNK)] as Uint32Array)[(position & PAIR_MASK) << 1] as number;
  }

  second(position: number): number {
    return (this.chunks[Math.floor(position / PAIRS_PER_CHUNK)] as Uint32Array)[
      ((position & PAIR_MASK) << 1) + 1
    ] as number;
  }

  /** The pairs of the chunk that a position lies in, and the position of the first of them. */
  chunk(position: number): Readonly<Uint32Array> {
    return this.chunks[Math.floor(position / PAIRS_PER_CHUNK)] as Uint32Array;
  }

  firstOfChunk(position: number): number {
    return position - (position & PAIR_MASK);
  }

  /** Drops all entries from `length` on. */
  truncate(length: number): void {
    if (length === this.length) return;
    const chunk = Math.floor(length / PAIRS_PER_CHUNK);
    if (chunk * PAIRS_PER_CHUNK !== this.chunkStart) {
      this.spare = this.chunks[chunk + 1];
      this.chunks.length = chunk + 1;
      this.open(chunk);
    }
    this.at = (length & PAIR_MASK) << 1;
  }

  /** Drops whole chunks that lie before `position`. */
  forgetBefore(position: number): void {
    const keep = Math.min(Math.floor(position / PAIRS_PER_CHUNK), this.chunks.length - 1);
    for (; this.firstChunk < keep; this.firstChunk++) this.chunks[this.firstChunk] = undefined;
  }

  private open(chunk: number): void {
    let array = this.chunks[chunk];
    if (array === undefined) {
      array = this.spare ?? new Uint32Array(PAIRS_PER_CHUNK * 2);
      this.spare = undefined;
      this.chunks[chunk] = array;
    }
    this.current = array;
    this.chunkStart = chunk * PAIRS_PER_CHUNK;
    this.at = 0;
  }
}
