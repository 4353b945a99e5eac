import { PT_EPT, PT_REG } from "../../arch/generated/pamt-types.ts";
import { R8, R9, R10, R11, RCX, RDX } from "../../arch/registers.ts";
import type { Call } from "../call.ts";
import { checkHpa } from "../hpa.ts";
import { SHARED } from "../lock-words.ts";
import { PAGE_4K, PG_4K, pageBepoch, pageOwner, pageType, walkPamt } from "../pamt.ts";
import type { Steps } from "../step.ts";

const OUTPUTS = [RCX, RDX, R8, R9, R10, R11];

/**
 * TDH.PHYMEM.PAGE.RDMD: reads a page's PAMT entry.
 *
 * RCX the page. Returns RCX page type, RDX owner's TDR, R8 size (0: 4 KiB, 1: 2 MiB, 2: 1 GiB), R9 BEPOCH of a PT_REG or PT_EPT
 * page; R10 and R11 are 0.
 */
export function* tdhPhymemPageRdmd(call: Call): Steps {
  for (const register of OUTPUTS) call.set(register, 0, 0);

  yield "check the physical address";
  const hpa = checkHpa(call, call.num(RCX), PAGE_4K, RCX);
  yield "walk the PAMT (shared)";
  const entry = yield* walkPamt(call, hpa, SHARED, PG_4K, RCX);

  yield "return the entry";
  const type = pageType(call, entry.cell);
  call.setNum(RCX, type);
  call.setNum(RDX, pageOwner(call, entry.cell));
  call.setNum(R8, entry.size);
  if (type === PT_REG || type === PT_EPT) call.setNum(R9, pageBepoch(call, entry.cell));
}
