/**
 * Reading and writing one metadata element: TDH.MNG.RD and WR, TDH.VP.RD and WR, TDG.VM.RD and WR, TDG.VP.RD and WR, and with
 * TDH.SYS.RD the lookup. The order is that of all of them: the field must exist, then its context may refuse it (an L2 VM
 * that is not there, a CPUID leaf that faults), then it must be readable or writable for the party.
 */
import {
  TDX_METADATA_FIELD_ID_INCORRECT,
  TDX_METADATA_FIELD_NOT_READABLE,
  TDX_METADATA_FIELD_NOT_WRITABLE,
  TDX_METADATA_FIELD_VALUE_NOT_VALID,
} from "../../arch/generated/status-codes.ts";
import { type Call, fail } from "../call.ts";
import { TDCS_NUM_L2_VMS } from "../layout.ts";
import { hex } from "../why.ts";
import { elementMask, keepsForbiddenBits, type Party, readMask, whyForbidden, writeMask } from "./access.ts";
import { CONTEXT_TD, fieldCode, isElementId } from "./field-id.ts";
import type { Element, Found, Subject } from "./located.ts";
import { codeStride, type Field, findField, tableOf } from "./tables.ts";
import { readTd, tdElement, writeTd } from "./td-fields.ts";
import { readVp, vpElement, writeVp } from "./vp-fields.ts";

/** L2 VMs of a TD. */
export function numL2Vms(call: Call, tdcs: number): number {
  return call.store.read(tdcs + TDCS_NUM_L2_VMS);
}

/** Errors: TDX_METADATA_FIELD_ID_INCORRECT if the id is not that of one element. */
export function checkElementId(id: bigint): void {
  if (!isElementId(id)) fail(TDX_METADATA_FIELD_ID_INCORRECT, 0, `${hex(id)} has reserved bits, or is a sequence's`);
}

function locate(call: Call, context: number, id: bigint, party: Party, subject: Subject): Element {
  const table = tableOf(context, id);
  const index = findField(table, numL2Vms(call, subject.tdcs), id);
  if (index < 0) fail(TDX_METADATA_FIELD_ID_INCORRECT, 0, `${hex(id)} names no field of this TD`);
  const field = table.fields[index] as Field;
  const place = table.places[index] as number;
  const number = Math.floor((fieldCode(id) - field.code) / codeStride(field));
  const found: Found = { id, field, party, number, place, words: field.elementBits > 32 ? 2 : 1 };
  return context === CONTEXT_TD ? tdElement(call, found, subject) : vpElement(call, found, subject);
}

/**
 * Reads an element of the TD or VCPU context.
 * Errors: TDX_METADATA_FIELD_ID_INCORRECT, TDX_METADATA_FIELD_NOT_READABLE.
 */
export function readElement(call: Call, context: number, id: bigint, party: Party, subject: Subject): bigint {
  const element = locate(call, context, id, party, subject);
  const mask = readMask(element.field, party);
  if (mask === 0n) fail(TDX_METADATA_FIELD_NOT_READABLE, 0, `${element.field.name} is not readable for the ${party}`);
  return rawValue(call, context, element, subject) & mask;
}

/**
 * Writes the bits of an element that both `requested` and the field's write mask have. Returns what was readable before.
 * Errors: TDX_METADATA_FIELD_ID_INCORRECT, _NOT_READABLE (a CPUID leaf), _NOT_WRITABLE, _VALUE_NOT_VALID, _WR_MASK_NOT_VALID,
 * TDX_TD_VMCS_FIELD_NOT_INITIALIZED.
 */
export function writeElement(
  call: Call,
  context: number,
  id: bigint,
  party: Party,
  subject: Subject,
  value: bigint,
  requested: bigint,
): bigint {
  const element = locate(call, context, id, party, subject);
  const old = rawValue(call, context, element, subject);
  const writable = writeMask(element.field, party);
  const written = writable & requested;
  if (written === 0n) fail(TDX_METADATA_FIELD_NOT_WRITABLE, 0, whyNotWritable(element, writable));
  if (context === CONTEXT_TD) {
    if (!keepsForbiddenBits(old, value, requested, writable)) {
      fail(TDX_METADATA_FIELD_VALUE_NOT_VALID, 0, whyForbidden(element.field, writable));
    }
    writeTd(call, element, subject, (old & ~written) | (value & written), written);
  } else {
    writeVp(call, element, subject, { old, value, requested, writable });
  }
  return old & readMask(element.field, party);
}

function whyNotWritable({ field, party }: Element, writable: bigint): string {
  return `${field.name}: the ${party} may write ${writable === 0n ? "none of its bits" : `bits ${hex(writable)} only`}`;
}

/** The element's value as this party sees it, before any mask. */
function rawValue(call: Call, context: number, element: Element, subject: Subject): bigint {
  const value = context === CONTEXT_TD ? readTd(call, element, subject) : readVp(call, element, subject);
  return value & elementMask(element.field);
}
