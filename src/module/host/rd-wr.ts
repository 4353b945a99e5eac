/** What TDH.MNG.RD and WR and TDH.VP.RD and WR share once they hold the TD. */
import { TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT, TDX_OPERAND_INVALID } from "../../arch/generated/status-codes.ts";
import { R8, R9, RAX, RDX } from "../../arch/registers.ts";
import { ATTRIBUTE_DEBUG } from "../attributes.ts";
import { type Call, fail } from "../call.ts";
import { TDCS_ATTRIBUTES } from "../layout.ts";
import type { Party } from "../metadata/access.ts";
import { checkElementId, numL2Vms, readElement, writeElement } from "../metadata/element.ts";
import { isNoField, NO_FIELD, withContext } from "../metadata/field-id.ts";
import type { Subject } from "../metadata/located.ts";
import { nextReadableElement } from "../metadata/next.ts";
import type { Steps } from "../step.ts";

/** The last version of the leaves that read. */
const LAST_READ_VERSION = 1;

/**
 * How a reading leaf begins: the outputs are those of a failure, no value and from version 1 on no next field.
 * Errors: TDX_OPERAND_INVALID(RAX) for a version that these leaves do not have, though the dispatcher lets it pass.
 */
export function beginRead(call: Call): void {
  if (call.version > 0) call.setBig(RDX, NO_FIELD);
  call.setNum(R8, 0);
  if (call.version > LAST_READ_VERSION) fail(TDX_OPERAND_INVALID, RAX);
}

function partyOf(call: Call, tdcs: number): Party {
  return (call.store.read(tdcs + TDCS_ATTRIBUTES) & ATTRIBUTE_DEBUG) !== 0 ? "host of a debug TD" : "host";
}

/** Reads the field that RDX names into R8; version 1 leaves the id of the next readable element in RDX. */
export function* readField(call: Call, context: number, subject: Subject): Steps {
  const party = partyOf(call, subject.tdcs);
  const l2Vms = numL2Vms(call, subject.tdcs);
  const id = withContext(call.big(RDX), context);
  if (call.version > 0 && isNoField(id)) {
    yield "find the first readable field of the context";
    call.setBig(RDX, nextReadableElement(context, id, l2Vms, party));
    fail(TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT);
  }
  yield "check the field id";
  checkElementId(id);
  yield "look the field up and read it";
  const value = readElement(call, context, id, party, subject);
  if (call.version > 0) call.setBig(RDX, nextReadableElement(context, id, l2Vms, party));
  call.setBig(R8, value);
}

/** Writes the bits in R9 of the value in R8 to the field that RDX names; its old value comes back in R8. */
export function* writeField(call: Call, context: number, subject: Subject): Steps {
  const id = withContext(call.big(RDX), context);
  yield "check the field id";
  checkElementId(id);
  yield "look the field up, check the value and write it";
  const party = partyOf(call, subject.tdcs);
  call.setBig(R8, writeElement(call, context, id, party, subject, call.big(R8), call.big(R9)));
}
