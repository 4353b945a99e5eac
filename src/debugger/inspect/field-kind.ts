/** How the words of a field are read as one value, shown, and given by a person. */
import { fromHalves, highHalf, type Integer, lowHalf } from "../../language/values.ts";
import type { Store } from "../../state/store.ts";
import { EditError } from "../edit-place.ts";
import { hex } from "./format.ts";

export type FieldKind =
  | "u32" // one word, decimal
  | "u64" // two words, decimal
  | "hex32" // one word
  | "hex64" // two words
  | { readonly words: number } // a byte string: a measurement, an id
  | { readonly names: Readonly<Record<number, string>> } // one word, a state
  | ((word: number) => string);

/** An integer, or a byte string as hexadecimal digits, in the order in which the bytes lie in memory. */
export type FieldValue = Integer | string;

export function wordsOf(kind: FieldKind): number {
  if (typeof kind === "object") return "words" in kind ? kind.words : 1;
  return kind === "u64" || kind === "hex64" ? 2 : 1;
}

export function readField(store: Store, cell: number, kind: FieldKind): FieldValue {
  if (typeof kind === "object" && "words" in kind) return byteString(store, cell, kind.words);
  return wordsOf(kind) === 2 ? fromHalves(store.read(cell), store.read(cell + 1)) : store.read(cell);
}

export function showField(kind: FieldKind, value: FieldValue): string {
  if (typeof value === "string") return /^0*$/.test(value) ? "0" : value;
  if (typeof kind === "function") return kind(Number(value));
  if (typeof kind === "object") return ("names" in kind && kind.names[Number(value)]) || `${value}`;
  return kind === "u32" || kind === "u64" ? `${value}` : hex(value);
}

/**
 * What a text says that is no expression: the name of a state, the digits of a byte string. Undefined for any other. Throws an
 * EditError for what can be no byte string.
 */
export function parseField(name: string, kind: FieldKind, text: string): FieldValue | undefined {
  if (typeof kind !== "object") return undefined;
  if ("names" in kind) {
    const state = Object.entries(kind.names).find(([, name]) => name === text)?.[0];
    return state === undefined ? undefined : Number(state);
  }
  const digits = text.replace(/^"(.*)"$/, "$1");
  const count = kind.words * 8;
  if (digits === "0") return "0".repeat(count);
  if (digits.length === count && /^[0-9a-f]+$/i.test(digits)) return digits.toLowerCase();
  throw new EditError(`"${name}" takes ${count} hexadecimal digits, or 0`);
}

/** Throws an EditError, and writes nothing, for a value that has no room. */
export function writeField(store: Store, cell: number, name: string, kind: FieldKind, value: FieldValue): void {
  const words = wordsOf(kind);
  if (typeof value === "string") {
    for (let i = 0; i < words; i++) store.write(cell + i, wordOf(value.slice(i * 8, i * 8 + 8)));
    return;
  }
  if (words === 1 && highHalf(value) !== 0) throw new EditError(`"${name}" has 32 bits; ${hex(value)} does not fit`);
  store.write(cell, lowHalf(value));
  if (words === 2) store.write(cell + 1, highHalf(value));
}

function byteString(store: Store, cell: number, words: number): string {
  let digits = "";
  for (let i = 0; i < words; i++) {
    const word = store.read(cell + i);
    for (let shift = 0; shift < 32; shift += 8) digits += ((word >>> shift) & 0xff).toString(16).padStart(2, "0");
  }
  return digits;
}

/** The word whose bytes these digits are. */
function wordOf(digits: string): number {
  let word = 0;
  for (let i = 0; i < 4; i++) word |= Number.parseInt(digits.slice(i * 2, i * 2 + 2), 16) << (i * 8);
  return word >>> 0;
}
