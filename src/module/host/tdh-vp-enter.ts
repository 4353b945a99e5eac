import {
  TDX_INCONSISTENT_MSR,
  TDX_INCORRECT_MSR_VALUE,
  TDX_LIMIT_CPUID_MAXVAL_SET,
  TDX_OPERAND_INVALID,
  TDX_SUCCESS,
  TDX_TSC_ROLLBACK,
} from "../../arch/generated/status-codes.ts";
import { R8, R9, RAX, RBP, RBX, RCX, RDX, RSP } from "../../arch/registers.ts";
import { LP_GPR } from "../../platform/lp.ts";
import { type Call, fail } from "../call.ts";
import { cpuidFlag, FLAG_DDPD, FLAG_MONITOR_MWAIT, SPEC_CTRL_DDPD_U } from "../cpuid-flags.ts";
import { enterEpoch, releaseVcpuEpoch } from "../epoch.ts";
import { injectVe } from "../guest/events.ts";
import { openNmiWindow } from "../guest/nmi.ts";
import * as Reason from "../guest/reasons.ts";
import { bindVcpu, setRunning, vmcsOf } from "../guest/running.ts";
import { checkListedPages, NO_FAULT_EXPECTED, noteEntry } from "../guest/stepping.ts";
import { isShared } from "../guest/translate.ts";
import {
  TDCS_NOTIFY_ENABLES,
  TDCS_OP_STATE_LOCK,
  TDCS_SECURE_EPT_LOCK,
  TDVPS_CURR_VM,
  TDVPS_IA32_SPEC_CTRL,
  TDVPS_LAST_EPF_GPA_LIST_IDX,
  TDVPS_LAST_EXIT_TSC,
  TDVPS_LAST_TD_EXIT,
  TDVPS_LP_DEPENDENT_HPA_UPDATED,
  TDVPS_MODULE_DEPENDENT_FIELDS_UPDATED,
  TDVPS_RAX,
  TDVPS_RCX,
  TDVPS_VALID,
  TDVPS_VCPU_STATE,
  VMCS_EXIT_QUALIFICATION,
  VMCS_EXIT_REASON,
  VMCS_GUEST_PHYSICAL_ADDRESS,
  VMCS_IA32_DEBUGCTL,
  VMCS_IA32_SPEC_CTRL_SHADOW,
  VMCS_IDT_VECTORING_INFORMATION,
  VMCS_INTERRUPTIBILITY_STATE,
} from "../layout.ts";
import { LP_HOST_GPR, LP_LAST_TDVPR } from "../local-data.ts";
import { SHARED } from "../lock-words.ts";
import { SAMPLED_MSRS, sampledMsr } from "../platform-config.ts";
import type { Steps } from "../step.ts";
import { checkStateAndLockTdcs } from "../td.ts";
import {
  associateVcpu,
  checkTdvpsPages,
  LAST_EXIT_ASYNC_FAULT,
  LAST_EXIT_ASYNC_TRAP,
  LAST_EXIT_TDVMCALL,
  lockVcpu,
  VCPU_ACTIVE,
  VCPU_READY,
} from "../vcpu.ts";
import { markSse } from "../xsave.ts";

const IA32_TSC_ADJUST = 0x3b;
const IA32_MISC_ENABLE = 0x1a0;
const MISC_ENABLE_MONITOR_FSM = 1n << 18n;
const MISC_ENABLE_LIMIT_CPUID = 1n << 22n;
const IA32_DEBUGCTL = 0x1d9;
const DEBUGCTL_ENABLE_UNCORE_PMI = 1 << 13;

// RCX beside the address of the TDVPR; high word.
const RECOVERABILITY_HINT = 1 << 20;
const RESUME_L1 = 1 << 21;
const FLAGS_RESERVED = 0xffc0_0000;
const HPA_HI = 0x000f_ffff;

/** Bit 60 of a guest's status: the host says that trying again is worth it. */
const STATUS_HOST_RECOVERABILITY_HINT = 1 << 28;

const NOTIFY_EPT_FAULTS = 1;
const INTERRUPTIBILITY_NMI = 1 << 3;
const QUALIFICATION_NMI_UNBLOCKED = 1 << 12;
const VECTORING_VALID = 0x8000_0000;
const QUALIFICATION_WRITE = 2;

/** RCX of TDG.VP.VMCALL: the XMM registers that it passes. */
const XMM_MASK = 0xffff_0000;

/**
 * TDH.VP.ENTER: runs a VCPU on this LP until its next TD exit. The leaf's outputs are those of that exit (guest/td-exit.ts);
 * after TDG.VP.VMCALL the general registers that the guest selected pass from the host to it.
 *
 * RCX TDVPR, bit 52: hint that the reason of the last TD exit is gone, bit 53: resume the TD after an exit of its L2 VM.
 * Locks on the TDVPR and the TDR stay until the exit.
 */
export function* tdhVpEnter(call: Call): Steps {
  const { store, platform } = call;
  yield "check IA32_MISC_ENABLE: CPUID must not be limited";
  const miscEnable = platform.rdmsr(call.lp, IA32_MISC_ENABLE);
  if ((miscEnable & MISC_ENABLE_LIMIT_CPUID) !== 0n) fail(TDX_LIMIT_CPUID_MAXVAL_SET);

  yield "check the reserved bits of the operand";
  const flags = call.hi(RCX);
  if ((call.lo(RCX) & 0xfff) !== 0 || (flags & FLAGS_RESERVED) !== 0) {
    fail(TDX_OPERAND_INVALID, RCX, "reserved bits are set");
  }
  const tdvprHpa = (flags & HPA_HI) * 0x1_0000_0000 + call.lo(RCX);

  yield "lock the VCPU (shared)";
  const { tdvpr, tdr, tdrHpa } = yield* lockVcpu(call, RCX, SHARED, tdvprHpa);
  const tdcs = yield* checkStateAndLockTdcs(call, tdr, SHARED);
  yield "check that all pages of the TDVPS are there";
  checkTdvpsPages(call, tdvpr, tdcs);
  yield* associateVcpu(call, tdvpr, tdcs, false);

  yield "check the flags against the last TD exit";
  const lastExit = store.read(tdvpr + TDVPS_LAST_TD_EXIT);
  const hint = (flags & RECOVERABILITY_HINT) !== 0;
  if (hint && lastExit !== LAST_EXIT_ASYNC_TRAP) {
    fail(TDX_OPERAND_INVALID, RCX, "the last TD exit was not in the middle of a TDCALL");
  }
  if ((flags & RESUME_L1) !== 0 && store.read(tdvpr + TDVPS_CURR_VM) === 0) {
    fail(TDX_OPERAND_INVALID, RCX, "the last TD exit was not one of an L2 VM");
  }

  yield "check that the clock was not tampered with";
  if (platform.rdmsr(call.lp, IA32_TSC_ADJUST) !== sampledMsr(call, SAMPLED_MSRS.IA32_TSC_ADJUST)) {
    fail(TDX_INCONSISTENT_MSR, IA32_TSC_ADJUST);
  }
  if (platform.rdtsc() < store.readNumber(tdvpr + TDVPS_LAST_EXIT_TSC)) fail(TDX_TSC_ROLLBACK);
  yield "check that MONITOR works if the TD may use it";
  if (cpuidFlag(call, tdcs, FLAG_MONITOR_MWAIT) && (miscEnable & MISC_ENABLE_MONITOR_FSM) === 0n) {
    fail(TDX_INCORRECT_MSR_VALUE, IA32_MISC_ENABLE);
  }

  yield* enterEpoch(call, tdcs, tdvpr);

  yield "note where the guest is entered";
  const vmcs = vmcsOf(call, tdvpr);
  noteEntry(call, vmcs);
  const faulting = yield* checkListedPages(call, tdcs, tdvpr);
  if (faulting !== NO_FAULT_EXPECTED) return yield* exitAtOnce(call, tdcs, tdvpr, faulting);

  yield "all checks passed: release the operation state";
  call.release(tdcs + TDCS_OP_STATE_LOCK);
  yield "forget the translations of another VCPU: the processor does not tell VCPUs of a TD apart";
  if (store.readNumber(call.lpCell + LP_LAST_TDVPR) !== tdvprHpa) {
    platform.tlb.flush(call.lp);
    store.writeNumber(call.lpCell + LP_LAST_TDVPR, tdvprHpa);
  }
  yield "the VCPU runs on this LP; the locks on its TDVPR and TDR are kept";
  setRunning(call, tdvprHpa, tdrHpa);
  bindVcpu(call);
  call.ownRegisters = true;
  if (lastExit === LAST_EXIT_ASYNC_TRAP) passHint(call, hint);
  notifyGuest(call);
  openNmiWindow(call);
  store.write(tdvpr + TDVPS_VCPU_STATE, VCPU_ACTIVE);
  call.release(tdcs + TDCS_SECURE_EPT_LOCK);

  yield "bring the VMCS up to date";
  updateVmcs(call);
  yield "swap the host's registers for the guest's";
  swapRegisters(call, lastExit === LAST_EXIT_TDVMCALL);
}

/**
 * A page that the guest needs would fault again and again: the host gets the EPT violation without the guest having run.
 * Outputs as of a TD exit, but RBP stays.
 */
function* exitAtOnce(call: Call, tdcs: number, tdvpr: number, gpa: number): Steps {
  yield "a page would fault again: return an EPT violation without entering the guest";
  releaseVcpuEpoch(call, tdcs, tdvpr);
  call.store.write(tdvpr + TDVPS_VCPU_STATE, VCPU_READY);
  call.store.write(tdvpr + TDVPS_LAST_TD_EXIT, LAST_EXIT_ASYNC_FAULT);
  for (let register = RBX; register <= 15; register++) {
    if (register !== RSP && register !== RBP) call.setNum(register, 0);
  }
  call.setNum(RCX, QUALIFICATION_WRITE);
  call.setNum(RDX, 0);
  call.setNum(R8, gpa - (gpa % 4096));
  call.setNum(R9, 0);
  call.statusHi = TDX_SUCCESS;
  call.statusLo = Reason.EPT_VIOLATION;
}

/** The guest's TDCALL that ended with a trap-like exit learns whether to try again. */
function passHint(call: Call, hint: boolean): void {
  const cell = call.tdvpr + TDVPS_RAX + 1;
  const status = call.store.read(cell);
  call.store.write(cell, hint ? status | STATUS_HOST_RECOVERABILITY_HINT : status & ~STATUS_HOST_RECOVERABILITY_HINT);
}

/** A guest that asked for it gets #VE when a zero-step attack is suspected and the last exit was a fault on a private page. */
function notifyGuest(call: Call): void {
  const { store, tdcs, tdvpr, vmcs } = call;
  if (store.read(tdvpr + TDVPS_LAST_EPF_GPA_LIST_IDX) === 0) return;
  if (store.read(tdcs + TDCS_NOTIFY_ENABLES) !== NOTIFY_EPT_FAULTS) return;
  const reason = store.read(vmcs + VMCS_EXIT_REASON);
  const gpa = store.readBig(vmcs + VMCS_GUEST_PHYSICAL_ADDRESS);
  if ((reason & 0xffff) !== Reason.EPT_VIOLATION || isShared(call, tdcs, Number(gpa))) return;
  const qualification = store.readBig(vmcs + VMCS_EXIT_QUALIFICATION);
  const blocked =
    (store.read(vmcs + VMCS_INTERRUPTIBILITY_STATE) & INTERRUPTIBILITY_NMI) !== 0 ||
    (Number(qualification & 0xffffn) & QUALIFICATION_NMI_UNBLOCKED) !== 0 ||
    store.read(vmcs + VMCS_IDT_VECTORING_INFORMATION) >= VECTORING_VALID ||
    store.read(tdvpr + TDVPS_VALID) !== 0;
  if (!blocked) injectVe(call, reason, qualification, gpa, 0n);
}

function updateVmcs(call: Call): void {
  const { store, tdcs, tdvpr, vmcs } = call;
  const debugctl = store.read(vmcs + VMCS_IA32_DEBUGCTL);
  const host = Number(call.platform.rdmsr(call.lp, IA32_DEBUGCTL) & 0xffff_ffffn) & DEBUGCTL_ENABLE_UNCORE_PMI;
  store.write(vmcs + VMCS_IA32_DEBUGCTL, (debugctl & ~DEBUGCTL_ENABLE_UNCORE_PMI) | host);

  const specCtrl = store.readBig(tdvpr + TDVPS_IA32_SPEC_CTRL);
  const shown = cpuidFlag(call, tdcs, FLAG_DDPD) ? specCtrl : specCtrl & ~SPEC_CTRL_DDPD_U;
  store.writeBig(vmcs + VMCS_IA32_SPEC_CTRL_SHADOW, shown);
  store.write(tdvpr + TDVPS_MODULE_DEPENDENT_FIELDS_UPDATED, 1);
  store.write(tdvpr + TDVPS_LP_DEPENDENT_HPA_UPDATED, 1);
}

/**
 * The guest's RSP is in its VMCS; that of the LP stays. After TDG.VP.VMCALL the registers in the guest's RCX are the host's. Of
 * XMM registers, which have no contents here, only that they are in use.
 */
function swapRegisters(call: Call, fromVmcall: boolean): void {
  const { store, tdvpr } = call;
  const gpr = call.lpCell + LP_GPR;
  call.joinRegisters();
  const mask = fromVmcall ? store.read(tdvpr + TDVPS_RCX) : 0;
  for (let register = RAX; register <= 15; register++) {
    const lo = store.read(gpr + register * 2);
    const hi = store.read(gpr + register * 2 + 1);
    store.write(call.lpCell + LP_HOST_GPR + register * 2, lo);
    store.write(call.lpCell + LP_HOST_GPR + register * 2 + 1, hi);
    if (register === RSP) continue;
    if (register >= RDX && ((mask >>> register) & 1) !== 0) continue;
    store.write(gpr + register * 2, store.read(tdvpr + TDVPS_RAX + register * 2));
    store.write(gpr + register * 2 + 1, store.read(tdvpr + TDVPS_RAX + register * 2 + 1));
  }
  if (fromVmcall) call.set(RAX, 0, TDX_SUCCESS);
  if ((mask & XMM_MASK) !== 0) markSse(call, tdvpr);
}
