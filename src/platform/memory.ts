/**
 * Physical memory, addressed without KeyID bits. A page gets a block of the store when something other than zero is
 * first written to it; a page without a block reads as zeros, as freshly powered memory does here.
 */
import { highHalf, lowHalf } from "../arch/u64.ts";
import { BLOCK_WORDS, type Store } from "../state/store.ts";

const PAGE_BYTES = 4096;
const GIB = 2 ** 30;
/** Memory that one table of the page directory covers: 32 MiB, so that a table takes 32 KiB. */
const REGION_SHIFT = 25;
const REGION = 2 ** REGION_SHIFT;
const IN_GIB = GIB - 1;
const IN_REGION = REGION - 1;
const REGIONS_PER_GIB = GIB / REGION;
const PAGES_PER_REGION = REGION / PAGE_BYTES;
/** In the page directory: no block. Cell 0 belongs to the platform's own block, never to a page. */
const ABSENT = 0;

export class Memory {
  private readonly store: Store;
  /** By GiB and region: first cell of each page's block, by page number in the region. A cache of what the store has, so not state. */
  private readonly directory: ((Uint32Array | undefined)[] | undefined)[] = [];

  constructor(store: Store) {
    this.store = store;
  }

  /** The cell of the 4-byte word at `hpa`, or 0 if its page has no block. `hpa` is in bytes, a multiple of 4. */
  peek(hpa: number): number {
    const pages = this.directory[(hpa / GIB) | 0]?.[(hpa & IN_GIB) >>> REGION_SHIFT];
    if (pages === undefined) return ABSENT;
    const base = pages[(hpa & IN_REGION) >>> 12] as number;
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
      const inPage = at % PAGE_BYTES;
      const count = Math.min(PAGE_BYTES - inPage, length - i);
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
    if (byte === 0 && hpa % PAGE_BYTES === 0 && length % PAGE_BYTES === 0) {
      for (let at = hpa; at < hpa + length; at += PAGE_BYTES) this.zeroPage(at);
      return;
    }
    const page = new Uint8Array(PAGE_BYTES).fill(byte);
    for (let i = 0; i < length; i += PAGE_BYTES) {
      this.writeBytes(hpa + i, page.subarray(0, Math.min(PAGE_BYTES, length - i)));
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
    for (const [gib, regions] of this.directory.entries()) {
      for (const [region, pages] of regions?.entries() ?? []) {
        const start = gib * GIB + region * REGION;
        for (let i = 0; i < (pages?.length ?? 0); i++) if (pages?.[i] !== ABSENT) yield start + i * PAGE_BYTES;
      }
    }
  }

  /** The HPA of a word of memory, from its cell; undefined if the cell is not one of memory. */
  hpaOf(cell: number): number | undefined {
    const tag = this.store.tagOf(cell);
    return tag < 2 ** 40 ? tag * PAGE_BYTES + (cell % BLOCK_WORDS) * 4 : undefined;
  }

  private allocate(hpa: number): number {
    const gib = (hpa / GIB) | 0;
    const regions = this.directory[gib] ?? new Array<undefined>(REGIONS_PER_GIB).fill(undefined);
    this.directory[gib] = regions;
    const region = (hpa & IN_GIB) >>> REGION_SHIFT;
    const pages = regions[region] ?? new Uint32Array(PAGES_PER_REGION);
    regions[region] = pages;
    const base = this.store.allocate(Math.floor(hpa / PAGE_BYTES));
    pages[(hpa & IN_REGION) >>> 12] = base;
    return base + ((hpa & 0xfff) >>> 2);
  }
}
