import { SEPT_FREE, septStateAllowsGuestLeaf } from "../../arch/generated/sept-states.ts";
import {
  TDX_L2_SEPT_WALK_FAILED,
  TDX_OPERAND_INVALID,
  TDX_PAGE_SIZE_MISMATCH,
} from "../../arch/generated/status-codes.ts";
import { R8, RCX, RDX } from "../../arch/registers.ts";
import { type Call, Completion, fail } from "../call.ts";
import { TDCS_EPTP, TDCS_NUM_L2_VMS } from "../layout.ts";
import { PG_1G, PG_4K } from "../pamt.ts";
import { checkGpaAndLevel, isPrivateGpa, tryLockSeptEntryAsGuest, walkSept } from "../sept.ts";
import { isLeaf, septState } from "../sept-entry.ts";
import type { Steps } from "../step.ts";
import { isAnyPending, septViolationExit, WHY_ENTRY_BUSY } from "./sept-violation.ts";
import { EXTENDED_ATTR_WR } from "./td-exit.ts";
import { PENDING_HI } from "./tdg-mem-page-attr-rd.ts";

const MAX_VMS = 4;
/** Attributes of one VM: 16 bits, of which bit 15 says that they are to be used; R, W, Xs and Xu make a page present. */
const ATTRIBUTES_VALID = 1 << 15;
const ATTRIBUTES_PRESENT = 0b1111;

/**
 * TDG.MEM.PAGE.ATTR.WR: gives L2 VMs access to a page of the TD.
 *
 * RCX GPA and level · RDX attributes, 16 bits for each VM · R8 which of their bits to change.
 * Returns RCX GPA and level, bit 62 if the page waits to be accepted · RDX the new attributes; both 0 after an error.
 *
 * The VMs' own Secure EPTs are not part of this emulator: for a VM that has none, the walk through it fails.
 */
export function* tdgMemPageAttrWr(call: Call): Steps {
  yield "check the attributes and their mask";
  checkAttributes(call);
  yield "check the GPA and the level";
  const { gpa, level } = checkOperand(call);

  yield "walk the S-EPT and lock the entry";
  const entry = walkSept(call, call.tdcs, gpa, level);
  if (entry.level !== level) yield* septViolationExit(call, gpa, level, entry, EXTENDED_ATTR_WR);
  const busy = tryLockSeptEntryAsGuest(call, entry);
  if (busy !== 0) refuse(call, busy, RCX, WHY_ENTRY_BUSY);
  yield "check that the entry maps a page that the guest may write";
  const state = septState(entry);
  if (!isLeaf(entry) && state !== SEPT_FREE) {
    refuse(call, TDX_PAGE_SIZE_MISMATCH, entry.level, "the range is mapped by smaller pages");
  }
  if (!septStateAllowsGuestLeaf(call.leaf, state)) {
    call.release(entry.cell);
    yield* septViolationExit(call, gpa, level, entry, EXTENDED_ATTR_WR);
  }

  yield "walk the Secure EPT of each VM that is to get access";
  for (let vm = 1; vm < MAX_VMS; vm++) {
    const attributes = attributesOf(call, RDX, vm) & (attributesOf(call, R8, vm) | ATTRIBUTES_VALID);
    if ((attributes & ATTRIBUTES_VALID) !== 0 && (attributes & ATTRIBUTES_PRESENT) !== 0) {
      const root = (call.store.read(call.tdcs + TDCS_EPTP) >>> 3) & 7;
      refuse(call, TDX_L2_SEPT_WALK_FAILED, vm | (root << 16), `L2 VM ${vm} has no Secure EPT`);
    }
  }
  yield "return the attributes";
  call.set(RCX, call.lo(RCX), call.hi(RCX) | (isAnyPending(entry) ? PENDING_HI : 0));
  call.set(RDX, call.lo(RDX), call.hi(RDX));
}

function attributesOf(call: Call, register: number, vm: number): number {
  return ((vm < 2 ? call.lo(register) : call.hi(register)) >>> ((vm & 1) * 16)) & 0xffff;
}

/** Only existing L2 VMs may have attributes, and only ones that are marked as valid. */
function checkAttributes(call: Call): void {
  const vms = call.store.read(call.tdcs + TDCS_NUM_L2_VMS);
  for (let vm = 0; vm < MAX_VMS; vm++) {
    const attributes = attributesOf(call, RDX, vm);
    if (vm === 0 || vm > vms) {
      if (attributes !== 0) refuse(call, TDX_OPERAND_INVALID, RDX, `VM ${vm} cannot have attributes`);
      if (attributesOf(call, R8, vm) !== 0) {
        refuse(call, TDX_OPERAND_INVALID, R8, `VM ${vm} cannot have attributes`);
      }
    } else if (attributes !== 0 && (attributes & ATTRIBUTES_VALID) === 0) {
      refuse(call, TDX_OPERAND_INVALID, RDX, `the attributes of VM ${vm} are not marked as valid`);
    }
  }
}

function checkOperand(call: Call): { gpa: number; level: number } {
  try {
    const operand = checkGpaAndLevel(call, RCX, PG_4K, PG_1G);
    if (isPrivateGpa(call, call.tdcs, operand.gpa)) return operand;
  } catch (error) {
    if (!(error instanceof Completion)) throw error;
  }
  refuse(call, TDX_OPERAND_INVALID, RCX, "no private GPA with a level that it is aligned to");
}

function refuse(call: Call, code: number, detail: number, why: string): never {
  call.setNum(RCX, 0);
  call.setNum(RDX, 0);
  fail(code, detail, why);
}
