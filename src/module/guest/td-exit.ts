/**
 * TD exit: the guest's state goes to its TDVPS, the locks of TDH.VP.ENTER are released, and TDH.VP.ENTER returns to the host
 * with what happened: RAX status (exit reason in bits 31:0), RCX exit qualification, RDX extended exit qualification, R8 GPA,
 * R9 interruption information, all other registers 0. After TDG.VP.VMCALL the guest chooses what the registers hold.
 *
 * A VCPU is ready again after an exit, unless the exit made it unusable:
 * - VCPU_DISABLED after TDX_NON_RECOVERABLE_VCPU (a triple fault);
 * - after TDX_NON_RECOVERABLE_TD* the whole TD is fatal (TDR.FATAL) and can only be torn down.
 */

import {
  TDX_HOST_PRIORITY_BUSY_TIMEOUT,
  TDX_NON_RECOVERABLE_TD,
  TDX_NON_RECOVERABLE_TD_CORRUPTED_MD,
  TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE,
  TDX_NON_RECOVERABLE_TD_WRONG_APIC_MODE,
  TDX_NON_RECOVERABLE_VCPU,
  TDX_SUCCESS,
  TDX_SYS_SHUTDOWN,
} from "../../arch/generated/status-codes.ts";
import { SYS_SHUTDOWN } from "../../arch/generated/system-states.ts";
import { R8, R9, RAX, RBP, RCX, RDX, RSP } from "../../arch/registers.ts";
import { LP_GPR } from "../../platform/lp.ts";
import { ATTRIBUTE_DEBUG } from "../attributes.ts";
import { type Call, endEntry } from "../call.ts";
import { releaseVcpuEpoch } from "../epoch.ts";
import {
  TDCS_ATTRIBUTES,
  TDCS_CONFIG_FLAGS,
  TDR_FATAL,
  TDVPS_LAST_TD_EXIT,
  TDVPS_RAX,
  TDVPS_VCPU_STATE,
} from "../layout.ts";
import { LP_BUS_LOCK_PREEMPTED, LP_HOST_GPR } from "../local-data.ts";
import type { Steps } from "../step.ts";
import { SYS_STATE } from "../sys.ts";
import { LAST_EXIT_ASYNC_FAULT, LAST_EXIT_ASYNC_TRAP, LAST_EXIT_TDVMCALL, VCPU_DISABLED, VCPU_READY } from "../vcpu.ts";
import { saveExtendedState } from "../xsave.ts";
import { advanceRip } from "./rip.ts";
import { setNotRunning } from "./running.ts";

/** Exit reason: a bus lock was preempted (Intel SDM, volume 3, "Basic VM-Exit Information"). */
export const REASON_BUS_LOCK_PREEMPTED = 1 << 26;

/** Kinds of extended exit qualification, bits 3:0; the details are in bits 63:32. */
export const EXTENDED_ACCEPT = 1;
export const EXTENDED_ATTR_WR = 5;
export const EXTENDED_PENDING = 6;

/** TDCS.CONFIG_FLAGS: TDG.VP.VMCALL leaves the host's RBP alone. */
export const NO_RBP_MOD = 1 << 2;

export interface ExitDetails {
  /** Only bits 31:0 reach the host as they are; 33:32 say which VM exited, here always the TD itself. */
  readonly qualification?: bigint;
  readonly extended?: bigint;
  readonly gpa?: number;
  readonly interruption?: number;
}

const VM_FIELD = 0x3_0000_0000n;

/** True for a TD that its host may debug: exits that would be fatal to others are only reported. */
export function isDebuggable(call: Call): boolean {
  return (call.store.read(call.tdcs + TDCS_ATTRIBUTES) & ATTRIBUTE_DEBUG) !== 0;
}

/** An exit that the guest did not ask for. `code` is the status, `reason` the VM exit reason. */
export function* tdExit(call: Call, code: number, reason: number, details: ExitDetails = {}): Steps<never> {
  const { store, lpCell } = call;
  yield "note a preempted bus lock in the exit reason";
  let exitReason = reason;
  if (store.read(lpCell + LP_BUS_LOCK_PREEMPTED) !== 0) exitReason |= REASON_BUS_LOCK_PREEMPTED;
  return yield* asyncExit(call, code, exitReason, details);
}

/** An exit in the middle of a TDCALL, without VM exit reason. */
export function* tdExitWithoutReason(call: Call, code: number): Steps<never> {
  return yield* asyncExit(call, code, 0, {});
}

function* asyncExit(call: Call, code: number, reason: number, details: ExitDetails): Steps<never> {
  const { store } = call;
  store.write(call.lpCell + LP_BUS_LOCK_PREEMPTED, 0);

  yield "choose the next state of the VCPU and the TD";
  let state = store.read(call.tdvpr + TDVPS_VCPU_STATE);
  let lastExit = store.read(call.tdvpr + TDVPS_LAST_TD_EXIT);
  switch (code) {
    case TDX_SUCCESS:
      state = VCPU_READY;
      lastExit = LAST_EXIT_ASYNC_FAULT;
      break;
    case TDX_HOST_PRIORITY_BUSY_TIMEOUT:
      state = VCPU_READY;
      lastExit = LAST_EXIT_ASYNC_TRAP;
      break;
    case TDX_NON_RECOVERABLE_VCPU:
      state = VCPU_DISABLED;
      break;
    case TDX_NON_RECOVERABLE_TD:
    case TDX_NON_RECOVERABLE_TD_WRONG_APIC_MODE:
    case TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE:
    case TDX_NON_RECOVERABLE_TD_CORRUPTED_MD:
      store.write(call.tdr + TDR_FATAL, 1);
      break;
  }
  const inaccessible = code === TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE;
  const trap = code === TDX_HOST_PRIORITY_BUSY_TIMEOUT;
  yield* leaveGuest(call, state, lastExit, inaccessible, trap);

  yield "tell the host what happened";
  for (let register = RAX; register <= 15; register++) if (register !== RSP) call.setNum(register, 0);
  call.set(RAX, reason, code);
  call.setBig(RCX, (details.qualification ?? 0n) & ~VM_FIELD);
  call.setBig(RDX, details.extended ?? 0n);
  call.setNum(R8, details.gpa ?? 0);
  call.setNum(R9, details.interruption ?? 0);
  endEntry();
}

/**
 * The exit that TDG.VP.VMCALL asks for: the general registers that RCX (`mask`) selects pass to the host, the others are 0.
 * `reason` is the VM exit reason.
 */
export function* vmcallExit(call: Call, mask: number, reason: number): Steps<never> {
  const { store, lpCell } = call;
  const keepsRbp = (store.read(call.tdcs + TDCS_CONFIG_FLAGS) & NO_RBP_MOD) !== 0;
  let exitReason = reason;
  if (store.read(lpCell + LP_BUS_LOCK_PREEMPTED) !== 0) exitReason |= REASON_BUS_LOCK_PREEMPTED;
  store.write(lpCell + LP_BUS_LOCK_PREEMPTED, 0);
  yield* leaveGuest(call, VCPU_READY, LAST_EXIT_TDVMCALL, false, true);

  yield "pass the selected registers to the host";
  for (let register = RDX; register <= 15; register++) {
    if (register === RSP || ((mask >>> register) & 1) !== 0) continue;
    if (register === RBP && keepsRbp) {
      call.set(RBP, store.read(lpCell + LP_HOST_GPR + RBP * 2), store.read(lpCell + LP_HOST_GPR + RBP * 2 + 1));
    } else {
      call.setNum(register, 0);
    }
  }
  call.set(RAX, exitReason, TDX_SUCCESS);
  call.set(RCX, mask, 0);
  endEntry();
}

/**
 * Saves the guest (unless its memory must not be touched any more), gives the epoch reference and the locks back. The
 * registers of the LP still hold the guest's values afterwards.
 */
function* leaveGuest(call: Call, state: number, lastExit: number, inaccessible: boolean, trap: boolean): Steps {
  const { store, tdvpr } = call;
  if (!inaccessible) {
    yield "save the guest's registers and extended state in the TDVPS";
    for (let register = RAX; register <= 15; register++) {
      if (register !== RSP) copyNumber(call, call.lpCell + LP_GPR + register * 2, tdvpr + TDVPS_RAX + register * 2);
    }
    saveExtendedState(call, tdvpr);
    store.write(tdvpr + TDVPS_VCPU_STATE, state);
    store.write(tdvpr + TDVPS_LAST_TD_EXIT, lastExit);
    if (trap) advanceRip(call);

    yield "take the VCPU out of the count of its epoch";
    releaseVcpuEpoch(call, call.tdcs, tdvpr);
  }
  yield "release the locks on the TDR and the TDVPR";
  setNotRunning(call);
}

/** Copies a register's two words. */
function copyNumber(call: Call, from: number, to: number): void {
  call.store.write(to, call.store.read(from));
  call.store.write(to + 1, call.store.read(from + 1));
}

/**
 * The module's own fatal error: it met what cannot happen on a sound processor. Real ones shut down at this point; here the
 * host finds the module shut down.
 */
export function* moduleFatal(call: Call, why: string): Steps<never> {
  yield "fatal error: shut the module down";
  call.why = why;
  call.store.write(call.sys + SYS_STATE, SYS_SHUTDOWN);
  setNotRunning(call);
  for (let register = RAX; register <= 15; register++) if (register !== RSP) call.setNum(register, 0);
  call.set(RAX, 0, TDX_SYS_SHUTDOWN);
  endEntry();
}
