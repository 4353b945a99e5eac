/**
 * What the module does when a guest's VM exit brings an LP into it: each exit either goes back to the guest (with the
 * instruction done for it, or with an exception) or becomes a TD exit to the host.
 */

import {
  TDX_NON_RECOVERABLE_TD,
  TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE,
  TDX_NON_RECOVERABLE_VCPU,
  TDX_SUCCESS,
} from "../../arch/generated/status-codes.ts";
import { ATTRIBUTE_PERFMON_HI } from "../attributes.ts";
import type { Call } from "../call.ts";
import {
  TDCS_ATTRIBUTES,
  TDR_FATAL,
  TDVPS_LAST_EXIT_TSC,
  TDVPS_NMI_UNBLOCKING_DUE_TO_IRET,
  TDVPS_VM_LAUNCHED,
  VMCS_EXIT_QUALIFICATION,
  VMCS_EXIT_REASON,
  VMCS_IDT_VECTORING_ERROR_CODE,
  VMCS_IDT_VECTORING_INFORMATION,
  VMCS_VM_ENTRY_EXCEPTION_ERROR_CODE,
  VMCS_VM_ENTRY_INSTRUCTION_LENGTH,
  VMCS_VM_ENTRY_INTERRUPTION_INFORMATION,
  VMCS_VM_EXIT_INSTRUCTION_LENGTH,
  VMCS_VM_EXIT_INTERRUPTION_INFORMATION,
} from "../layout.ts";
import { LP_BUS_LOCK_PREEMPTED } from "../local-data.ts";
import type { Steps } from "../step.ts";
import { cpuidExit } from "./cpuid.ts";
import { crAccessExit } from "./cr-access.ts";
import { eptMisconfigurationExit, eptViolationExit } from "./ept-violation.ts";
import { injectGp, injectUd, injectVe, pendingEvent } from "./events.ts";
import { msrExit } from "./msr.ts";
import { nmiWindowExit, openNmiWindow } from "./nmi.ts";
import * as Reason from "./reasons.ts";
import { returnToGuest } from "./return.ts";
import { advanceRip, blockNmi } from "./rip.ts";
import { noteProgress } from "./stepping.ts";
import { isDebuggable, moduleFatal, REASON_BUS_LOCK_PREEMPTED, tdExit } from "./td-exit.ts";
import { tdcall } from "./tdcall.ts";
import { xsetbvExit } from "./xsetbv.ts";

/** Exit reason, beyond the basic one in bits 15:0. */
const VM_ENTRY_FAILED = 0x8000_0000;
/** Bits of the exit reason that no exit of a TD can have: all but the basic reason, bus lock, enclave mode and entry failure. */
const REASON_UNEXPECTED = 0x73ff_0000;

/** Interruption information: type of the event; vector of a machine check. */
const TYPE_NMI = 2;
const VECTOR_MC = 18;
const INTERRUPTION_VALID = 0x8000_0000;
const INTERRUPTION_ERROR_CODE = 1 << 11;
/** IDT-vectoring information: bits that VM-entry interruption information does not have. */
const VECTORING_RESERVED = 0x7fff_f000;

/** Exit qualifications: SMI that is a machine check; notify-window exit with an invalid context, with NMIs unblocked by IRET. */
const QUALIFICATION_MSMI = 1;
const QUALIFICATION_CONTEXT_INVALID = 1;
const QUALIFICATION_NMI_UNBLOCKED = 1 << 12;

/** Entry from a guest: `call` knows the VCPU, and the VMCS the exit. */
export function* vmExit(call: Call): Steps {
  const { store, vmcs, tdvpr } = call;
  const reason = store.read(vmcs + VMCS_EXIT_REASON);
  const interruption = store.read(vmcs + VMCS_VM_EXIT_INTERRUPTION_INFORMATION);

  yield "note the time of the exit";
  store.writeNumber(tdvpr + TDVPS_LAST_EXIT_TSC, call.platform.rdtsc());
  store.write(tdvpr + TDVPS_NMI_UNBLOCKING_DUE_TO_IRET, 0);
  if (reason < VM_ENTRY_FAILED) store.write(tdvpr + TDVPS_VM_LAUNCHED, 1);

  yield "check that the TD is not fatal";
  if (store.read(call.tdr + TDR_FATAL) !== 0) {
    const qualification = store.readBig(vmcs + VMCS_EXIT_QUALIFICATION);
    yield* tdExit(call, TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE, reason, { qualification, interruption });
  }
  if ((reason & REASON_BUS_LOCK_PREEMPTED) !== 0) store.write(call.lpCell + LP_BUS_LOCK_PREEMPTED, 1);
  if ((reason & REASON_UNEXPECTED) !== 0 && !isDebuggable(call)) yield* moduleFatal(call, "exit reason");

  yield "forget earlier EPT violations if the guest has moved on";
  noteProgress(call);

  yield "deliver an event that the exit interrupted again";
  yield* repeatInterruptedEvent(call, reason);

  yield "handle the exit";
  if (reason >= VM_ENTRY_FAILED) yield* entryFailure(call, reason);
  yield* handle(call, reason, interruption);

  yield "complete the instruction, unless an event is to be delivered";
  if (pendingEvent(call) === 0 && !call.interrupted) {
    openNmiWindow(call);
    advanceRip(call);
  }
  yield* returnToGuest(call);
}

function* handle(call: Call, reason: number, interruption: number): Steps {
  const { store, vmcs } = call;
  const qualification = store.readBig(vmcs + VMCS_EXIT_QUALIFICATION);
  const qualificationLo = store.read(vmcs + VMCS_EXIT_QUALIFICATION);
  const basic = reason & 0xffff;

  if (basic === Reason.TDCALL) return yield* tdcall(call);
  if (basic === Reason.CPUID) return yield* cpuidExit(call);
  if (basic === Reason.EPT_VIOLATION) return yield* eptViolationExit(call, reason);
  if (basic === Reason.MSR_READ || basic === Reason.MSR_WRITE) {
    return yield* msrExit(call, basic === Reason.MSR_WRITE, reason);
  }
  if (Reason.VIRTUALIZATION_EXCEPTION.has(basic)) {
    yield "the guest has to emulate the instruction: #VE";
    injectVe(call, reason, qualification, 0n, 0n);
    return;
  }
  if (Reason.UNDEFINED_OPCODE.has(basic)) {
    yield "no such instruction in a TD: #UD";
    injectUd(call);
    return;
  }

  switch (basic) {
    case Reason.ENQCMD_PASID_TRANSLATION_FAILURE:
      yield "#GP(0)";
      injectGp(call);
      return;
    case Reason.TASK_SWITCH:
    case Reason.BUS_LOCK:
    case Reason.INIT:
      return yield* tdExit(call, TDX_SUCCESS, reason, { qualification });
    case Reason.NOTIFY_WINDOW: {
      if ((qualificationLo & QUALIFICATION_NMI_UNBLOCKED) !== 0) blockNmi(call, true);
      const invalid = (qualificationLo & QUALIFICATION_CONTEXT_INVALID) !== 0;
      return yield* tdExit(call, invalid ? TDX_NON_RECOVERABLE_TD : TDX_SUCCESS, reason, { qualification });
    }
    case Reason.TRIPLE_FAULT:
      return yield* tdExit(call, TDX_NON_RECOVERABLE_VCPU, reason, { qualification });
    case Reason.OTHER_SMI: {
      const msmi = (qualificationLo & QUALIFICATION_MSMI) !== 0;
      const code = msmi ? TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE : TDX_SUCCESS;
      return yield* tdExit(call, code, reason, { qualification, interruption });
    }
    case Reason.EXTERNAL_INTERRUPT:
    case Reason.C_STATE_SMI:
      return yield* tdExit(call, TDX_SUCCESS, reason, { qualification, interruption });
    case Reason.RDPMC:
      return yield* rdpmcExit(call, reason, qualification);
    case Reason.EPT_MISCONFIGURATION:
      return yield* eptMisconfigurationExit(call, reason);
    case Reason.XSETBV:
      return yield* xsetbvExit(call);
    case Reason.CR_ACCESS:
      if (yield* crAccessExit(call)) return;
      return yield* tdExit(call, unlessDebuggable(call, TDX_NON_RECOVERABLE_TD), reason, { qualification });
    case Reason.EXCEPTION_OR_NMI:
      return yield* exceptionExit(call, reason, qualification, interruption);
    case Reason.NMI_WINDOW:
      return yield* nmiWindowExit(call);
    case Reason.PML_FULL:
      if (!isDebuggable(call)) return yield* moduleFatal(call, "page-modification log");
      return yield* tdExit(call, TDX_SUCCESS, reason, { qualification });
    default:
      yield "an exit that only a debugger can have asked for";
      return yield* tdExit(call, unlessDebuggable(call, TDX_NON_RECOVERABLE_TD), reason, { qualification });
  }
}

function unlessDebuggable(call: Call, code: number): number {
  return isDebuggable(call) ? TDX_SUCCESS : code;
}

function* entryFailure(call: Call, reason: number): Steps<never> {
  const qualification = call.store.readBig(call.vmcs + VMCS_EXIT_QUALIFICATION);
  switch (reason & 0xffff) {
    case Reason.ENTRY_FAILURE_GUEST_STATE:
      return yield* tdExit(call, unlessDebuggable(call, TDX_NON_RECOVERABLE_TD), reason, { qualification });
    case Reason.ENTRY_FAILURE_MACHINE_CHECK:
      return yield* tdExit(call, TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE, reason, { qualification });
    default:
      return yield* moduleFatal(call, "VM entry failure");
  }
}

/** An exit during the delivery of an event through the guest's IDT: the next VM entry delivers it again. */
function* repeatInterruptedEvent(call: Call, reason: number): Steps {
  const { store, vmcs } = call;
  const vectoring = store.read(vmcs + VMCS_IDT_VECTORING_INFORMATION);
  if (vectoring < INTERRUPTION_VALID) return;
  const basic = reason & 0xffff;
  if (basic !== Reason.TASK_SWITCH && basic !== Reason.EPT_VIOLATION && basic !== Reason.EPT_MISCONFIGURATION) {
    if (!isDebuggable(call)) yield* moduleFatal(call, "exit during event delivery");
    const qualification = store.readBig(vmcs + VMCS_EXIT_QUALIFICATION);
    yield* tdExit(call, TDX_SUCCESS, reason, { qualification });
  }
  if (((vectoring >>> 8) & 7) === TYPE_NMI) blockNmi(call, false);
  store.write(vmcs + VMCS_VM_ENTRY_INTERRUPTION_INFORMATION, vectoring & ~VECTORING_RESERVED);
  if ((vectoring & INTERRUPTION_ERROR_CODE) !== 0) {
    store.write(vmcs + VMCS_VM_ENTRY_EXCEPTION_ERROR_CODE, store.read(vmcs + VMCS_IDT_VECTORING_ERROR_CODE));
  }
  store.write(vmcs + VMCS_VM_ENTRY_INSTRUCTION_LENGTH, store.read(vmcs + VMCS_VM_EXIT_INSTRUCTION_LENGTH));
}

function* exceptionExit(call: Call, reason: number, qualification: bigint, interruption: number): Steps {
  const details = { qualification, interruption };
  if (((interruption >>> 8) & 7) === TYPE_NMI) return yield* tdExit(call, TDX_SUCCESS, reason, details);
  if ((interruption & 0xff) === VECTOR_MC) {
    yield "a machine check: the TD's memory must not be touched any more";
    return yield* tdExit(call, TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE, reason, details);
  }
  if (!isDebuggable(call)) return yield* moduleFatal(call, "exception");
  return yield* tdExit(call, TDX_SUCCESS, reason, details);
}

function* rdpmcExit(call: Call, reason: number, qualification: bigint): Steps {
  if ((call.store.read(call.tdcs + TDCS_ATTRIBUTES + 1) & ATTRIBUTE_PERFMON_HI) === 0) {
    yield "the TD has no performance monitoring: #GP(0)";
    injectGp(call);
    return;
  }
  if (!isDebuggable(call)) return yield* moduleFatal(call, "RDPMC");
  return yield* tdExit(call, TDX_SUCCESS, reason, { qualification });
}
