/** The TDCALL dispatcher: which leaf the guest calls, and what becomes of the leaf's status. */

import {
  TDX_HOST_PRIORITY_BUSY_TIMEOUT,
  TDX_OPERAND_BUSY,
  TDX_OPERAND_BUSY_HOST_PRIORITY,
  TDX_OPERAND_INVALID,
} from "../../arch/generated/status-codes.ts";
import { RAX } from "../../arch/registers.ts";
import { type Call, Completion, entryOver, fail } from "../call.ts";
import { guestLeaves } from "../guest-leaves.ts";
import { TDCS_HP_LOCK_TIMEOUT, TDVPS_HP_LOCK_BUSY, TDVPS_HP_LOCK_BUSY_START } from "../layout.ts";
import type { Steps } from "../step.ts";
import { injectGp } from "./events.ts";
import { is64Bit } from "./rip.ts";
import { tdExitWithoutReason } from "./td-exit.ts";

/** The only leaf that has more than one version. */
const TDG_VM_RD = 7;

/** TDCALL: leaf and version in RAX, which receives the status. */
export function* tdcall(call: Call): Steps {
  yield "check that the guest runs in 64-bit mode";
  if (!is64Bit(call)) {
    injectGp(call);
    return;
  }
  call.statusHi = 0;
  call.statusLo = 0;
  try {
    yield* runLeaf(call);
  } catch (error) {
    if (!(error instanceof Completion) || error === entryOver) throw error;
    call.statusHi = error.hi;
    call.statusLo = error.lo;
    call.why = error.why;
  }
  yield* watchHostPriority(call);
  yield "return the status in RAX";
  if (!call.interrupted) call.set(RAX, call.statusLo, call.statusHi);
}

function* runLeaf(call: Call): Steps {
  yield "check the leaf number and version in RAX";
  const reserved = (call.lo(RAX) & 0xff00_0000) !== 0 || call.hi(RAX) !== 0;
  if (reserved || (call.version > 0 && call.leaf !== TDG_VM_RD)) {
    fail(TDX_OPERAND_INVALID, RAX, `reserved bits, or a version that leaf ${call.leaf} does not have`);
  }
  const leaf = guestLeaves[call.leaf];
  if (leaf === undefined) fail(TDX_OPERAND_INVALID, RAX, `there is no guest leaf ${call.leaf}`);
  yield* leaf(call);
}

/**
 * A host that failed to get a lock makes guests fail until it gets it. If that keeps a VCPU from going on for longer than
 * HP_LOCK_TIMEOUT, the host is told by a TD exit.
 */
function* watchHostPriority(call: Call): Steps {
  const { store, tdvpr } = call;
  if (call.statusHi !== TDX_OPERAND_BUSY_HOST_PRIORITY) {
    store.write(tdvpr + TDVPS_HP_LOCK_BUSY, 0);
    return;
  }
  yield "the host has priority on the lock: watch for how long";
  call.statusHi = TDX_OPERAND_BUSY; // guests know no other status
  const now = call.platform.rdtsc();
  if (store.read(tdvpr + TDVPS_HP_LOCK_BUSY) === 0) {
    store.write(tdvpr + TDVPS_HP_LOCK_BUSY, 1);
    store.writeNumber(tdvpr + TDVPS_HP_LOCK_BUSY_START, now);
    return;
  }
  const waited = now - store.readNumber(tdvpr + TDVPS_HP_LOCK_BUSY_START);
  if (waited < store.readNumber(call.tdcs + TDCS_HP_LOCK_TIMEOUT)) return;
  store.write(tdvpr + TDVPS_HP_LOCK_BUSY, 0);
  call.set(RAX, call.statusLo, call.statusHi);
  yield* tdExitWithoutReason(call, TDX_HOST_PRIORITY_BUSY_TIMEOUT);
}
