/** Who accesses a metadata element, and which of its bits are open to that. */
import type { Mask } from "../../arch/generated/metadata-fields.ts";
import { toBig } from "../../arch/u64.ts";
import { hex } from "../why.ts";
import type { AccessKind, Field } from "./tables.ts";

/** The accessing party. A debug TD opens more of itself to its host. */
export type Party = "host" | "host of a debug TD" | "guest";

/** The kinds of access by which a table's masks apply to a party; a table has one of them at most. */
const readKinds = {
  host: ["hostReadProd", "hostRead"],
  "host of a debug TD": ["hostReadDebug", "hostRead"],
  guest: ["guestRead", "l1VmmRead"],
} as const;

const writeKinds = {
  host: ["hostWriteProd", "hostWrite"],
  "host of a debug TD": ["hostWriteDebug", "hostWrite"],
  guest: ["guestWrite", "l1VmmWrite"],
} as const;

function maskOf(field: Field, kinds: readonly [AccessKind, AccessKind]): bigint {
  const mask: Mask | undefined = field.access[kinds[0]] ?? field.access[kinds[1]];
  return mask === undefined ? 0n : toBig(mask[0], mask[1]);
}

/** Bits that the party may read; 0: the field is not readable. */
export function readMask(field: Field, party: Party): bigint {
  return maskOf(field, readKinds[party]);
}

/** Bits that the party may write; 0: the field is not writable. */
export function writeMask(field: Field, party: Party): bigint {
  return maskOf(field, writeKinds[party]);
}

/** All bits of an element. */
export function elementMask(field: Field): bigint {
  return (1n << BigInt(field.elementBits)) - 1n;
}

/** Says of a write that it changes bits which it must keep. */
export function whyForbidden(field: Field, writable: bigint): string {
  return `${field.name}: the mask asks for bits outside ${hex(writable)}, and their value differs`;
}

/** True if a write leaves all bits as they are that it asks to write but may not. */
export function keepsForbiddenBits(old: bigint, value: bigint, requested: bigint, writable: bigint): boolean {
  const forbidden = requested & ~writable;
  return (old & forbidden) === (value & forbidden);
}
