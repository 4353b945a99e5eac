/** A metadata element that was found: which, for whom, and where its words are. */
import type { Call } from "../call.ts";
import type { Party } from "./access.ts";
import type { Field } from "./tables.ts";

/** The TD, and in the VCPU context the VCPU, whose fields are accessed. */
export interface Subject {
  readonly tdr: number;
  readonly tdcs: number;
  /** -1 in the TD context. */
  readonly tdvpr: number;
}

/** An element that the tables have. */
export interface Found {
  readonly id: bigint;
  readonly field: Field;
  readonly party: Party;
  /** Number of the element among all those of the table's entry. */
  readonly number: number;
  /** Place of the entry's first element (layout.ts). */
  readonly place: number;
  /** Words of an element: 1 up to 32 bits, else 2. */
  readonly words: 1 | 2;
}

/** An element that this TD or VCPU has. */
export interface Element extends Found {
  /** First cell of its words. */
  readonly cell: number;
}

export function readWords(call: Call, element: Element): bigint {
  return element.words === 2 ? call.store.readBig(element.cell) : BigInt(call.store.read(element.cell));
}

export function writeWords(call: Call, element: Element, value: bigint): void {
  if (element.words === 2) call.store.writeBig(element.cell, value);
  else call.store.write(element.cell, Number(value));
}

/** A physical address as the module's structures hold it: with the TD's KeyID. Zero stays zero: there is no page. */
export function withHkid(call: Call, hpa: bigint, hkid: number): bigint {
  return hpa === 0n ? 0n : hpa | (BigInt(hkid) << BigInt(call.platform.addressBits));
}
