import { TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT, TDX_OPERAND_INVALID } from "../../arch/generated/status-codes.ts";
import { R8, R9, RCX, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { checkElementId, numL2Vms, readElement, writeElement } from "../metadata/element.ts";
import { CONTEXT_VP, isNoField, NO_FIELD, withContext } from "../metadata/field-id.ts";
import { nextReadableElement } from "../metadata/next.ts";
import type { Steps } from "../step.ts";

function subject(call: Call) {
  return { tdr: call.tdr, tdcs: call.tdcs, tdvpr: call.tdvpr };
}

/**
 * TDG.VP.RD: reads a metadata element of the VCPU.
 *
 * RCX 0 · RDX field id. Returns R8 the value · RDX the id of the next readable element, for the id -1 that of the first one.
 */
export function* tdgVpRd(call: Call): Steps {
  const id = withContext(call.big(RDX), CONTEXT_VP);
  call.setBig(RDX, NO_FIELD);
  call.setNum(R8, 0);
  yield "check that RCX is 0";
  if (call.num(RCX) !== 0) fail(TDX_OPERAND_INVALID, RCX);
  if (isNoField(id)) {
    yield "return the first readable element";
    call.setBig(RDX, nextReadableElement(CONTEXT_VP, id, numL2Vms(call, call.tdcs), "guest"));
    fail(TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT);
  }
  yield "read the element";
  checkElementId(id);
  call.setBig(R8, readElement(call, CONTEXT_VP, id, "guest", subject(call)));
  call.setBig(RDX, nextReadableElement(CONTEXT_VP, id, numL2Vms(call, call.tdcs), "guest"));
}

/** TDG.VP.WR: writes bits of a metadata element of the VCPU. RCX 0 · RDX field id · R8 value · R9 mask. Returns R8 the old value. */
export function* tdgVpWr(call: Call): Steps {
  const id = withContext(call.big(RDX), CONTEXT_VP);
  call.setNum(R8, 0);
  yield "check that RCX is 0";
  if (call.num(RCX) !== 0) fail(TDX_OPERAND_INVALID, RCX);
  yield "write the element";
  checkElementId(id);
  call.setBig(R8, writeElement(call, CONTEXT_VP, id, "guest", subject(call), call.big(R8), call.big(R9)));
}
