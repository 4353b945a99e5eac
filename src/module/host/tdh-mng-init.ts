import { OP_STATE_INITIALIZED } from "../../arch/generated/op-states.ts";
import { TDX_LIMIT_CPUID_MAXVAL_SET, TDX_OPERAND_INVALID } from "../../arch/generated/status-codes.ts";
import { RCX, RDX } from "../../arch/registers.ts";
import { ATTRIBUTE_MIGRATABLE } from "../attributes.ts";
import { type Call, fail } from "../call.ts";
import { checkAlignedSharedHpa } from "../hpa.ts";
import {
  TDCS_ATTRIBUTES,
  TDCS_HP_LOCK_TIMEOUT,
  TDCS_NUM_ASSOC_VCPUS,
  TDCS_NUM_L2_VMS,
  TDCS_NUM_VCPUS,
  TDCS_OP_STATE,
  TDCS_REFCOUNT,
  TDCS_RTMR,
  TDCS_TD_EPOCH,
} from "../layout.ts";
import { EXCLUSIVE } from "../lock-words.ts";
import { startMeasurement } from "../measurement.ts";
import { PLATFORM_TSC_FREQUENCY } from "../platform-config.ts";
import type { Steps } from "../step.ts";
import { checkStateAndLockTdcs, lockTdr, NO_LOCK } from "../td.ts";
import { configureCpuid } from "../td-cpuid.ts";
import { setArchCapabilities, setMsrBitmaps } from "../td-msrs.ts";
import {
  applyTdParams,
  checkReservedAfterCpuid,
  PARAMS_IA32_ARCH_CAPABILITIES_CONFIG,
  TD_PARAMS_BYTES,
} from "../td-params.ts";
import { setVirtualVmxMsrs } from "../vmx-controls.ts";
import { hex } from "../why.ts";

const IA32_MISC_ENABLE = 0x1a0;
/** IA32_MISC_ENABLE: CPUID is cut off at leaf 2. */
const LIMIT_CPUID_MAXVAL = 1n << 22n;
const MSR_CONFIG_CTLS = 19;
const RTMR_WORDS = 48;

/**
 * TDH.MNG.INIT: configures a TD whose TDCS pages are there.
 *
 * RCX TDR · RDX TD_PARAMS (1 KiB, aligned, host memory).
 * Returns in RCX the CPUID leaf and sub-leaf whose configuration is wrong, else 0.
 */
export function* tdhMngInit(call: Call): Steps {
  const { store } = call;
  call.setNum(RCX, 0);

  yield "check that CPUID is not limited by IA32_MISC_ENABLE";
  const miscEnable = call.platform.rdmsr(call.lp, IA32_MISC_ENABLE);
  if ((miscEnable & LIMIT_CPUID_MAXVAL) !== 0n)
    fail(TDX_LIMIT_CPUID_MAXVAL_SET, 0, `IA32_MISC_ENABLE is ${hex(miscEnable)}`);

  yield "lock the TDR (exclusive)";
  const tdr = yield* lockTdr(call, RCX, EXCLUSIVE);
  const tdcs = yield* checkStateAndLockTdcs(call, tdr, NO_LOCK);

  yield "check the address of TD_PARAMS and read them";
  const hpa = checkAlignedSharedHpa(call, call.num(RDX), TD_PARAMS_BYTES, RDX);
  const params = new DataView(call.memory.readBytes(hpa, TD_PARAMS_BYTES).buffer);

  yield "start with no VCPU, in TD epoch 1";
  store.write(tdcs + TDCS_NUM_VCPUS, 0);
  store.write(tdcs + TDCS_NUM_ASSOC_VCPUS, 0);
  store.writeNumber(tdcs + TDCS_TD_EPOCH, 1);
  store.write(tdcs + TDCS_REFCOUNT, 0);
  store.write(tdcs + TDCS_REFCOUNT + 1, 0);
  store.writeNumber(tdcs + TDCS_HP_LOCK_TIMEOUT, store.readNumber(call.sys + PLATFORM_TSC_FREQUENCY)); // one second

  yield* applyTdParams(call, tdr, tdcs, params);
  yield* configureCpuid(call, tdcs, params);
  yield "check that what follows CPUID_CONFIG is zero";
  checkReservedAfterCpuid(params);

  yield "configure the virtual IA32_ARCH_CAPABILITIES";
  const configured = (params.getUint8(MSR_CONFIG_CTLS) & 1) !== 0;
  setArchCapabilities(call, tdcs, configured, params.getBigUint64(PARAMS_IA32_ARCH_CAPABILITIES_CONFIG, true));

  yield "check that the TD is not both migratable and partitioned";
  const isMigratable = (store.read(tdcs + TDCS_ATTRIBUTES) & ATTRIBUTE_MIGRATABLE) !== 0;
  if (isMigratable && store.read(tdcs + TDCS_NUM_L2_VMS) > 0) {
    fail(TDX_OPERAND_INVALID, RDX, "the TD is MIGRATABLE and has L2 VMs");
  }

  yield "build the MSR bitmaps and the virtual VMX MSRs";
  setMsrBitmaps(call, tdr, tdcs);
  setVirtualVmxMsrs(call, tdcs);

  yield "start the measurement of the build";
  startMeasurement(call, tdcs);
  for (let i = 0; i < RTMR_WORDS; i++) store.write(tdcs + TDCS_RTMR + i, 0);

  yield "the TD is initialised";
  store.write(tdcs + TDCS_OP_STATE, OP_STATE_INITIALIZED);
}
