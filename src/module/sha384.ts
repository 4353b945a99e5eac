/**
 * SHA-384 over whole 128-byte blocks, with its state in words of the store: an extension of a measurement can then be undone
 * like any other change. State: 16 words, high half of each 64-bit word first, then the number of blocks so far (2 words).
 */
import { _SHA384 } from "@noble/hashes/sha2.js";
import type { Store } from "../state/store.ts";

export const SHA384_BLOCK_BYTES = 128;
const DIGEST_WORDS = 12;
const STATE_WORDS = 16;
const BLOCKS = 16;

/** The library's compression function, with the chaining state taken from outside and given back. */
class Compression extends _SHA384 {
  load(store: Store, cell: number): void {
    const w = Array.from(store.view(cell, STATE_WORDS)) as Parameters<Compression["set"]>;
    this.set(...w);
  }

  save(store: Store, cell: number): void {
    const words = this.get();
    for (let i = 0; i < STATE_WORDS; i++) store.write(cell + i, words[i] as number);
  }

  compress(block: DataView, offset: number): void {
    this.process(block, offset);
  }

  /** The state as a digest: big-endian words, the last two 64-bit words left out. */
  digestBytes(): Uint8Array {
    const bytes = new DataView(new ArrayBuffer(DIGEST_WORDS * 4));
    const words = this.get();
    for (let i = 0; i < DIGEST_WORDS; i++) bytes.setUint32(i * 4, words[i] as number);
    return new Uint8Array(bytes.buffer);
  }
}

const engine = new Compression();

/** Starts a hash of nothing. */
export function sha384Start(store: Store, cell: number): void {
  new Compression().save(store, cell);
  store.writeNumber(cell + BLOCKS, 0);
}

/** Adds `count` blocks. */
export function sha384Blocks(store: Store, cell: number, blocks: DataView, count: number): void {
  engine.load(store, cell);
  for (let i = 0; i < count; i++) engine.compress(blocks, i * SHA384_BLOCK_BYTES);
  engine.save(store, cell);
  store.writeNumber(cell + BLOCKS, store.readNumber(cell + BLOCKS) + count);
}

/** The digest of the blocks so far, 48 bytes. The state stays as it is. */
export function sha384Digest(store: Store, cell: number): Uint8Array {
  const padding = new DataView(new ArrayBuffer(SHA384_BLOCK_BYTES));
  padding.setUint8(0, 0x80);
  const bits = BigInt(store.readNumber(cell + BLOCKS)) * BigInt(SHA384_BLOCK_BYTES * 8);
  padding.setBigUint64(SHA384_BLOCK_BYTES - 8, bits);
  engine.load(store, cell);
  engine.compress(padding, 0);
  return engine.digestBytes();
}
