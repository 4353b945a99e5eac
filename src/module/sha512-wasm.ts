/**
 * The SHA-512 compression function (FIPS 180-4) as WebAssembly, which has 64-bit integers: four times as fast as the best that
 * JavaScript does with halves, and measuring a TD's pages is little else. The code is assembled here, in 1.4 KB.
 */

/** Bytes of the memory: chaining state, round constants, message schedule, input. */
const STATE = 0;
const K = 64;
const W = K + 640;
const INPUT = 2048;
/** Blocks of 128 bytes that the input has room for. */
export const KERNEL_BLOCKS = 4;

/** The compression function with its state and input; both in 32-bit words, low half of a 64-bit word first. */
export interface Sha512Kernel {
  /** 16 words. */
  readonly state: Uint32Array;
  /** Bytes of the message as they come. */
  readonly input: Uint32Array;
  /** Compresses so many blocks of the input into the state. */
  run(blocks: number): void;
}

/** What is used of WebAssembly; its types are not those of every host that runs this. */
interface WasmApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
  ) => {
    readonly exports: { readonly memory: { readonly buffer: ArrayBuffer }; run(blocks: number): void };
  };
}

/** A kernel, or undefined where WebAssembly is not to be had. */
export function wasmKernel(): Sha512Kernel | undefined {
  const wasm = (globalThis as unknown as { WebAssembly?: WasmApi }).WebAssembly;
  if (wasm === undefined) return undefined;
  try {
    const { memory, run } = new wasm.Instance(new wasm.Module(assemble())).exports;
    const constants = new BigUint64Array(memory.buffer, K, 80);
    for (const [i, prime] of primes(80).entries()) constants[i] = fraction(cubeRoot, prime, 192n);
    return {
      state: new Uint32Array(memory.buffer, STATE, 16),
      input: new Uint32Array(memory.buffer, INPUT, KERNEL_BLOCKS * 32),
      run,
    };
  } catch {
    return undefined; // forbidden by a content security policy
  }
}

/** SHA-384 starts with the fractions of the square roots of the 9th to 16th prime. */
export const sha384InitialState: readonly bigint[] = primes(16)
  .slice(8)
  .map((prime) => fraction(squareRoot, prime, 128n));

function primes(count: number): bigint[] {
  const found: bigint[] = [];
  for (let n = 2n; found.length < count; n++) if (found.every((prime) => n % prime !== 0n)) found.push(n);
  return found;
}

/** The first 64 bits after the point of a root of `value`. */
function fraction(root: (x: bigint) => bigint, value: bigint, shift: bigint): bigint {
  return BigInt.asUintN(64, root(value << shift));
}

function squareRoot(x: bigint): bigint {
  return bisect(x, (r) => r * r);
}

function cubeRoot(x: bigint): bigint {
  return bisect(x, (r) => r * r * r);
}

/** The largest r with power(r) <= x. */
function bisect(x: bigint, power: (r: bigint) => bigint): bigint {
  let r = 0n;
  for (let bit = 1n << 80n; bit > 0n; bit >>= 1n) if (power(r | bit) <= x) r |= bit;
  return r;
}

// ---- the assembler: each function gives the bytes of an expression or a statement ----

type Code = readonly number[];

function unsigned(n: number): Code {
  return n < 0x80 ? [n] : [(n & 0x7f) | 0x80, ...unsigned(n >>> 7)];
}

function signed(n: bigint): Code {
  const low = Number(BigInt.asUintN(7, n));
  const rest = n >> 7n;
  return (rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40) ? [low] : [low | 0x80, ...signed(rest)];
}

const get = (local: number): Code => [0x20, local];
const set = (local: number, value: Code): Code => [...value, 0x21, local];
const tee = (local: number, value: Code): Code => [...value, 0x22, local];
const i32 = (n: number): Code => [0x41, ...signed(BigInt(n))];
const i64 = (n: bigint): Code => [0x42, ...signed(BigInt.asIntN(64, n))];
const load = (address: Code, offset: number): Code => [...address, 0x29, 3, ...unsigned(offset)];
const store = (address: Code, offset: number, value: Code): Code => [
  ...address,
  ...value,
  0x37,
  3,
  ...unsigned(offset),
];
const binary =
  (opcode: number) =>
  (first: Code, ...others: Code[]): Code => [...first, ...others.flatMap((other) => [...other, opcode])];
const add = binary(0x7c);
const xor = binary(0x85);
const and = binary(0x83);
const or = binary(0x84);
const shl = binary(0x86);
const shr = binary(0x88);
const rotr = (x: Code, by: number): Code => [...x, ...i64(BigInt(by)), 0x8a];
const addI32 = binary(0x6a);
const below = binary(0x49);
/** Repeats a body as long as the condition at its end holds. */
const repeat = (body: Code, condition: Code): Code => [0x03, 0x40, ...body, ...condition, 0x0d, 0, 0x0b];

// Locals: blocks, input pointer and counter are i32, the rest i64.
const [BLOCKS, POINTER, T, X, A] = [0, 1, 2, 3, 4];

function swapBytes(x: Code): Code {
  const by8 = or(
    and(shl(tee(X, x), i64(8n)), i64(0xff00_ff00_ff00_ff00n)),
    and(shr(get(X), i64(8n)), i64(0x00ff_00ff_00ff_00ffn)),
  );
  const by16 = or(
    and(shl(tee(X, by8), i64(16n)), i64(0xffff_0000_ffff_0000n)),
    and(shr(get(X), i64(16n)), i64(0x0000_ffff_0000_ffffn)),
  );
  return rotr(by16, 32);
}

/** x is used three times, so it is kept in a local. */
function sigma(x: Code, r1: number, r2: number, last: (x: Code) => Code): Code {
  return xor(rotr(tee(X, x), r1), rotr(get(X), r2), last(get(X)));
}

function round(step: number): Code {
  const local = (name: number): number => A + ((name - step + 8) % 8);
  const [a, b, c, d, e, f, g, h] = [0, 1, 2, 3, 4, 5, 6, 7].map(local) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const choose = xor(get(g), and(get(e), xor(get(f), get(g))));
  const majority = xor(and(get(a), get(b)), and(get(c), xor(get(a), get(b))));
  const constant = load(get(T), K + step * 8);
  const word = load(get(T), W + step * 8);
  return [
    ...set(h, add(get(h), xor(rotr(get(e), 14), rotr(get(e), 18), rotr(get(e), 41)), choose, constant, word)),
    ...set(d, add(get(d), get(h))),
    ...set(h, add(get(h), xor(rotr(get(a), 28), rotr(get(a), 34), rotr(get(a), 39)), majority)),
  ];
}

function body(): Code {
  const eight = [0, 1, 2, 3, 4, 5, 6, 7];
  const next = (by: number, end: number): Code => below(tee(T, addI32(get(T), i32(by))), i32(end));
  const readBlock = [
    ...set(T, i32(0)),
    ...repeat(store(get(T), W, swapBytes(load(addI32(get(POINTER), get(T)), 0))), next(8, 128)),
  ];
  // T is the byte offset of the word to compute: 16, 15, 7 and 2 words back are in reach.
  const schedule = repeat(
    store(
      get(T),
      W,
      add(
        sigma(load(get(T), W - 16), 19, 61, (x) => shr(x, i64(6n))),
        load(get(T), W - 56),
        sigma(load(get(T), W - 120), 1, 8, (x) => shr(x, i64(7n))),
        load(get(T), W - 128),
      ),
    ),
    next(8, 640),
  );
  const rounds = [
    ...set(T, i32(0)),
    ...repeat(
      eight.flatMap((step) => [...round(step)]),
      next(64, 640),
    ),
  ];
  return [
    ...set(POINTER, i32(INPUT)),
    ...repeat(
      [
        ...readBlock,
        ...schedule,
        ...eight.flatMap((i) => [...set(A + i, load(i32(STATE), i * 8))]),
        ...rounds,
        ...eight.flatMap((i) => [...store(i32(STATE), i * 8, add(load(i32(STATE), i * 8), get(A + i)))]),
        ...set(POINTER, addI32(get(POINTER), i32(128))),
      ],
      tee(BLOCKS, addI32(get(BLOCKS), i32(-1))),
    ),
  ];
}

function assemble(): Uint8Array<ArrayBuffer> {
  const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];
  const name = (text: string): Code => [text.length, ...[...text].map((c) => c.charCodeAt(0))];
  const locals = [2, 2, 0x7f, 9, 0x7e]; // two i32 after the parameter, nine i64
  const code = [...locals, ...body(), 0x0b];
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, 0x7f, 0]), // type: (i32) -> ()
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]), // one page of memory
    ...section(7, [2, ...name("memory"), 2, 0, ...name("run"), 0, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ]);
}
