/** Fields of control structures as items: one line each, read from cells. */
import type { Store } from "../../state/store.ts";
import { hex } from "./format.ts";
import type { Item } from "./item.ts";
import type { Moment } from "./moment.ts";

/** How a field's cells are shown. */
export type FieldKind =
  | "u32" // one word, decimal
  | "hex32" // one word
  | "hex64" // two words
  | "hpa" // two words, an address
  | { readonly words: number } // a byte string: a measurement, an id
  | { readonly names: Readonly<Record<number, string>> } // one word, a state
  | ((store: Store, cell: number, moment: Moment) => string);

export interface Field {
  readonly label: string;
  /** Offset from the structure's first cell. */
  readonly place: number;
  readonly kind: FieldKind;
  readonly tooltip?: string;
}

function wordsOf(kind: FieldKind): number {
  if (typeof kind === "object" && "words" in kind) return kind.words;
  return kind === "hex64" || kind === "hpa" || typeof kind === "function" ? 2 : 1;
}

function text(moment: Moment, kind: FieldKind, cell: number): string {
  const { store } = moment.machine;
  if (typeof kind === "function") return kind(store, cell, moment);
  if (typeof kind === "object") {
    if ("names" in kind) return kind.names[store.read(cell)] ?? `${store.read(cell)}`;
    return byteString(store, cell, kind.words);
  }
  switch (kind) {
    case "u32":
      return `${store.read(cell)}`;
    case "hex32":
      return hex(store.read(cell));
    case "hex64":
      return hex(store.readBig(cell));
    case "hpa":
      return moment.hpa(store.readNumber(cell));
  }
}

/** Bytes in the order in which they lie in memory. */
function byteString(store: Store, cell: number, words: number): string {
  let digits = "";
  for (let i = 0; i < words; i++) {
    const word = store.read(cell + i);
    for (let shift = 0; shift < 32; shift += 8) digits += ((word >>> shift) & 0xff).toString(16).padStart(2, "0");
  }
  return /^0*$/.test(digits) ? "0" : digits;
}

/** Items of the fields of the structure whose first cell is `base`. */
export function fieldItems(moment: Moment, parent: string, base: number, fields: readonly Field[]): Item[] {
  return fields.map(({ label, place, kind, tooltip }) => ({
    id: `${parent}/${label}`,
    label,
    value: text(moment, kind, base + place),
    ...(tooltip && { tooltip }),
    cells: [[base + place, wordsOf(kind)]] as const,
  }));
}
