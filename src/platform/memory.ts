/**
 * Physical memory, addressed without KeyID bits. A page gets a block of the store when something other than zero is
 * first written to it; a page without a block reads as zeros, as freshly powered memory does here.
 */
import { PAGE_SIZE } from "../arch/page.ts";
import { highHalf, lowHalf } from "../arch/u64.ts";
import { BLOCK_WORDS, type Store } from "../state/store.ts";

/** Entries of a table of the page directory: 32 KiB. */
const TABLE_SHIFT = 13;
const TABLE_ENTRIES = 2 ** TABLE_SHIFT;
/** Memory that a table of the lowest level covers, 32 MiB, and one above it, 256 GiB. */
const REGION = PAGE_SIZE * TABLE_ENTRIES;
const SPAN = REGION * TABLE_ENTRIES;
const IN_REGION = REGION - 1;
const IN_TABLE = TABLE_ENTRIES - 1;
/** Spans of memory: addresses have 52 bits. */
const SPANS = 2 ** 52 / SPAN;
/** In the page directory: no block. Cell 0 belongs to the platform's own block, never to a page. */
const ABSENT = 0;

export class Memory {
  private readonly store: Store;
  // The page directory, a cache of what the store has, so not state: as page tables of three levels. An entry of the lowest is
  // the first cell of a page's block, one above it the number of a table. Table 0 has no entries: so no look-up has to ask
  // whether there is a table.
  private readonly spans = new Uint32Array(SPANS);
  private tables = new Uint32Array(4 * TABLE_ENTRIES);
  private tableCount = 1;

  constructor(store: Store) {
    this.store = store;
  }

  /** The cell of the 4-byte word at `hpa`, or 0 if its page has no block. `hpa` is in bytes, a multiple of 4. */
  peek(hpa: number): number {
    const { tables } = this;
    const regions = (this.spans[(hpa / SPAN) | 0] as number) << TABLE_SHIFT;
    const pages = (tables[regions + ((hpa / REGION) & IN_TABLE)] as number) << TABLE_SHIFT;
    const base = tables[pages + ((hpa & IN_REGION) >>> 12)] as number;
    return base === ABSENT ? ABSENT : base + ((hpa & 0xfff) >>> 2);
  }

  /** The cell of the word at `hpa`; gives its page a block if it has none. */
  cell(hpa: number): number {
    return this.peek(hpa) || this.allocate(hpa);
  }

  read32(hpa: number): number {
    const cell = this.peek(hpa);
    return cell === ABSENT ? 0 : this.store.read(cell);
  }

  write32(hpa: number, value: number): void {
    const cell = this.peek(hpa);
    if (cell !== ABSENT) this.store.write(cell, value);
    else if (value >>> 0 !== 0) this.store.write(this.allocate(hpa), value);
  }

  /** A 64-bit word as a number; exact below 2^53. */
  readNumber(hpa: number): number {
    const cell = this.peek(hpa);
    return cell === ABSENT ? 0 : this.store.readNumber(cell);
  }

  readBig(hpa: number): bigint {
    const cell = this.peek(hpa);
    return cell === ABSENT ? 0n : this.store.readBig(cell);
  }

  writeBig(hpa: number, value: bigint): void {
    this.write32(hpa, lowHalf(value));
    this.write32(hpa + 4, highHalf(value));
  }

  readBytes(hpa: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; ) {
      const at = hpa + i;
      const inPage = at % PAGE_SIZE;
      const count = Math.min(PAGE_SIZE - inPage, length - i);
      const page = this.peek(at - inPage);
      if (page !== ABSENT) {
        for (let j = 0; j < count; j++) {
          const byte = inPage + j;
          bytes[i + j] = this.store.read(page + (byte >>> 2)) >>> ((byte & 3) * 8);
        }
      }
      i += count;
    }
    return bytes;
  }

  writeBytes(hpa: number, bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; ) {
      const at = hpa + i;
      if ((at & 3) === 0 && i + 4 <= bytes.length) {
        const word =
          (bytes[i] as number) |
          ((bytes[i + 1] as number) << 8) |
          ((bytes[i + 2] as number) << 16) |
          ((bytes[i + 3] as number) << 24);
        this.write32(at, word);
        i += 4;
      } else {
        const shift = (at % 4) * 8;
        const word = this.read32(at - (at % 4));
        this.write32(at - (at % 4), (word & ~(0xff << shift)) | ((bytes[i] as number) << shift));
        i += 1;
      }
    }
  }

  fill(hpa: number, byte: number, length: number): void {
    if (byte === 0 && hpa % PAGE_SIZE === 0 && length % PAGE_SIZE === 0) {
      for (let at = hpa; at < hpa + length; at += PAGE_SIZE) this.zeroPage(at);
      return;
    }
    const page = new Uint8Array(PAGE_SIZE).fill(byte);
    for (let i = 0; i < length; i += PAGE_SIZE) {
      this.writeBytes(hpa + i, page.subarray(0, Math.min(PAGE_SIZE, length - i)));
    }
  }

  /** Zeroes the 4 KiB page at `hpa`. */
  zeroPage(hpa: number): void {
    const page = this.peek(hpa);
    if (page !== ABSENT) this.store.fillBlock(page, 0, 0);
  }

  /** Copies the 4 KiB page at `from` to `to`. */
  copyPage(from: number, to: number): void {
    const source = this.peek(from);
    if (source === ABSENT) this.zeroPage(to);
    else this.store.copyBlock(source, this.cell(to));
  }

  /** Page-aligned HPAs of all pages that have a block, in no particular order; a page may hold only zeros. */
  *residentPages(): Generator<number> {
    for (let span = 0; span < SPANS; span++) {
      for (const [region, pages] of this.entries(this.spans[span] as number)) {
        const start = span * SPAN + region * REGION;
        for (const [page] of this.entries(pages)) yield start + page * PAGE_SIZE;
      }
    }
  }

  /** The HPA of a word of memory, from its cell; undefined if the cell is not one of memory. */
  hpaOf(cell: number): number | undefined {
    const tag = this.store.tagOf(cell);
    return tag < 2 ** 40 ? tag * PAGE_SIZE + (cell % BLOCK_WORDS) * 4 : undefined;
  }

  private allocate(hpa: number): number {
    const span = (hpa / SPAN) | 0;
    if (!(span >= 0 && span < SPANS)) throw new RangeError(`no physical address has more than 52 bits: ${hpa}`);
    this.spans[span] ||= this.addTable();
    const region = ((this.spans[span] as number) << TABLE_SHIFT) + ((hpa / REGION) & IN_TABLE);
    const pages = this.tables[region] || this.addTable();
    this.tables[region] = pages;
    const base = this.store.allocate(Math.floor(hpa / PAGE_SIZE));
    this.tables[(pages << TABLE_SHIFT) + ((hpa & IN_REGION) >>> 12)] = base;
    return base + ((hpa & 0xfff) >>> 2);
  }

  /** Number of a new table of the page directory. */
  private addTable(): number {
    const number = this.tableCount++;
    if (this.tableCount << TABLE_SHIFT > this.tables.length) {
      const tables = new Uint32Array(2 * this.tables.length);
      tables.set(this.tables);
      this.tables = tables;
    }
    return number;
  }

  /** Index and content of each entry of a table that is not empty. */
  private *entries(table: number): Generator<[index: number, entry: number]> {
    if (table === 0) return;
    for (let i = 0; i < TABLE_ENTRIES; i++) {
      const entry = this.tables[(table << TABLE_SHIFT) + i] as number;
      if (entry !== 0) yield [i, entry];
    }
  }
}
