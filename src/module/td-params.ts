/**
 * TD_PARAMS, 1024 bytes by which the host configures a TD (TDX Module 1.5 ABI): ATTRIBUTES 0, XFAM 8, MAX_VCPUS 16, NUM_L2_VMS 18,
 * MSR_CONFIG_CTLS 19, EPTP_CONTROLS 24, CONFIG_FLAGS 32, TSC_FREQUENCY 40, MRCONFIGID 80, MROWNER 128, MROWNERCONFIG 176,
 * IA32_ARCH_CAPABILITIES_CONFIG 224, CPUID_CONFIG 256 (16 bytes each); all else must be zero. Checks and changes alternate as
 * in the module: what came before a failed check stays written, but the TD stays uninitialised.
 */
import { cpuidConfigurable } from "../arch/generated/cpuid-tables.ts";
import {
  OPERAND_ATTRIBUTES,
  OPERAND_EPTP_CONTROLS,
  OPERAND_EXEC_CONTROLS,
  OPERAND_MAX_VCPUS,
  OPERAND_NUM_L2_VMS,
  OPERAND_TSC_FREQUENCY,
  OPERAND_XFAM,
} from "../arch/generated/operand-ids.ts";
import { TDX_INCONSISTENT_MSR, TDX_OPERAND_INVALID, TDX_TDCS_NOT_ALLOCATED } from "../arch/generated/status-codes.ts";
import { RDX } from "../arch/registers.ts";
import type { PlatformConfig } from "../platform/config.ts";
import {
  ATTRIBUTE_DEBUG,
  ATTRIBUTE_MIGRATABLE,
  ATTRIBUTE_PERFMON_HI,
  ATTRIBUTE_SEPT_VE_DISABLE,
  ATTRIBUTES_FIXED0,
} from "./attributes.ts";
import { type Call, fail } from "./call.ts";
import { hasFeature } from "./features.ts";
import {
  TDCS_ATTRIBUTES,
  TDCS_CONFIG_FLAGS,
  TDCS_EPTP,
  TDCS_GPAW,
  TDCS_MAX_VCPUS,
  TDCS_MRCONFIGID,
  TDCS_MROWNER,
  TDCS_MROWNERCONFIG,
  TDCS_NUM_L2_VMS,
  TDCS_SEPT_ROOT,
  TDCS_TD_CTLS,
  TDCS_TSC_FREQUENCY,
  TDCS_TSC_MULTIPLIER,
  TDCS_TSC_OFFSET,
  TDCS_XBUFF_OFFSETS,
  TDCS_XBUFF_SIZE,
  TDCS_XFAM,
  TDR_NUM_TDCX,
  TDR_TDCX_PA,
} from "./layout.ts";
import { writeMeasurement } from "./measurement.ts";
import {
  PLATFORM_MAX_PA,
  PLATFORM_TSC_FREQUENCY,
  PLATFORM_XSAVE_COMPONENTS,
  SAMPLED_MSRS,
  sampledMsr,
} from "./platform-config.ts";
import type { Steps } from "./step.ts";
import { MIN_NUM_TDCS_PAGES } from "./td.ts";
import { hex } from "./why.ts";
import { isValidXfam, supportedXfam, XFAM_LAST_BIT } from "./xfam.ts";

export const TD_PARAMS_BYTES = 1024;

export const PARAMS_IA32_ARCH_CAPABILITIES_CONFIG = 224;
export const PARAMS_CPUID_CONFIG = 256;
const PARAMS_CPUID_CONFIG_END = PARAMS_CPUID_CONFIG + cpuidConfigurable.length * 16;

/** CONFIG_FLAGS: 52-bit GPAs, guest may choose what pending pages do, RBP is not passed through. */
export const CONFIG_GPAW = 1 << 0;
export const CONFIG_FLEXIBLE_PENDING_VE = 1 << 1;
export const CONFIG_NO_RBP_MOD = 1 << 2;
/** Bits of CONFIG_FLAGS that may be 1: those of features that the module has. */
export function configFlagsFixed0(config: PlatformConfig): number {
  const pending = hasFeature(config, "PENDING_EPT_VIOLATION_V2") ? CONFIG_FLEXIBLE_PENDING_VE : 0;
  return CONFIG_GPAW | pending | (hasFeature(config, "NO_RBP_MOD") ? CONFIG_NO_RBP_MOD : 0);
}
/** TD_CTLS: an access to a pending page is no #VE but a TD exit. */
export const TD_CTLS_PENDING_VE_DISABLE = 1 << 0;

const MAX_L2_VMS = 3;
/** EPTP: memory type write-back, and page walk length less one in bits 5:3. */
const EPTP_MT_WB = 6;
const EPT_4_LEVELS = 3;
const EPT_5_LEVELS = 4;
const PML5_SUPPORTED = 1n << 7n; // IA32_VMX_EPT_VPID_CAP
const MIN_PA_FOR_PML5 = 49;

/** Virtual TSC frequency: units of 25 MHz, and its limits. */
const TSC_UNIT_HZ = 25_000_000n;
const MIN_TSC_FREQUENCY = 4;
const MAX_TSC_FREQUENCY = 400;
const IA32_TSC_ADJUST = SAMPLED_MSRS.IA32_TSC_ADJUST;

/** XSAVE area: the legacy region and the header come before the first component. */
const XSAVE_EXTENDED_REGION = 576;
const XSAVE_ALIGNED = 0x8000_0000;

/** Errors: TDX_OPERAND_INVALID(RDX) if a reserved byte is not zero. */
export function checkReserved(params: DataView, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    if (params.getUint8(i) !== 0)
      fail(TDX_OPERAND_INVALID, RDX, `reserved byte ${i} of TD_PARAMS is ${params.getUint8(i)}`);
  }
}

export function checkReservedAfterCpuid(params: DataView): void {
  checkReserved(params, PARAMS_CPUID_CONFIG_END, TD_PARAMS_BYTES);
}

/** Takes over everything but CPUID and MSRs. Errors: TDX_OPERAND_INVALID, TDX_TDCS_NOT_ALLOCATED, TDX_INCONSISTENT_MSR. */
export function* applyTdParams(call: Call, tdr: number, tdcs: number, params: DataView): Steps {
  const { store } = call;
  yield "check ATTRIBUTES";
  const attributes = params.getUint32(0, true);
  const attributesHi = params.getUint32(4, true);
  if (!areValidAttributes(attributes, attributesHi)) {
    fail(TDX_OPERAND_INVALID, OPERAND_ATTRIBUTES, `ATTRIBUTES are ${hex(params.getBigUint64(0, true))}`);
  }
  store.write(tdcs + TDCS_ATTRIBUTES, attributes);
  store.write(tdcs + TDCS_ATTRIBUTES + 1, attributesHi);
  store.write(tdcs + TDCS_TD_CTLS, (attributes & ATTRIBUTE_SEPT_VE_DISABLE) !== 0 ? TD_CTLS_PENDING_VE_DISABLE : 0);

  yield "check XFAM";
  const xfam = params.getBigUint64(8, true);
  if (!isValidXfam(call, xfam)) {
    fail(TDX_OPERAND_INVALID, OPERAND_XFAM, `XFAM is ${hex(xfam)}; this platform has ${hex(supportedXfam(call))}`);
  }
  store.writeBig(tdcs + TDCS_XFAM, xfam);
  layOutXbuff(call, tdcs, Number(xfam));

  yield "check MAX_VCPUS";
  const maxVcpus = params.getUint16(16, true);
  if (maxVcpus === 0) fail(TDX_OPERAND_INVALID, OPERAND_MAX_VCPUS, "MAX_VCPUS is 0");
  store.write(tdcs + TDCS_MAX_VCPUS, maxVcpus);

  yield "check the number of L2 VMs, and that the TDCS has pages for them";
  const l2Vms = params.getUint8(18);
  const most = hasFeature(call.platform.config, "TD_PARTITIONING") ? MAX_L2_VMS : 0;
  if (l2Vms > most) fail(TDX_OPERAND_INVALID, OPERAND_NUM_L2_VMS, `${l2Vms} L2 VMs; ${most} at most`);
  const pages = store.read(tdr + TDR_NUM_TDCX);
  const needed = MIN_NUM_TDCS_PAGES + l2Vms;
  if (pages < needed) fail(TDX_TDCS_NOT_ALLOCATED, 0, `${pages} of ${needed} TDCS pages were added`);
  store.write(tdcs + TDCS_NUM_L2_VMS, l2Vms);
  checkReserved(params, 20, 24);

  yield "check CONFIG_FLAGS and EPTP_CONTROLS";
  const configFlags = params.getBigUint64(32, true);
  if ((configFlags & ~BigInt(configFlagsFixed0(call.platform.config))) !== 0n) {
    fail(TDX_OPERAND_INVALID, OPERAND_EXEC_CONTROLS, `CONFIG_FLAGS are ${hex(configFlags)}`);
  }
  const gpaw = (Number(configFlags) & CONFIG_GPAW) !== 0;
  setEptp(call, tdr, tdcs, params.getBigUint64(24, true), gpaw);
  store.writeBig(tdcs + TDCS_CONFIG_FLAGS, configFlags);

  yield "check the TSC frequency and set up the virtual TSC";
  const frequency = params.getUint16(40, true);
  if (frequency < MIN_TSC_FREQUENCY || frequency > MAX_TSC_FREQUENCY) {
    fail(TDX_OPERAND_INVALID, OPERAND_TSC_FREQUENCY, `TSC_FREQUENCY is ${frequency} x 25 MHz`);
  }
  store.write(tdcs + TDCS_TSC_FREQUENCY, frequency);
  checkTscAdjust(call);
  setVirtualTsc(call, tdcs, frequency);
  checkReserved(params, 42, 80);

  yield "take over the measurements that the host gives";
  const bytes = new Uint8Array(params.buffer, params.byteOffset, TD_PARAMS_BYTES);
  writeMeasurement(call, tdcs + TDCS_MRCONFIGID, bytes.subarray(80, 128));
  writeMeasurement(call, tdcs + TDCS_MROWNER, bytes.subarray(128, 176));
  writeMeasurement(call, tdcs + TDCS_MROWNERCONFIG, bytes.subarray(176, 224));
  if (params.getUint8(19) > 1) fail(TDX_OPERAND_INVALID, RDX, `MSR_CONFIG_CTLS are ${hex(params.getUint8(19))}`);
  checkReserved(params, 232, 256);
}

/** Supported bits only; a migratable TD is neither debuggable nor has it performance counters. */
function areValidAttributes(lo: number, hi: number): boolean {
  if ((lo & ~ATTRIBUTES_FIXED0[0]) !== 0 || (hi & ~ATTRIBUTES_FIXED0[1]) !== 0) return false;
  return (lo & ATTRIBUTE_MIGRATABLE) === 0 || ((lo & ATTRIBUTE_DEBUG) === 0 && (hi & ATTRIBUTE_PERFMON_HI) === 0);
}

/** Offsets of the state components in the compacted XSAVE area of a VCPU (SDM volume 1, 13.4.3). */
function layOutXbuff(call: Call, tdcs: number, xfam: number): void {
  const { store, sys } = call;
  let offset = XSAVE_EXTENDED_REGION;
  for (let bit = 2; bit <= XFAM_LAST_BIT; bit++) {
    if ((xfam & (1 << bit)) === 0) continue;
    const component = store.read(sys + PLATFORM_XSAVE_COMPONENTS + bit);
    if ((component & XSAVE_ALIGNED) !== 0) offset = Math.ceil(offset / 64) * 64;
    store.write(tdcs + TDCS_XBUFF_OFFSETS + bit, offset);
    offset += component & ~XSAVE_ALIGNED;
  }
  store.write(tdcs + TDCS_XBUFF_SIZE, offset);
}

/** Checks the EPTP's controls and lets it point to the S-EPT root. Errors: TDX_OPERAND_INVALID(EPTP_CONTROLS). */
function setEptp(call: Call, tdr: number, tdcs: number, controls: bigint, gpaw: boolean): void {
  const { store } = call;
  const levels = Number((controls >> 3n) & 7n);
  const pml5 = (sampledMsr(call, SAMPLED_MSRS.IA32_VMX_EPT_VPID_CAP) & PML5_SUPPORTED) !== 0n;
  const valid =
    controls === BigInt(EPTP_MT_WB | (levels << 3)) &&
    levels >= EPT_4_LEVELS &&
    levels <= (pml5 ? EPT_5_LEVELS : EPT_4_LEVELS) &&
    (levels !== EPT_5_LEVELS || store.read(call.sys + PLATFORM_MAX_PA) >= MIN_PA_FOR_PML5) &&
    (!gpaw || levels === EPT_5_LEVELS);
  if (!valid) {
    fail(
      TDX_OPERAND_INVALID,
      OPERAND_EPTP_CONTROLS,
      `EPTP_CONTROLS are ${hex(controls)}, GPAs have ${gpaw ? 52 : 48} bits`,
    );
  }
  store.write(tdcs + TDCS_GPAW, gpaw ? 1 : 0);
  const root = store.readNumber(tdr + TDR_TDCX_PA + (TDCS_SEPT_ROOT >>> 10) * 2);
  store.writeNumber(tdcs + TDCS_EPTP, root + Number(controls));
}

/** The host must not shift the TSC under the module. Errors: TDX_INCONSISTENT_MSR(IA32_TSC_ADJUST). */
export function checkTscAdjust(call: Call): void {
  const value = call.platform.rdmsr(call.lp, IA32_TSC_ADJUST);
  const first = sampledMsr(call, IA32_TSC_ADJUST);
  if (value !== first) {
    fail(
      TDX_INCONSISTENT_MSR,
      IA32_TSC_ADJUST,
      `IA32_TSC_ADJUST is ${hex(value)}, at TDH.SYS.INIT it was ${hex(first)}`,
    );
  }
}

/** Multiplier (48 fraction bits) and offset by which the TD's TSC runs at its frequency and starts at 0 now. */
function setVirtualTsc(call: Call, tdcs: number, frequency: number): void {
  const { store } = call;
  const native = store.readBig(call.sys + PLATFORM_TSC_FREQUENCY);
  const multiplier = ((BigInt(frequency) * TSC_UNIT_HZ) << 48n) / native;
  const now = (BigInt(call.platform.rdtsc()) * multiplier) >> 48n;
  store.writeBig(tdcs + TDCS_TSC_MULTIPLIER, multiplier);
  store.writeBig(tdcs + TDCS_TSC_OFFSET, BigInt.asUintN(64, -now));
}
