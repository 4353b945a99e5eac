/**
 * The order of metadata fields in a context: by table, class and field code. Reading version 1 returns the id that follows,
 * and lists run through all of them.
 */
import { cpuidLookup } from "../../arch/generated/cpuid-tables.ts";
import { type Party, readMask, writeMask } from "./access.ts";
import {
  cpuidCode,
  cpuidElement,
  cpuidIndexOfCode,
  fieldClass,
  fieldCode,
  isNoField,
  NO_FIELD,
  withFieldClass,
  withFieldCode,
} from "./field-id.ts";
import {
  CLASS_CPUID_VALUES,
  codeStride,
  type Field,
  findField,
  l2VmcsOfClass,
  l2VmcsTable,
  type Table,
  tableLength,
  tableOf,
  tdTable,
  vmcsTable,
  vpTable,
} from "./tables.ts";

/** A place in the order. Ids keep the bits that the asker gave as long as they stay in one array of elements. */
export interface Cursor {
  table: Table;
  index: number;
  id: bigint;
}

/** "element": to the next element; "field": to the first element of the next field. */
export type Stride = "element" | "field";

/** The cursor at an id that names an existing field, or at NO_FIELD: before the first one. */
export function cursorAt(context: number, id: bigint, l2Vms: number): Cursor {
  const table = tableOf(context, id);
  return { table, index: isNoField(id) ? 0 : findField(table, l2Vms, id), id };
}

/** Moves on by one; the id is NO_FIELD after the last. */
export function advance(cursor: Cursor, stride: Stride, l2Vms: number): void {
  if (isNoField(cursor.id)) {
    enterField(cursor, cursor.table, 0);
    return;
  }
  const inArray = nextInEntry(cursor, stride);
  if (inArray !== undefined) {
    cursor.id = inArray;
  } else if (cursor.index < tableLength(cursor.table, l2Vms) - 1) {
    enterField(cursor, cursor.table, cursor.index + 1);
  } else if (cursor.table === vmcsTable) {
    enterField(cursor, vpTable, 0);
  } else if (cursor.table === l2VmcsTable) {
    enterField(cursor, vpTable, vpIndexOfL2Vmcs(fieldClass(cursor.id)) + 1);
  } else {
    cursor.id = NO_FIELD;
  }
}

/** Moves on to what the party may read (or write). */
export function advanceAccessible(
  cursor: Cursor,
  stride: Stride,
  l2Vms: number,
  party: Party,
  mode: "read" | "write" = "read",
): void {
  do {
    advance(cursor, stride, l2Vms);
    if (isNoField(cursor.id)) return;
  } while ((mode === "read" ? readMask : writeMask)(cursorField(cursor), party) === 0n);
}

export function cursorField(cursor: Cursor): Field {
  return cursor.table.fields[cursor.index] as Field;
}

/** The id of the readable element after `id` (of the first one, after NO_FIELD), or NO_FIELD. */
export function nextReadableElement(context: number, id: bigint, l2Vms: number, party: Party): bigint {
  const cursor = cursorAt(context, id, l2Vms);
  advanceAccessible(cursor, "element", l2Vms, party);
  return cursor.id;
}

/** The next id inside the same entry of the table, or undefined. */
function nextInEntry(cursor: Cursor, stride: Stride): bigint | undefined {
  const { id } = cursor;
  const field = cursorField(cursor);
  const code = fieldCode(id);
  if (cursor.table === tdTable && field.class === CLASS_CPUID_VALUES) {
    if (stride === "element" && cpuidElement(code) === 0) return withFieldCode(id, code + 1);
    const next = cpuidIndexOfCode(code) + 1;
    return next < cpuidLookup.length ? withFieldCode(id, cpuidCode(next)) : undefined;
  }
  const step = codeStride(field) * (stride === "element" ? 1 : field.elementsPerField);
  const at = Math.floor((code - field.code) / step);
  const count = field.fields * (stride === "element" ? field.elementsPerField : 1);
  return at < count - 1 ? withFieldCode(id, code + step) : undefined;
}

/** Puts the cursor on the first element of an entry; the VMCS of an L2 VM leads into its table. */
function enterField(cursor: Cursor, table: Table, index: number): void {
  const from = fieldClass(cursor.id);
  const id = table.ids[index] as bigint;
  cursor.table = table;
  cursor.index = index;
  cursor.id = id;
  if (table === tdTable && fieldClass(id) === CLASS_CPUID_VALUES) {
    cursor.id = withFieldCode(id, cpuidCode(0));
  } else if (table === vpTable && l2VmcsOfClass(fieldClass(id)) > 0) {
    cursor.table = l2VmcsTable;
    cursor.index = 0;
    cursor.id = withFieldClass(l2VmcsTable.ids[0] as bigint, fieldClass(id));
  } else if (table === l2VmcsTable) {
    cursor.id = withFieldClass(id, from);
  }
}

function vpIndexOfL2Vmcs(cls: number): number {
  return vpTable.fields.findIndex((field) => field.class === cls);
}
