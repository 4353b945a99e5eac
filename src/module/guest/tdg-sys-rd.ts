import { TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT } from "../../arch/generated/status-codes.ts";
import { R8, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { checkElementId } from "../metadata/element.ts";
import { CONTEXT_SYS, isNoField, NO_FIELD, withContext } from "../metadata/field-id.ts";
import { nextReadableElement } from "../metadata/next.ts";
import { readSysElement } from "../metadata/sys-fields.ts";
import type { Steps } from "../step.ts";

/**
 * TDG.SYS.RD: reads one element of the module's metadata.
 *
 * RDX field id; all ones asks for the first one. Returns RDX the id of the next readable element, or all ones; R8 the value.
 */
export function* tdgSysRd(call: Call): Steps {
  const id = withContext(call.big(RDX), CONTEXT_SYS);
  call.setBig(RDX, NO_FIELD);
  call.setNum(R8, 0);
  if (isNoField(id)) {
    yield "return the first field";
    call.setBig(RDX, nextReadableElement(CONTEXT_SYS, id, 0, "guest"));
    fail(TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT);
  }
  yield "check that the id names one element, and read it";
  checkElementId(id);
  call.setBig(R8, readSysElement(call, id, "guest"));
  call.setBig(RDX, nextReadableElement(CONTEXT_SYS, id, 0, "guest"));
}
