/** EPT violations and misconfigurations of a guest's own accesses. */

import { TDX_NON_RECOVERABLE_VCPU, TDX_SUCCESS } from "../../arch/generated/status-codes.ts";
import type { Call } from "../call.ts";
import { VMCS_EXIT_QUALIFICATION, VMCS_GUEST_LINEAR_ADDRESS, VMCS_GUEST_PHYSICAL_ADDRESS } from "../layout.ts";
import { walkSept } from "../sept.ts";
import type { Steps } from "../step.ts";
import { injectPf, injectVe } from "./events.ts";
import * as Reason from "./reasons.ts";
import { blockNmi, privilegeLevel } from "./rip.ts";
import { noteEptViolation } from "./stepping.ts";
import { EXTENDED_PENDING, moduleFatal, tdExit } from "./td-exit.ts";
import { gpaBits, isPending, isShared, pendingMeansExit } from "./translate.ts";

// Exit qualification of an EPT violation.
const DATA_WRITE = 1 << 1;
const FETCH = 1 << 2;
const GLA_VALID = 1 << 7;
const NMI_UNBLOCKED = 1 << 12;
const SHADOW_STACK = 1 << 13;
/** Bits 12:7 describe the linear address, which the host has no business with. */
const HIDDEN_FROM_HOST = 0x1f80n;

// Page-fault error code.
const PF_PRESENT = 1;
const PF_WRITE = 1 << 1;
const PF_USER = 1 << 2;
const PF_RESERVED = 1 << 3;
const PF_FETCH = 1 << 4;
const PF_SHADOW_STACK = 1 << 6;

const PAGE_OFFSET = 0xfffn;
/** A GPA's bits that a walk uses; the processor reports no others. */
const MAX_GPA_BITS = 52;

export function* eptViolationExit(call: Call, reason: number): Steps {
  const { store, vmcs, tdcs } = call;
  const qualification = store.read(vmcs + VMCS_EXIT_QUALIFICATION);
  const whole = store.readBig(vmcs + VMCS_EXIT_QUALIFICATION);
  const gpa = store.readBig(vmcs + VMCS_GUEST_PHYSICAL_ADDRESS);
  const gla = store.readBig(vmcs + VMCS_GUEST_LINEAR_ADDRESS);
  if ((qualification & NMI_UNBLOCKED) !== 0) blockNmi(call, true);

  yield "check for GPA bits above the shared bit: such a paging entry is a #PF with a reserved bit";
  const above = BigInt.asUintN(call.platform.config.maxpa, gpa) >> BigInt(gpaBits(call, tdcs));
  if (above > 0n && (qualification & GLA_VALID) !== 0) return yield* reservedBitFault(call, qualification, gla);

  let extended = 0n;
  const address = Number(BigInt.asUintN(MAX_GPA_BITS, gpa));
  if (!isShared(call, tdcs, address)) {
    yield "private page: walk the S-EPT and check whether it waits to be accepted";
    if (isPending(walkSept(call, tdcs, address, 0))) {
      if (!pendingMeansExit(call)) {
        injectVe(call, reason, whole, gpa, gla);
        return;
      }
      extended = BigInt(EXTENDED_PENDING);
    }
    yield "note the fault, in case the host steps the guest with faults";
    noteEptViolation(call, gpa);
  }
  yield* tdExit(call, TDX_SUCCESS, reason, {
    qualification: whole & ~HIDDEN_FROM_HOST,
    extended,
    gpa: Number(gpa & ~PAGE_OFFSET),
  });
}

function* reservedBitFault(call: Call, qualification: number, gla: bigint): Steps {
  yield "inject #PF";
  const code =
    PF_PRESENT |
    PF_RESERVED |
    ((qualification & DATA_WRITE) !== 0 ? PF_WRITE : 0) |
    (privilegeLevel(call) === 3 ? PF_USER : 0) |
    ((qualification & FETCH) !== 0 ? PF_FETCH : 0) |
    ((qualification & SHADOW_STACK) !== 0 ? PF_SHADOW_STACK : 0);
  if (!injectPf(call, gla, code)) yield* tdExit(call, TDX_NON_RECOVERABLE_VCPU, Reason.TRIPLE_FAULT);
}

/** Only the host's own tables can be misconfigured. */
export function* eptMisconfigurationExit(call: Call, reason: number): Steps {
  const gpa = call.store.readBig(call.vmcs + VMCS_GUEST_PHYSICAL_ADDRESS);
  const address = Number(BigInt.asUintN(MAX_GPA_BITS, gpa));
  if (!isShared(call, call.tdcs, address)) yield* moduleFatal(call, "misconfigured Secure EPT");
  yield* tdExit(call, TDX_SUCCESS, reason, { gpa: Number(gpa & ~PAGE_OFFSET) });
}
