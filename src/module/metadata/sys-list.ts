/**
 * A metadata list in memory (TDX Module ABI, "Metadata List"): a header with its size in bytes (15:0) and number of sequences
 * (31:16), then the sequences: the id of the first field, with the last element (37:34) and the last field (46:38), and the
 * elements, 8 bytes each.
 */
import { TDX_METADATA_FIELD_ID_INCORRECT, TDX_METADATA_LIST_OVERFLOW } from "../../arch/generated/status-codes.ts";
import { type Call, fail } from "../call.ts";
import { type Party, readMask } from "./access.ts";
import {
  CONTEXT_SYS,
  elementSizeCode,
  fieldClass,
  fieldCode,
  isNoField,
  NO_FIELD,
  withContext,
  withFieldCode,
} from "./field-id.ts";
import { advanceAccessible, type Cursor, cursorAt, cursorField } from "./next.ts";
import { sysValue } from "./sys-fields.ts";
import { codeStride, type Field } from "./tables.ts";

const LIST_BYTES = 4096;
const WORD_BYTES = 8;
/** What a sequence header does not keep of an id: all but code, element size, increment, context, class and bit 63. */
const HEADER_BITS = 0xbf74_0003_00ff_ffffn;
const LAST_ELEMENT_SHIFT = 34n;
const LAST_FIELD_SHIFT = 38n;

/**
 * Writes the system's fields from `id` on (NO_FIELD: from the first) that the party may read into the page at `hpa`.
 * `report` is told the id that a further call has to start with; NO_FIELD: there is none.
 * Errors: TDX_METADATA_FIELD_ID_INCORRECT, TDX_METADATA_LIST_OVERFLOW if fields are left.
 */
export function writeSysList(call: Call, hpa: number, id: bigint, party: Party, report: (next: bigint) => void): void {
  report(NO_FIELD);
  const cursor = cursorAt(CONTEXT_SYS, id, 0);
  if (isNoField(cursor.id)) advanceAccessible(cursor, "field", 0, party);
  else startAt(cursor, id);

  let bytes = WORD_BYTES;
  let sequences = 0;
  while (!isNoField(cursor.id) && bytes + WORD_BYTES * (1 + elements(cursor)) <= LIST_BYTES) {
    const written = writeSequence(call, hpa + bytes, LIST_BYTES - bytes, cursor, party);
    if (written > 0) {
      bytes += written;
      sequences++;
    }
  }
  call.memory.writeBig(hpa, BigInt(bytes) | (BigInt(sequences) << 16n));
  report(cursor.id);
  if (!isNoField(cursor.id)) fail(TDX_METADATA_LIST_OVERFLOW);
}

const elements = (cursor: Cursor): number => cursorField(cursor).elementsPerField;

/** A list can start at the first element of a field only, named with its right size. */
function startAt(cursor: Cursor, id: bigint): void {
  const field = cursor.table.fields[cursor.index];
  const own = cursor.table.ids[cursor.index];
  if (field === undefined || own === undefined) fail(TDX_METADATA_FIELD_ID_INCORRECT);
  const offset = fieldCode(id) - field.code;
  if (offset % field.elementsPerField !== 0) fail(TDX_METADATA_FIELD_ID_INCORRECT);
  if (elementSizeCode(id) !== elementSizeCode(own)) fail(TDX_METADATA_FIELD_ID_INCORRECT);
  cursor.id = withFieldCode(own, fieldCode(id));
}

/** Writes one sequence and moves the cursor past it. Returns its bytes: 0 if its field is not readable. */
function writeSequence(call: Call, hpa: number, room: number, cursor: Cursor, party: Party): number {
  const first = cursor.id;
  const count = elements(cursor);
  let fields = 0;
  let bytes = WORD_BYTES;
  for (let goesOn = true; goesOn && bytes + count * WORD_BYTES <= room; ) {
    const field = cursorField(cursor);
    const mask = readMask(field, party);
    const { id } = cursor;
    for (let i = 0; mask !== 0n && i < count; i++, bytes += WORD_BYTES) {
      call.memory.writeBig(hpa + bytes, sysValue(call, field, fieldCode(id) + i) & mask);
    }
    if (mask !== 0n) fields++;
    advanceAccessible(cursor, "field", 0, party);
    goesOn = mask !== 0n && continues(field, id, cursor);
  }
  if (fields === 0) return 0;
  const header = withContext(first & HEADER_BITS, CONTEXT_SYS);
  const lastElement = BigInt(count - 1) << LAST_ELEMENT_SHIFT;
  call.memory.writeBig(hpa, header | lastElement | (BigInt(fields - 1) << LAST_FIELD_SHIFT));
  return bytes;
}

/** True if the field at the cursor follows the one before in the same sequence: next code, same class, same shape. */
function continues(before: Field, id: bigint, cursor: Cursor): boolean {
  if (isNoField(cursor.id)) return false;
  return (
    fieldClass(id) === fieldClass(cursor.id) &&
    fieldCode(id) + before.elementsPerField * codeStride(before) === fieldCode(cursor.id) &&
    before.elementsPerField === elements(cursor) &&
    elementSizeCode(id) === elementSizeCode(cursor.id)
  );
}
