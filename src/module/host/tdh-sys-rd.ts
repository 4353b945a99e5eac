import { TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT, TDX_SYS_LP_INIT_NOT_DONE } from "../../arch/generated/status-codes.ts";
import { R8, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { LP_IS_INIT } from "../local-data.ts";
import { checkElementId } from "../metadata/element.ts";
import { CONTEXT_SYS, isNoField, NO_FIELD, withContext } from "../metadata/field-id.ts";
import { nextReadableElement } from "../metadata/next.ts";
import { readSysElement } from "../metadata/sys-fields.ts";
import type { Steps } from "../step.ts";

/**
 * TDH.SYS.RD: reads one element of the module's metadata.
 *
 * RDX field id; all ones asks for the first one. Returns RDX the id of the next readable element, or all ones; R8 the value.
 */
export function* tdhSysRd(call: Call): Steps {
  call.setBig(RDX, NO_FIELD);
  call.setNum(R8, 0);

  yield "check that this LP was prepared";
  if (call.store.read(call.lpCell + LP_IS_INIT) === 0) fail(TDX_SYS_LP_INIT_NOT_DONE);
  const id = withContext(call.big(RDX), CONTEXT_SYS);
  if (isNoField(id)) {
    yield "return the first field";
    call.setBig(RDX, nextReadableElement(CONTEXT_SYS, id, 0, "host"));
    fail(TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT);
  }
  yield "check that the id names one element";
  checkElementId(id);
  yield "read it, and find the one that follows";
  call.setBig(R8, readSysElement(call, id, "host"));
  call.setBig(RDX, nextReadableElement(CONTEXT_SYS, id, 0, "host"));
}
