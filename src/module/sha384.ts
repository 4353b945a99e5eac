/**
 * SHA-384 over whole 128-byte blocks, with its state in words of the store: an extension of a measurement can then be undone
 * like any other change. State: 16 words, low half of each 64-bit word first, then the number of blocks so far (2 words).
 */
import { _SHA384 } from "@noble/hashes/sha2.js";
import type { Store } from "../state/store.ts";
import { KERNEL_BLOCKS, type Sha512Kernel, sha384InitialState, wasmKernel } from "./sha512-wasm.ts";

/** 32-bit words of a block. */
export const SHA384_BLOCK_WORDS = 32;
const BLOCK_BYTES = SHA384_BLOCK_WORDS * 4;
const STATE_WORDS = 16;
const BLOCKS = 16;
const DIGEST_WORDS = 12;

/** The library's compression function as a kernel, for where there is no WebAssembly. */
class LibraryKernel extends _SHA384 implements Sha512Kernel {
  readonly state = new Uint32Array(STATE_WORDS);
  readonly input = new Uint32Array(KERNEL_BLOCKS * SHA384_BLOCK_WORDS);
  private readonly bytes = new DataView(this.input.buffer);

  run(blocks: number): void {
    this.set(...(swapHalves(this.state) as Parameters<LibraryKernel["set"]>));
    for (let i = 0; i < blocks; i++) this.process(this.bytes, i * BLOCK_BYTES);
    this.state.set(swapHalves(this.get()));
  }
}

/** The library has the high half of a 64-bit word first. */
function swapHalves(words: ArrayLike<number>): number[] {
  return Array.from(words, (_, i) => words[i ^ 1] as number);
}

/** The kernel in use; it holds nothing between two calls. */
let kernel: Sha512Kernel | undefined;

function theKernel(): Sha512Kernel {
  kernel ??= wasmKernel() ?? new LibraryKernel();
  return kernel;
}

/** Makes the library compute all hashes from now on, or (false) whatever is fastest: for tests of both. */
export function useLibrary(use: boolean): void {
  kernel = use ? new LibraryKernel() : undefined;
}

/** Starts a hash of nothing. */
export function sha384Start(store: Store, cell: number): void {
  for (const [i, word] of sha384InitialState.entries()) store.writeBig(cell + i * 2, word);
  store.writeNumber(cell + BLOCKS, 0);
}

/** Where the next blocks are to be put before `sha384Blocks`: words of the message as they lie in memory, four blocks at most. */
export function sha384Input(): Uint32Array {
  return theKernel().input;
}

/** Adds `count` blocks of the input. */
export function sha384Blocks(store: Store, cell: number, count: number): void {
  compress(store, cell, count);
  const { state } = theKernel();
  for (let i = 0; i < STATE_WORDS; i++) store.write(cell + i, state[i] as number);
  store.writeNumber(cell + BLOCKS, store.readNumber(cell + BLOCKS) + count);
}

/** The digest of the blocks so far, 48 bytes. The state stays as it is. */
export function sha384Digest(store: Store, cell: number): Uint8Array {
  const { input, state } = theKernel();
  const padding = new DataView(input.buffer, input.byteOffset, BLOCK_BYTES);
  input.fill(0, 0, SHA384_BLOCK_WORDS);
  padding.setUint8(0, 0x80);
  padding.setBigUint64(BLOCK_BYTES - 8, BigInt(store.readNumber(cell + BLOCKS)) * BigInt(BLOCK_BYTES * 8));
  compress(store, cell, 1);
  const digest = new DataView(new ArrayBuffer(DIGEST_WORDS * 4));
  for (let i = 0; i < DIGEST_WORDS; i++) digest.setUint32(i * 4, state[i ^ 1] as number);
  return new Uint8Array(digest.buffer);
}

function compress(store: Store, cell: number, count: number): void {
  const { state, run } = theKernel();
  for (let i = 0; i < STATE_WORDS; i++) state[i] = store.read(cell + i);
  run.call(kernel, count);
}
