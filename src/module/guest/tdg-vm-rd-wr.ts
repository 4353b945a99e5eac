import { TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT, TDX_OPERAND_INVALID } from "../../arch/generated/status-codes.ts";
import { R8, R9, RAX, RCX, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { checkElementId, numL2Vms, readElement, writeElement } from "../metadata/element.ts";
import { CONTEXT_TD, isNoField, NO_FIELD, withContext } from "../metadata/field-id.ts";
import { nextReadableElement } from "../metadata/next.ts";
import type { Steps } from "../step.ts";

function subject(call: Call) {
  return { tdr: call.tdr, tdcs: call.tdcs, tdvpr: -1 };
}

/**
 * TDG.VM.RD: reads a metadata element of the TD.
 *
 * RCX 0 · RDX field id. Returns R8 the value. Version 1 returns in RDX the id of the next readable element, and for the id -1
 * that of the first one.
 */
export function* tdgVmRd(call: Call): Steps {
  const id = withContext(call.big(RDX), CONTEXT_TD);
  if (call.version > 0) call.setBig(RDX, NO_FIELD);
  call.setNum(R8, 0);
  yield "check the version and the VM";
  if (call.version > 1) fail(TDX_OPERAND_INVALID, RAX);
  if (call.num(RCX) !== 0) fail(TDX_OPERAND_INVALID, RCX);

  if (call.version > 0 && isNoField(id)) {
    yield "return the first readable element";
    call.setBig(RDX, nextReadableElement(CONTEXT_TD, id, numL2Vms(call, call.tdcs), "guest"));
    fail(TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT);
  }
  yield "read the element";
  checkElementId(id);
  call.setBig(R8, readElement(call, CONTEXT_TD, id, "guest", subject(call)));
  if (call.version > 0) {
    call.setBig(RDX, nextReadableElement(CONTEXT_TD, id, numL2Vms(call, call.tdcs), "guest"));
  }
}

/** TDG.VM.WR: writes bits of a metadata element of the TD. RCX 0 · RDX field id · R8 value · R9 mask. Returns R8 the old value. */
export function* tdgVmWr(call: Call): Steps {
  const id = withContext(call.big(RDX), CONTEXT_TD);
  call.setNum(R8, 0);
  yield "check the VM";
  if (call.num(RCX) !== 0) fail(TDX_OPERAND_INVALID, RCX);
  yield "write the element";
  checkElementId(id);
  call.setBig(R8, writeElement(call, CONTEXT_TD, id, "guest", subject(call), call.big(R8), call.big(R9)));
}
