import { TDX_MAX_VCPUS_EXCEEDED } from "../../arch/generated/status-codes.ts";
import { RCX, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import {
  TDCS_GPAW,
  TDCS_MAX_VCPUS,
  TDCS_NUM_L2_VMS,
  TDCS_NUM_VCPUS,
  TDCS_XFAM,
  TDVPS_DR6,
  TDVPS_IA32_FMASK,
  TDVPS_IA32_LBR_DEPTH,
  TDVPS_LAST_EXIT_TSC,
  TDVPS_LAST_TD_EXIT,
  TDVPS_R8,
  TDVPS_RBX,
  TDVPS_RCX,
  TDVPS_RDX,
  TDVPS_RSI,
  TDVPS_VCPU_INDEX,
  TDVPS_VCPU_STATE,
  TDVPS_XCR0,
  TDVPS_XFAM as TDVPS_XFAM_COPY,
} from "../layout.ts";
import { EXCLUSIVE, SHARED } from "../lock-words.ts";
import { cpuidCell, cpuidIndex, EAX, PLATFORM_MAX_LBR_DEPTH, PLATFORM_MAX_PA } from "../platform-config.ts";
import type { Steps } from "../step.ts";
import { checkStateAndLockTdcs } from "../td.ts";
import { checkTscAdjust } from "../td-params.ts";
import {
  associateFirst,
  checkTdvpsPages,
  checkUninitialized,
  LAST_EXIT_ASYNC_FAULT,
  lockVcpu,
  VCPU_READY,
} from "../vcpu.ts";
import { initShadows, initVmcs } from "../vmcs-init.ts";
import { XFAM_LBR } from "../xfam.ts";
import { initXsaveArea } from "../xsave.ts";

const XCR0_RESET = 1;
const DR6_RESET = 0xffff_0ff0;
const FMASK_RESET = 0x2_0200;
/** GPA width that the guest finds in RBX. */
const GPA_BITS = 48;

/**
 * TDH.VP.INIT: initialises a VCPU whose TDVPS pages are there, and associates it with this LP.
 *
 * RCX TDVPR · RDX value that the guest finds in RCX and R8.
 */
export function* tdhVpInit(call: Call): Steps {
  const { store } = call;
  yield "lock the TDVPR (exclusive)";
  const { tdvpr, tdr } = yield* lockVcpu(call, RCX, EXCLUSIVE);
  const tdcs = yield* checkStateAndLockTdcs(call, tdr, SHARED);
  yield "check that all TDVPS pages are there and the VCPU is not initialised yet";
  checkTdvpsPages(call, tdvpr, tdcs);
  checkUninitialized(call, tdvpr);

  yield "give the VCPU the next index";
  const index = store.read(tdcs + TDCS_NUM_VCPUS);
  const most = store.read(tdcs + TDCS_MAX_VCPUS);
  if (index >= most) fail(TDX_MAX_VCPUS_EXCEEDED, 0, `the TD has ${index} VCPUs; its MAX_VCPUS is ${most}`);
  store.write(tdcs + TDCS_NUM_VCPUS, index + 1);
  store.write(tdvpr + TDVPS_VCPU_INDEX, index);

  yield "check that the host did not shift the TSC";
  checkTscAdjust(call); // the index stays taken if it did

  yield "initialise the guest's registers";
  store.writeNumber(tdvpr + TDVPS_LAST_EXIT_TSC, call.platform.rdtsc());
  store.writeBig(tdvpr + TDVPS_XFAM_COPY, store.readBig(tdcs + TDCS_XFAM));
  initRegisters(call, tdvpr, tdcs, index);

  yield "mark the VCPU ready and associate it with this LP";
  store.write(tdvpr + TDVPS_VCPU_STATE, VCPU_READY);
  store.write(tdvpr + TDVPS_LAST_TD_EXIT, LAST_EXIT_ASYNC_FAULT);
  initShadows(call, tdcs, tdvpr);
  associateFirst(call, tdvpr, tdcs);

  yield "initialise the VMCSs";
  const l2Vms = store.read(tdcs + TDCS_NUM_L2_VMS);
  for (let vm = 0; vm <= l2Vms; vm++) initVmcs(call, tdr, tdcs, tdvpr, vm);
}

function initRegisters(call: Call, tdvpr: number, tdcs: number, index: number): void {
  const { store, sys } = call;
  const gpaw = store.read(tdcs + TDCS_GPAW) !== 0;
  store.writeNumber(tdvpr + TDVPS_RBX, gpaw ? store.read(sys + PLATFORM_MAX_PA) : GPA_BITS);
  store.writeBig(tdvpr + TDVPS_RCX, call.big(RDX));
  store.writeBig(tdvpr + TDVPS_R8, call.big(RDX));
  store.writeNumber(tdvpr + TDVPS_RDX, store.read(cpuidCell(call, cpuidIndex(1, undefined), EAX)));
  store.writeNumber(tdvpr + TDVPS_RSI, index);
  store.writeNumber(tdvpr + TDVPS_XCR0, XCR0_RESET);
  store.writeNumber(tdvpr + TDVPS_DR6, DR6_RESET);
  store.writeNumber(tdvpr + TDVPS_IA32_FMASK, FMASK_RESET);
  initXsaveArea(call, tdvpr);
  if ((store.read(tdcs + TDCS_XFAM) & XFAM_LBR) !== 0) {
    store.writeNumber(tdvpr + TDVPS_IA32_LBR_DEPTH, store.read(sys + PLATFORM_MAX_LBR_DEPTH));
  }
}
