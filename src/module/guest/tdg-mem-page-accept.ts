import { SEPT_FREE, SEPT_STATES, septStateAllowsGuestLeaf } from "../../arch/generated/sept-states.ts";
import {
  TDX_OPERAND_INVALID,
  TDX_PAGE_ALREADY_ACCEPTED,
  TDX_PAGE_SIZE_MISMATCH,
} from "../../arch/generated/status-codes.ts";
import { RCX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { unblockL2 } from "../l2-entry.ts";
import { changeAliases } from "../l2-sept.ts";
import { PAGE_4K, PG_2M, PG_4K } from "../pamt.ts";
import { checkGpaAndLevel, isPrivateGpa, tryLockSeptEntryAsGuest, walkSept } from "../sept.ts";
import {
  accept,
  isLeaf,
  readSeptEntry,
  SEPT_ACCEPT_COUNTER,
  type SeptEntry,
  septHpa,
  septState,
  writeSeptEntry,
} from "../sept-entry.ts";
import type { Steps } from "../step.ts";
import { claimTdPage } from "../td.ts";
import { hex } from "../why.ts";
import { isGuestAccessible, septViolationExit, WHY_ENTRY_BUSY } from "./sept-violation.ts";
import { EXTENDED_ACCEPT } from "./td-exit.ts";

const SMALL_PAGES_IN_2M = 512;

/**
 * TDG.MEM.PAGE.ACCEPT: the guest takes a page that the host gave it (TDH.MEM.PAGE.AUG). The page is zeroed and mapped.
 *
 * RCX GPA and level (0: 4 KiB, 1: 2 MiB). A page that cannot be accepted as asked is a TD exit (EPT violation), so that the host
 * provides it. A 2 MiB page can be interrupted between its small pages; the TDCALL is then to be repeated.
 */
export function* tdgMemPageAccept(call: Call): Steps {
  const { tdcs } = call;
  yield "check the GPA and the level";
  const { gpa, level } = checkGpaAndLevel(call, RCX, PG_4K, PG_2M);
  if (!isPrivateGpa(call, tdcs, gpa)) fail(TDX_OPERAND_INVALID, RCX, `${hex(gpa)} is not private`);

  yield "walk the S-EPT";
  const entry = walkSept(call, tdcs, gpa, level);
  if (entry.level !== level) {
    if (isGuestAccessible(entry)) alreadyAccepted(entry);
    yield* septViolationExit(call, gpa, level, entry, EXTENDED_ACCEPT);
  }

  yield "lock the S-EPT entry";
  const busy = tryLockSeptEntryAsGuest(call, entry);
  if (busy !== 0) fail(busy, RCX, WHY_ENTRY_BUSY);
  yield "read the entry again and check that it maps a page that waits to be accepted";
  readSeptEntry(call, entry);
  const state = septState(entry);
  if (state !== SEPT_FREE && !isLeaf(entry)) {
    fail(TDX_PAGE_SIZE_MISMATCH, entry.level, "the range is mapped by smaller pages");
  }
  if (isGuestAccessible(entry)) alreadyAccepted(entry);
  if (!septStateAllowsGuestLeaf(call.leaf, state)) {
    call.release(entry.cell);
    yield* septViolationExit(call, gpa, level, entry, EXTENDED_ACCEPT);
  }

  yield "zero the page";
  if (level === PG_4K) {
    claimTdPage(call, call.tdr, septHpa(entry));
    call.memory.zeroPage(septHpa(entry));
  } else yield* zeroLargePage(call, entry);
  if (call.interrupted) return;

  yield "map it with all permissions";
  accept(entry);
  changeAliases(call, { tdr: call.tdr, tdcs, gpa }, entry, unblockL2);
  writeSeptEntry(call, entry, entry.lo, entry.hi);
}

function alreadyAccepted(entry: SeptEntry): never {
  fail(
    TDX_PAGE_ALREADY_ACCEPTED,
    entry.level,
    `the entry of level ${entry.level} is ${SEPT_STATES[septState(entry)]?.name}`,
  );
}

/** Page by page; how many are done is counted in the entry, where a repeated TDCALL finds it. */
function* zeroLargePage(call: Call, entry: SeptEntry): Steps {
  const base = septHpa(entry) - (septHpa(entry) % (SMALL_PAGES_IN_2M * PAGE_4K));
  let done = (entry.lo & SEPT_ACCEPT_COUNTER) >>> 12;
  for (;;) {
    claimTdPage(call, call.tdr, base + done * PAGE_4K);
    call.memory.zeroPage(base + done * PAGE_4K);
    done++;
    if (done === SMALL_PAGES_IN_2M) break;
    if (call.platform.pollInterrupt() !== 0) {
      call.interrupted = true;
      break;
    }
  }
  yield call.interrupted ? "an interrupt is pending: note how far it got" : "all small pages are zero";
  const counter = call.interrupted ? done << 12 : 0;
  writeSeptEntry(call, entry, (entry.lo & ~SEPT_ACCEPT_COUNTER) | counter, entry.hi);
}
