/** Hashing for the state hash: 32-bit multiply-xor mixing (the constants of MurmurHash3), twice for 64 bits. */

export function mix(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  let h = hash ^ Math.imul(k, 0x1b873593);
  h = (h << 13) | (h >>> 19);
  return (Math.imul(h, 5) + 0xe6546b64) >>> 0;
}

/** Two 32-bit hashes of a block of words and its tag; both 0 for a block of zeros, so that an untouched block does not count. */
export function hashBlock(words: Readonly<Uint32Array>, tag: number): readonly [number, number] {
  let a = 0x9747b28c;
  let b = 0x3c6ef372;
  let used = false;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as number;
    if (word === 0) continue;
    used = true;
    a = mix(mix(a, i), word);
    b = mix(mix(b, word), i);
  }
  if (!used) return [0, 0];
  const low = tag >>> 0;
  const high = Math.floor(tag / 0x1_0000_0000) >>> 0;
  return [mix(mix(a, low), high), mix(mix(b, high), low)];
}

function hashText(text: string): number {
  let hash = text.length;
  for (let i = 0; i < text.length; i++) hash = mix(hash, text.charCodeAt(i));
  return hash;
}

/** What an object in a value slot gives to be hashed by: equal text for equal values. */
export interface Hashable {
  stateKey(): string;
}

function isHashable(value: object): value is Hashable {
  return typeof (value as Partial<Hashable>).stateKey === "function";
}

/** Hash of a value: primitives by type and text, arrays by element, objects by `stateKey()` or by their own enumerable fields. */
export function hashValue(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((hash: number, item) => mix(hash, hashValue(item)), value.length + 1);
  if (typeof value === "object" && value !== null) {
    if (isHashable(value)) return hashText(value.stateKey());
    return Object.entries(value).reduce(
      (hash, [key, item]) => mix(mix(hash, hashText(key)), hashValue(item)),
      0x51ed270b,
    );
  }
  return hashText(`${typeof value}:${String(value)}`);
}
