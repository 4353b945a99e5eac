import { PT_NDA, PT_RSVD, PT_TDR, pageTypeNames } from "../../arch/generated/pamt-types.ts";
import {
  TDX_LIFECYCLE_STATE_INCORRECT,
  TDX_OPERAND_INVALID,
  TDX_PAGE_METADATA_INCORRECT,
  TDX_TD_ASSOCIATED_PAGES_EXIST,
} from "../../arch/generated/status-codes.ts";
import { R8, R9, R10, R11, RCX, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { checkHpa } from "../hpa.ts";
import { TDR_CHLDCNT, TDR_LIFECYCLE_STATE } from "../layout.ts";
import { EXCLUSIVE, SHARED } from "../lock-words.ts";
import { lockOwnerTdr } from "../owner.ts";
import { PAGE_4K, PAGE_BYTES, PG_4K, pageOwner, pageType, SMALL_PAGES, setPageType, walkPamt } from "../pamt.ts";
import type { Steps } from "../step.ts";
import { addChildren, TD_TEARDOWN } from "../td.ts";
import { hex, whyLifecycle } from "../why.ts";

const OUTPUTS = [RCX, RDX, R8, R9, R10, R11];

/**
 * TDH.PHYMEM.PAGE.RECLAIM: frees a page of a TD whose KeyID is free again; its TDR last.
 *
 * RCX the page. Returns RCX page type, RDX owner's TDR, R8 size (0: 4 KiB, 1: 2 MiB, 2: 1 GiB) as they were; R9 to R11 are 0.
 */
export function* tdhPhymemPageReclaim(call: Call): Steps {
  const { store } = call;
  for (const register of OUTPUTS) call.set(register, 0, 0);

  yield "check the physical address";
  const hpa = checkHpa(call, call.num(RCX), PAGE_4K, RCX);
  yield "walk the PAMT to the page (exclusive)";
  const page = yield* walkPamt(call, hpa, EXCLUSIVE, PG_4K, RCX);

  yield "check that the page is in use";
  const type = pageType(call, page.cell);
  if (type === PT_NDA || type === PT_RSVD) fail(TDX_PAGE_METADATA_INCORRECT, RCX, `it is ${pageTypeNames[type]}`);
  const owner = pageOwner(call, page.cell);
  call.setNum(RCX, type);
  call.setNum(RDX, owner);
  call.setNum(R8, page.size);
  yield "check that the address is the start of the page";
  const bytes = PAGE_BYTES[page.size] as number;
  if (hpa % bytes !== 0)
    fail(TDX_OPERAND_INVALID, RCX, `the page of ${hex(bytes)} bytes begins at ${hex(hpa - (hpa % bytes))}`);

  if (type !== PT_TDR) {
    const tdr = yield* lockOwnerTdr(call, owner, SHARED);
    yield "check that the TD is being torn down";
    checkTornDown(call, tdr);
    yield "count the child pages out of the TDR";
    addChildren(call, tdr, -(SMALL_PAGES[page.size] as number));
  } else {
    const tdr = call.memory.cell(hpa);
    yield "check that the TD is being torn down";
    checkTornDown(call, tdr);
    yield "check that no other page of the TD is left";
    const children = store.readNumber(tdr + TDR_CHLDCNT);
    if (children !== 0) fail(TDX_TD_ASSOCIATED_PAGES_EXIST, 0, `${children} pages of 4 KiB are left`);
  }

  yield "free the page in the PAMT";
  setPageType(call, page.cell, PT_NDA);
}

function checkTornDown(call: Call, tdr: number): void {
  const lifecycle = call.store.read(tdr + TDR_LIFECYCLE_STATE);
  if (lifecycle !== TD_TEARDOWN) fail(TDX_LIFECYCLE_STATE_INCORRECT, 0, whyLifecycle(lifecycle));
}
