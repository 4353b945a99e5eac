import { PT_NDA, PT_TDR } from "../../arch/generated/pamt-types.ts";
import { TDX_HKID_NOT_FREE, TDX_OPERAND_INVALID, TDX_RND_NO_ENTROPY } from "../../arch/generated/status-codes.ts";
import { HKID_ASSIGNED, HKID_FREE, hkidStateNames } from "../../arch/generated/td-states.ts";
import { RCX, RDX } from "../../arch/registers.ts";
import { MODULE_HANDOFF_VERSION } from "../build.ts";
import { type Call, fail } from "../call.ts";
import { hkidState, lockKot, privateHkidOperand, setHkidState } from "../kot.ts";
import { TDR_HANDOFF_VERSION, TDR_HKID, TDR_LIFECYCLE_STATE, TDR_TD_UUID } from "../layout.ts";
import { EXCLUSIVE } from "../lock-words.ts";
import { lockPage, PG_4K, setPageOwner, setPageType } from "../pamt.ts";
import { writeRandom256 } from "../random.ts";
import type { Steps } from "../step.ts";
import { SYS_HKID } from "../sys.ts";
import { TD_HKID_ASSIGNED } from "../td.ts";
import { hex } from "../why.ts";

/**
 * TDH.MNG.CREATE: makes a TD: a page becomes its TDR, and it gets a KeyID.
 *
 * RCX the page · RDX the KeyID in bits 15:0.
 */
export function* tdhMngCreate(call: Call): Steps {
  const { store, memory } = call;

  yield "check that the KeyID is private";
  const hkid = privateHkidOperand(call, RDX);
  if (hkid < 0) fail(TDX_OPERAND_INVALID, RDX, `${hex(call.big(RDX))} is no private KeyID`);

  yield "lock the page (exclusive) and check that it is free";
  const page = yield* lockPage(call, call.num(RCX), PG_4K, EXCLUSIVE, PT_NDA, RCX);
  yield "lock the key ownership table (exclusive)";
  yield* lockKot(call, EXCLUSIVE);
  yield "check that the KeyID is free";
  const state = hkidState(call, hkid);
  if (state !== HKID_FREE) fail(TDX_HKID_NOT_FREE, 0, `KeyID ${hkid} is ${hkidStateNames[state] ?? state}`);

  yield "zero the page";
  call.claimPage(call.num(RCX), store.read(call.sys + SYS_HKID));
  memory.zeroPage(call.num(RCX));
  const tdr = memory.cell(call.num(RCX));
  yield "draw the TD's UUID";
  if (!writeRandom256(call, tdr + TDR_TD_UUID)) fail(TDX_RND_NO_ENTROPY);

  yield "give the KeyID to the TD";
  setHkidState(call, hkid, HKID_ASSIGNED);
  store.write(tdr + TDR_HKID, hkid);
  store.write(tdr + TDR_LIFECYCLE_STATE, TD_HKID_ASSIGNED);
  store.write(tdr + TDR_HANDOFF_VERSION, MODULE_HANDOFF_VERSION);

  yield "make the page a TDR in the PAMT";
  setPageType(call, page.cell, PT_TDR);
  setPageOwner(call, page.cell, 0);
}
