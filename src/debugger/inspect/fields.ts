/** Fields of control structures as items: one line each, read from cells, and written as they lie there. */
import type { EditPlace } from "../edit-place.ts";
import {
  type FieldKind,
  type FieldValue,
  parseField,
  readField,
  showField,
  wordsOf,
  writeField,
} from "./field-kind.ts";
import type { Item } from "./item.ts";
import type { Moment } from "./moment.ts";

export interface Field {
  readonly label: string;
  /** Offset from the structure's first cell. */
  readonly place: number;
  readonly kind: FieldKind;
  readonly tooltip?: string;
}

/** Where fields belong: the first cell of their structure, and what a person calls it. */
export interface Structure {
  readonly base: number;
  readonly name: string;
}

/** Items of the fields of a structure. `parent` is the id of the item that has them. */
export function fieldItems(
  moment: Moment,
  parent: string,
  { base, name }: Structure,
  fields: readonly Field[],
): Item[] {
  const { store } = moment.machine;
  return fields.map(({ label, place, kind, tooltip }) => ({
    id: `${parent}/${label}`,
    label,
    value: showField(kind, readField(store, base + place, kind)),
    ...(tooltip && { tooltip }),
    cells: [[base + place, wordsOf(kind)]] as const,
    edit: fieldEdit(moment, `${label} of ${name}`, base + place, kind),
  }));
}

/**
 * The words of a field as they lie there: to write them is no call of the module, so none of its checks, locks or counts has a part in
 * it.
 */
export function fieldEdit({ machine }: Moment, name: string, cell: number, kind: FieldKind): EditPlace {
  const hpa = machine.platform.memory.hpaOf(cell);
  // What is not memory lies in the blocks that every machine takes first: it is the same cell in each.
  const cellIn = (other: typeof machine): number => (hpa === undefined ? cell : other.platform.memory.cell(hpa));
  return {
    name,
    read: (debuggee) => readField(debuggee.store, cellIn(debuggee.machine), kind),
    write: (debuggee, value) => writeField(debuggee.store, cellIn(debuggee.machine), name, kind, value as FieldValue),
    form: {
      parse: (text) => parseField(name, kind, text),
      show: (value) => showField(kind, value as FieldValue),
    },
  };
}
