import { opStateAllowsHostLeaf, opStateNames } from "../../arch/generated/op-states.ts";
import { PT_NDA, PT_TDCX } from "../../arch/generated/pamt-types.ts";
import { SEPT_FREE } from "../../arch/generated/sept-states.ts";
import {
  TDX_OP_STATE_INCORRECT,
  TDX_RND_NO_ENTROPY,
  TDX_TD_FATAL,
  TDX_TD_KEYS_NOT_CONFIGURED,
  TDX_TDCX_NUM_INCORRECT,
} from "../../arch/generated/status-codes.ts";
import { RCX, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import {
  TDCS_MIG_ENC_KEY,
  TDCS_MSR_BITMAPS,
  TDCS_OP_STATE,
  TDCS_SEPT_ROOT,
  TDR_FATAL,
  TDR_LIFECYCLE_STATE,
  TDR_NUM_TDCX,
  TDR_TDCX_PA,
} from "../layout.ts";
import { EXCLUSIVE } from "../lock-words.ts";
import { lockPage, PG_4K, setPageOwner, setPageType } from "../pamt.ts";
import { writeRandom256 } from "../random.ts";
import { freeEntryWords } from "../sept-entry.ts";
import type { Steps } from "../step.ts";
import { addChildren, claimTdPage, lockTdr, MIN_NUM_TDCS_PAGES, TD_KEYS_CONFIGURED, tdcsCell } from "../td.ts";
import { whyLifecycle } from "../why.ts";

/** TDCS pages that a TD may have: the base and one for each of three L2 VMs. */
const MAX_NUM_TDCS_PAGES = 9;

const PAGE_WORDS = 1024;

/**
 * TDH.MNG.ADDCX: adds a page to the TDCS.
 *
 * RCX the page · RDX TDR.
 */
export function* tdhMngAddcx(call: Call): Steps {
  const { store } = call;

  yield "lock the TDR (exclusive)";
  const tdr = yield* lockTdr(call, RDX, EXCLUSIVE);
  yield "check the TD's life cycle";
  if (store.read(tdr + TDR_FATAL) !== 0) fail(TDX_TD_FATAL);
  const lifecycle = store.read(tdr + TDR_LIFECYCLE_STATE);
  if (lifecycle !== TD_KEYS_CONFIGURED) fail(TDX_TD_KEYS_NOT_CONFIGURED, 0, whyLifecycle(lifecycle));
  yield "check that the TDCS has room for a page";
  const index = store.read(tdr + TDR_NUM_TDCX);
  if (index >= MAX_NUM_TDCS_PAGES) fail(TDX_TDCX_NUM_INCORRECT, 0, `it has ${index}, as many as it can`);

  yield "lock the new page (exclusive) and check that it is free";
  const hpa = call.num(RCX);
  const page = yield* lockPage(call, hpa, PG_4K, EXCLUSIVE, PT_NDA, RCX);

  yield "fill the page: MSR bitmaps with ones, the S-EPT root with free entries, others with zeros";
  claimTdPage(call, tdr, hpa);
  fillTdcx(call, hpa, index);

  if (index + 1 === MIN_NUM_TDCS_PAGES) {
    yield "draw the key of the next migration session";
    if (!writeRandom256(call, tdcsCell(call, tdr, TDCS_MIG_ENC_KEY))) fail(TDX_RND_NO_ENTROPY);
  } else if (index >= MIN_NUM_TDCS_PAGES) {
    yield "check that the operation state allows the leaf";
    const opState = store.read(tdcsCell(call, tdr, TDCS_OP_STATE));
    if (!opStateAllowsHostLeaf(call.leaf, opState)) {
      fail(TDX_OP_STATE_INCORRECT, 0, `the TD is ${opStateNames[opState] ?? opState}`);
    }
  }

  yield "register the page in the TDR";
  store.writeNumber(tdr + TDR_TDCX_PA + index * 2, hpa);
  store.write(tdr + TDR_NUM_TDCX, index + 1);
  addChildren(call, tdr, 1);
  yield "make the page the TD's own in the PAMT";
  setPageType(call, page.cell, PT_TDCX);
  setPageOwner(call, page.cell, call.num(RDX));
}

/** The first contents of a TDCS page, by its index. */
function fillTdcx(call: Call, hpa: number, index: number): void {
  const { store, memory } = call;
  if (index === TDCS_MSR_BITMAPS / PAGE_WORDS) {
    memory.fill(hpa, 0xff, PAGE_WORDS * 4);
  } else if (index === TDCS_SEPT_ROOT / PAGE_WORDS) {
    const [lo, hi] = freeEntryWords(SEPT_FREE);
    const base = memory.cell(hpa);
    for (let i = 0; i < PAGE_WORDS; i += 2) {
      store.write(base + i, lo);
      store.write(base + i + 1, hi);
    }
  } else {
    memory.zeroPage(hpa);
  }
}
