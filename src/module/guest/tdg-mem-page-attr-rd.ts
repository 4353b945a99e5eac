import { septStateAllowsGuestLeaf } from "../../arch/generated/sept-states.ts";
import { TDX_OPERAND_INVALID, TDX_SUCCESS } from "../../arch/generated/status-codes.ts";
import { RCX, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { readL2Attributes } from "../l2-sept.ts";
import { isPrivateGpa, tryLockSeptEntryAsGuest, walkSept } from "../sept.ts";
import { isAnyPending, levelBytes, septState } from "../sept-entry.ts";
import type { Steps } from "../step.ts";
import { hex } from "../why.ts";
import * as Reason from "./reasons.ts";
import { WHY_ENTRY_BUSY } from "./sept-violation.ts";
import { tdExit } from "./td-exit.ts";

/** RCX bit 62: the page waits to be accepted. */
export const PENDING_HI = 1 << 30;

/**
 * TDG.MEM.PAGE.ATTR.RD: how a private page is mapped.
 *
 * RCX a GPA in the page. Returns RCX the page's GPA with its level in bits 2:0, bit 62 if it waits to be accepted · RDX its
 * attributes for the TD's L2 VMs, 16 bits each; both 0 after an error.
 */
export function* tdgMemPageAttrRd(call: Call): Steps {
  const gpa = call.num(RCX);
  yield "check that the GPA is private";
  if (!isPrivateGpa(call, call.tdcs, gpa)) {
    refuse(call, TDX_OPERAND_INVALID, `${hex(gpa)} is not private`);
  }

  yield "walk the S-EPT and lock the entry";
  const entry = walkSept(call, call.tdcs, gpa, 0);
  const busy = tryLockSeptEntryAsGuest(call, entry);
  if (busy !== 0) refuse(call, busy, WHY_ENTRY_BUSY);
  yield "check that the guest may know of the page";
  if (!septStateAllowsGuestLeaf(call.leaf, septState(entry))) {
    call.release(entry.cell);
    yield* tdExit(call, TDX_SUCCESS, Reason.EPT_VIOLATION, { gpa: gpa - (gpa % 4096) });
  }
  yield "return the page's place, size and attributes";
  const page = gpa - (gpa % levelBytes(entry.level));
  call.set(RCX, (page % 2 ** 32) + entry.level, Math.floor(page / 2 ** 32) | (isAnyPending(entry) ? PENDING_HI : 0));
  call.setBig(RDX, readL2Attributes(call, { tdr: call.tdr, tdcs: call.tdcs, gpa }, entry));
}

function refuse(call: Call, code: number, why: string): never {
  call.setNum(RCX, 0);
  call.setNum(RDX, 0);
  fail(code, RCX, why);
}
