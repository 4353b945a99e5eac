/**
 * Under which KeyID each page of memory was last written, and what follows when somebody uses it under another. The bytes
 * themselves are in memory.ts, in one plain view; this says what a real access would have met.
 *
 * Rules (Intel TDX module base specification, "Memory integrity protection and access control"; what it leaves open is in
 * docs/assumptions.md)
 * - A write with a private KeyID makes the line the TD's: its TD-owner bit is set.
 * - A read with a shared KeyID of a line whose TD-owner bit is set gives zeros, and no poison: ciphertext is never shown.
 * - A write with a shared KeyID clears the bit. The private content is lost, and the next read with a private KeyID gets
 *   poison and a machine check.
 * - With the partial-write erratum, a write of less than a line to private memory with a shared KeyID poisons the line.
 * - A line stays dirty in the cache under the KeyID that wrote it until it is written back (WBINVD, CLFLUSH,
 *   TDH.PHYMEM.CACHE.WB, TDH.PHYMEM.PAGE.WBINVD). Using its page under another KeyID before that is a hazard.
 */
import { PAGE_SIZE } from "../arch/page.ts";
import { BLOCK_WORDS, type Store } from "../state/store.ts";
import { BLOCK_TAG_KEYED, BLOCK_TAG_LOST } from "./blocks.ts";
import { HAZARD_DIRTY_LINE, HAZARD_MACHINE_CHECK, HAZARD_PRIVATE_OVERWRITTEN, type Hazards } from "./hazards.ts";

const LINE_BYTES = 64;

/**
 * One word a page: bits 11:0 the KeyID, 23:12 the KeyID of dirty lines plus 1, 31:24 the package whose cache has them. Four more
 * words only for private pages of which the host has written lines, a bit for each line: two of lines whose private content is
 * lost, two of those among them that the host has written as a whole. Such pages are rare, and a TD has millions of pages.
 */
const KEY_PAGES_PER_BLOCK = BLOCK_WORDS;
const LOST_WORDS = 4;
const LOST_PAGES_PER_BLOCK = BLOCK_WORDS / LOST_WORDS;
/** The second bit map of a record: lines that the host has written as a whole. */
const HOST_LINES = 2;
const ALL_LINES = 0xffff_ffff;
const KEY_MASK = 0xfff;
const DIRTY_SHIFT = 12;
const PACKAGE_SHIFT = 24;

export class KeyedMemory {
  private readonly store: Store;
  private readonly hazards: Hazards;
  private readonly privateStart: number;
  /** First cell of each block of key words, and of lost lines, by number of the group of pages; a cache of what the store has. */
  private readonly keyBlocks = new Map<number, number>();
  private readonly lostBlocks = new Map<number, number>();

  constructor(store: Store, hazards: Hazards, privateStart: number) {
    this.store = store;
    this.hazards = hazards;
    this.privateStart = privateStart;
  }

  /** KeyID under which the page at `hpa` was last written; 0 if it never was. */
  keyOf(hpa: number): number {
    return this.keys(hpa) & KEY_MASK;
  }

  /** KeyID under which the page has dirty lines in a cache, or undefined. */
  dirtyKeyOf(hpa: number): number | undefined {
    const dirty = (this.keys(hpa) >>> DIRTY_SHIFT) & KEY_MASK;
    return dirty === 0 ? undefined : dirty - 1;
  }

  /** An LP of package `pkg` writes the whole page with `hkid`, as the module does before it uses a page. Lost lines are good again. */
  writePage(hpa: number, hkid: number, pkg: number): void {
    this.checkDirty(hpa, hkid);
    this.setKeys(hpa, hkid, pkg);
    const lost = this.lostCell(hpa);
    if (lost >= 0) this.clearLost(lost);
  }

  /**
   * Some bytes of the page are written with a shared KeyID. Memory that was never private stays as it is: nothing is recorded.
   * `poisons`: the platform has the partial-write erratum and the write is smaller than a line. Once every line has been written
   * as a whole, the page is the host's.
   */
  writeShared(hpa: number, length: number, hkid: number, pkg: number, poisons: boolean): void {
    const keys = this.keys(hpa);
    if (keys === 0) return;
    const own = keys & KEY_MASK;
    this.checkDirty(hpa, hkid);
    if (own < this.privateStart) {
      this.setKeys(hpa, hkid, pkg);
      return;
    }
    this.hazards.add({ kind: HAZARD_PRIVATE_OVERWRITTEN, hpa, hkid, ownHkid: own });
    const lost = this.markLost(hpa, length, poisons);
    if (this.store.read(lost + HOST_LINES) === ALL_LINES && this.store.read(lost + HOST_LINES + 1) === ALL_LINES) {
      this.setKeys(hpa, hkid, pkg);
      this.clearLost(lost);
    }
  }

  /**
   * Some bytes of the page are read with `hkid`. Returns what the reader meets: "data", "zeros" (private memory read with a
   * shared KeyID) or "poison" (the TD's own content was lost, or the key is another's): a machine check.
   */
  meets(hpa: number, length: number, hkid: number): "data" | "zeros" | "poison" {
    const met = this.wouldMeet(hpa, length, hkid);
    if (met === "poison") this.hazards.add({ kind: HAZARD_MACHINE_CHECK, hpa, hkid, ownHkid: this.keyOf(hpa) });
    return met;
  }

  /** As `meets`, for an onlooker. */
  wouldMeet(hpa: number, length: number, hkid: number): "data" | "zeros" | "poison" {
    const own = this.keyOf(hpa);
    if (hkid < this.privateStart) {
      return own < this.privateStart || this.allLines(hpa, length, HOST_LINES) ? "data" : "zeros";
    }
    return own === hkid && !this.anyLost(hpa, length) ? "data" : "poison";
  }

  /** Lines of the page are written back, or dropped when they are clean. */
  flushPage(hpa: number): void {
    const cell = this.keyCell(hpa);
    if (cell >= 0) this.store.write(cell, this.store.read(cell) & KEY_MASK);
  }

  /** The caches of a package are written back: WBINVD, or TDH.PHYMEM.CACHE.WB to its end. */
  flushPackage(pkg: number): void {
    for (const block of this.keyBlocks.values()) {
      for (let cell = block; cell < block + BLOCK_WORDS; cell++) {
        const keys = this.store.read(cell);
        if (keys >>> PACKAGE_SHIFT === pkg) this.store.write(cell, keys & KEY_MASK);
      }
    }
  }

  private checkDirty(hpa: number, hkid: number): void {
    const dirty = this.dirtyKeyOf(hpa);
    if (dirty !== undefined && dirty !== hkid) this.hazards.add({ kind: HAZARD_DIRTY_LINE, hpa, hkid, ownHkid: dirty });
  }

  private keys(hpa: number): number {
    const cell = this.keyCell(hpa);
    return cell < 0 ? 0 : this.store.read(cell);
  }

  /** The page was written with `hkid`, and its lines are dirty in the cache. */
  private setKeys(hpa: number, hkid: number, pkg: number): void {
    let cell = this.keyCell(hpa);
    if (cell < 0) {
      const group = Math.floor(hpa / (PAGE_SIZE * KEY_PAGES_PER_BLOCK));
      this.keyBlocks.set(group, this.store.allocate(BLOCK_TAG_KEYED + group));
      cell = this.keyCell(hpa);
    }
    this.store.write(cell, hkid | ((hkid + 1) << DIRTY_SHIFT) | (pkg << PACKAGE_SHIFT));
  }

  private clearLost(cell: number): void {
    for (let i = 0; i < LOST_WORDS; i++) this.store.write(cell + i, 0);
  }

  /** Notes which lines a write of the host's touched, and which of them as a whole. Returns the page's record. */
  private markLost(hpa: number, length: number, poisons: boolean): number {
    let cell = this.lostCell(hpa);
    if (cell < 0) {
      const group = Math.floor(hpa / (PAGE_SIZE * LOST_PAGES_PER_BLOCK));
      this.lostBlocks.set(group, this.store.allocate(BLOCK_TAG_LOST + group));
      cell = this.lostCell(hpa);
    }
    const end = (hpa % PAGE_SIZE) + length;
    for (const line of linesOf(hpa, length)) {
      const word = cell + (line >>> 5);
      const bit = 1 << (line & 31);
      this.store.write(word, this.store.read(word) | bit);
      const whole = line * LINE_BYTES >= hpa % PAGE_SIZE && (line + 1) * LINE_BYTES <= end;
      const host = this.store.read(word + HOST_LINES);
      this.store.write(word + HOST_LINES, whole && !poisons ? host | bit : host & ~bit);
    }
    return cell;
  }

  private allLines(hpa: number, length: number, map: number): boolean {
    const cell = this.lostCell(hpa);
    if (cell < 0) return false;
    return linesOf(hpa, length).every(
      (line) => ((this.store.read(cell + map + (line >>> 5)) >>> (line & 31)) & 1) !== 0,
    );
  }

  private anyLost(hpa: number, length: number): boolean {
    const cell = this.lostCell(hpa);
    return (
      cell >= 0 &&
      linesOf(hpa, length).some((line) => ((this.store.read(cell + (line >>> 5)) >>> (line & 31)) & 1) !== 0)
    );
  }

  private keyCell(hpa: number): number {
    const page = Math.floor(hpa / PAGE_SIZE);
    const block = this.keyBlocks.get(Math.floor(page / KEY_PAGES_PER_BLOCK));
    return block === undefined ? -1 : block + (page % KEY_PAGES_PER_BLOCK);
  }

  private lostCell(hpa: number): number {
    const page = Math.floor(hpa / PAGE_SIZE);
    const block = this.lostBlocks.get(Math.floor(page / LOST_PAGES_PER_BLOCK));
    return block === undefined ? -1 : block + (page % LOST_PAGES_PER_BLOCK) * LOST_WORDS;
  }
}

/** Numbers in their page of the lines that `length` bytes from `hpa` on touch; the range is cut at the end of the page. */
function linesOf(hpa: number, length: number): number[] {
  const first = Math.floor((hpa % PAGE_SIZE) / LINE_BYTES);
  const last = Math.min(63, Math.floor(((hpa % PAGE_SIZE) + Math.max(length, 1) - 1) / LINE_BYTES));
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
