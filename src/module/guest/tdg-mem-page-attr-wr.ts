import { SEPT_FREE, septStateAllowsGuestLeaf } from "../../arch/generated/sept-states.ts";
import {
  TDX_L2_SEPT_WALK_FAILED,
  TDX_OPERAND_INVALID,
  TDX_PAGE_ATTR_INVALID,
  TDX_PAGE_SIZE_MISMATCH,
} from "../../arch/generated/status-codes.ts";
import { R8, RCX, RDX } from "../../arch/registers.ts";
import { type Call, Completion, fail } from "../call.ts";
import {
  ATTR_PRESENT,
  ATTR_PWA,
  ATTR_R,
  ATTR_RESERVED,
  ATTR_SVE,
  ATTR_VALID,
  ATTR_W,
  freeL2Entry,
  l2Attributes,
  setL2Attributes,
  setL2Leaf,
  writeL2Entry,
} from "../l2-entry.ts";
import { aliasesOf, type LockedGpa, l2Detail, l2Vms, setAlias, walkL2AsGuest } from "../l2-sept.ts";
import { TDCS_VM_CTLS } from "../layout.ts";
import { PG_1G, PG_4K } from "../pamt.ts";
import { checkGpaAndLevel, isPrivateGpa, tryLockSeptEntryAsGuest, walkSept } from "../sept.ts";
import { isAnyPending, isBlockedForWriting, isLeaf, type SeptEntry, septHpa, septState } from "../sept-entry.ts";
import type { Steps } from "../step.ts";
import { l2ViolationExit, septViolationExit, WHY_ENTRY_BUSY } from "./sept-violation.ts";
import { EXTENDED_ATTR_WR } from "./td-exit.ts";
import { PENDING_HI } from "./tdg-mem-page-attr-rd.ts";

const MAX_VMS = 4;
/** TDCS.VM_CTLS of a VM, bit 0: a missing page of its S-EPT is the host's business. */
const EXIT_ON_WALK_FAILURE = 1;

/** What is to become of the page in one L2 VM. */
interface Change {
  readonly vm: number;
  /** The VM's entry. */
  readonly entry: SeptEntry;
  readonly isNew: boolean;
}

/**
 * TDG.MEM.PAGE.ATTR.WR: gives L2 VMs access to a page of the TD.
 *
 * RCX GPA and level · RDX attributes, 16 bits for each VM · R8 which of their bits to change.
 * Returns RCX GPA and level, bit 62 if the page waits to be accepted · RDX the new attributes; both 0 after an error, but after
 * TDX_PAGE_ATTR_INVALID the attributes that the page would have had without the illegal ones.
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

  const attributes = [0, 1, 2, 3].map((vm) => attributesOf(call, RDX, vm));
  const changes = yield* planChanges(call, { tdr: call.tdr, tdcs: call.tdcs, gpa }, entry, attributes);

  yield "change the entries of the L2 VMs";
  for (const { vm, entry: alias, isNew } of changes) {
    const wanted = attributes[vm] as number;
    if (isNew) {
      setL2Leaf(alias, wanted, septHpa(entry), isAnyPending(entry));
      setAlias(call, entry, vm, true);
    } else if ((wanted & ATTR_PRESENT) !== 0) {
      setL2Attributes(alias, wanted);
    } else {
      freeL2Entry(alias);
      setAlias(call, entry, vm, false);
      attributes[vm] = ATTR_VALID;
    }
    writeL2Entry(call, alias);
  }
  yield "return the attributes";
  call.set(RCX, call.lo(RCX), call.hi(RCX) | (isAnyPending(entry) ? PENDING_HI : 0));
  returnAttributes(call, attributes);
}

/**
 * Finds the entries of the L2 VMs that are to change; `attributes` become what the page will have.
 * Errors: TDX_PAGE_ATTR_INVALID; TDX_L2_SEPT_WALK_FAILED, or an exit to the host, if a VM's S-EPT lacks a page.
 */
function* planChanges(call: Call, at: LockedGpa, l1: SeptEntry, attributes: number[]): Steps<Change[]> {
  const changes: Change[] = [];
  let illegal = 0;
  for (let vm = 1; vm <= l2Vms(call, at.tdcs); vm++) {
    const mask = attributesOf(call, R8, vm) | ATTR_VALID;
    const masked = (attributes[vm] as number) & mask;
    if ((masked & ATTR_VALID) === 0) continue;
    const isAliased = aliasesOf(l1).includes(vm);
    if (!isAliased && (masked & ATTR_PRESENT) === 0) continue;
    yield "walk the Secure EPT of the next L2 VM";
    const entry = walkL2AsGuest(call, at, vm, l1.level);
    const current = isAliased ? l2Attributes(entry, isBlockedForWriting(l1)) : 0;
    const wanted = (current & ~mask) | masked;
    if ((wanted & ATTR_PRESENT) !== 0 && !isLegal(wanted)) {
      illegal = vm;
      attributes[vm] = current;
      continue;
    }
    attributes[vm] = wanted;
    if (entry.level !== l1.level) yield* walkFailed(call, at, l1, entry, vm);
    changes.push({ vm, entry, isNew: !isAliased });
  }
  if (illegal !== 0) {
    call.setNum(RCX, 0);
    returnAttributes(call, attributes);
    fail(TDX_PAGE_ATTR_INVALID, 0, `the attributes for VM ${illegal} exclude each other`);
  }
  return changes;
}

/** A page of the VM's S-EPT is missing: by the TD's choice the guest or the host is told. */
function* walkFailed(call: Call, at: LockedGpa, l1: SeptEntry, entry: SeptEntry, vm: number): Steps<never> {
  if ((call.store.read(at.tdcs + TDCS_VM_CTLS + vm * 2) & EXIT_ON_WALK_FAILURE) === 0) {
    refuse(call, TDX_L2_SEPT_WALK_FAILED, l2Detail(vm, entry.level), `the S-EPT of VM ${vm} lacks a page`);
  }
  call.release(l1.cell);
  return yield* l2ViolationExit(call, at.gpa, entry, vm);
}

/** W and PWA need R; suppress-#VE is not for the guest to set. */
function isLegal(attributes: number): boolean {
  const isReadable = (attributes & ATTR_R) !== 0;
  return (attributes & (ATTR_RESERVED | ATTR_SVE)) === 0 && (isReadable || (attributes & (ATTR_W | ATTR_PWA)) === 0);
}

function returnAttributes(call: Call, attributes: readonly number[]): void {
  const [vm0 = 0, vm1 = 0, vm2 = 0, vm3 = 0] = attributes;
  call.set(RDX, vm0 | (vm1 << 16), vm2 | (vm3 << 16));
}

function attributesOf(call: Call, register: number, vm: number): number {
  return ((vm < 2 ? call.lo(register) : call.hi(register)) >>> ((vm & 1) * 16)) & 0xffff;
}

/** Only existing L2 VMs may have attributes, and only ones that are marked as valid. */
function checkAttributes(call: Call): void {
  const vms = l2Vms(call, call.tdcs);
  for (let vm = 0; vm < MAX_VMS; vm++) {
    const attributes = attributesOf(call, RDX, vm);
    if (vm === 0 || vm > vms) {
      if (attributes !== 0) refuse(call, TDX_OPERAND_INVALID, RDX, `VM ${vm} cannot have attributes`);
      if (attributesOf(call, R8, vm) !== 0) {
        refuse(call, TDX_OPERAND_INVALID, R8, `VM ${vm} cannot have attributes`);
      }
    } else if (attributes !== 0 && (attributes & ATTR_VALID) === 0) {
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
