import { TDX_OPERAND_INVALID } from "../../arch/generated/status-codes.ts";
import { R8, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { CONTEXT_SYS, NO_FIELD, withContext } from "../metadata/field-id.ts";
import { writeSysList } from "../metadata/sys-list.ts";
import { PAGE_4K } from "../pamt.ts";
import type { Steps } from "../step.ts";
import { hex } from "../why.ts";
import { guestBuffer, READ, WRITE } from "./translate.ts";

/**
 * TDG.SYS.RDALL: writes the module's metadata as a list to a page of the guest's.
 *
 * RDX GPA of the page, private · R8 id of the field to start with; all ones: the first. Returns R8 the id to go on with, or
 * all ones.
 */
export function* tdgSysRdall(call: Call): Steps {
  call.setBig(R8, NO_FIELD);
  yield "check the alignment of the page";
  if (call.lo(RDX) % PAGE_4K !== 0) {
    fail(TDX_OPERAND_INVALID, RDX, `${hex(call.big(RDX))} is not aligned to 4096 bytes`);
  }
  const hpa = yield* guestBuffer(call, RDX, READ | WRITE, true);
  yield "write the list";
  writeSysList(call, hpa, withContext(call.big(R8), CONTEXT_SYS), "guest", (next) => call.setBig(R8, next));
}
