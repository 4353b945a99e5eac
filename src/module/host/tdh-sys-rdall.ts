import { TDX_SYS_LP_INIT_NOT_DONE } from "../../arch/generated/status-codes.ts";
import { R8, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { checkAlignedSharedHpa } from "../hpa.ts";
import { LP_IS_INIT } from "../local-data.ts";
import { CONTEXT_SYS, NO_FIELD, withContext } from "../metadata/field-id.ts";
import { writeSysList } from "../metadata/sys-list.ts";
import { PAGE_4K } from "../pamt.ts";
import type { Steps } from "../step.ts";

/**
 * TDH.SYS.RDALL: writes the module's metadata as a list to a page of the host's.
 *
 * RDX the page · R8 id of the field to start with; all ones: the first. Returns R8 the id to go on with, or all ones.
 */
export function* tdhSysRdall(call: Call): Steps {
  call.setBig(R8, NO_FIELD);

  yield "check that this LP was prepared";
  if (call.store.read(call.lpCell + LP_IS_INIT) === 0) fail(TDX_SYS_LP_INIT_NOT_DONE);
  yield "check the page's address";
  const page = checkAlignedSharedHpa(call, call.num(RDX), PAGE_4K, RDX);
  yield "write the list";
  writeSysList(call, page, withContext(call.big(R8), CONTEXT_SYS), "host", (next) => call.setBig(R8, next));
}
