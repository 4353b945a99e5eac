/** What TDH.SYS.INIT checks of the platform, and samples of it, in the module's order. */

import {
  TDX_CMR_LIST_INVALID,
  TDX_INCORRECT_MSR_VALUE,
  TDX_INVALID_SMRR_CONFIGURATION,
  TDX_NUM_ACTIVATED_HKIDS_NOT_SUPPORTED,
  TDX_SMRR_LOCK_NOT_SUPPORTED,
  TDX_SMRR_NOT_LOCKED,
  TDX_SMRR_NOT_SUPPORTED,
  TDX_SMRR_OVERLAPS_CMR,
} from "../arch/generated/status-codes.ts";
import { PAGE_SIZE } from "../arch/page.ts";
import { IA32_SEAMRR_BASE, IA32_SEAMRR_MASK } from "../platform/topology.ts";
import { type Call, fail } from "./call.ts";
import * as config from "./platform-config.ts";
import { msrCell, SAMPLED_MSRS, type SampledMsr, sampledMsr } from "./platform-config.ts";
import { sampleCpuid } from "./platform-cpuid.ts";
import {
  allowedControls,
  GUEST_CR0_INIT,
  GUEST_CR0_L2_VARIABLE,
  GUEST_CR4_INIT,
  l2ControlSpecs,
  PROCBASED_CTLS2_ENCLV_EXITING,
  PROCBASED_CTLS2_USER_WAIT_PAUSE,
  tdControlSpecs,
} from "./platform-vmx.ts";
import type { Steps } from "./step.ts";
import {
  MAX_HKIDS,
  SYS_CACHE_BLOCKS,
  SYS_PRIVATE_HKID_MAX,
  SYS_PRIVATE_HKID_MIN,
  SYS_SEAMRR_BASE,
  SYS_SEAMRR_SIZE,
} from "./sys.ts";
import { hex } from "./why.ts";

const MSR_WBNOINVDP = 0x99;
/** Address bits of the SEAM range registers: it is a multiple of 32 MiB. */
const SEAMRR_ADDRESS = 0xf_ffff_fe00_0000n;

// IA32_ARCH_CAPABILITIES: immunities and controls that the module relies on, and RSBA, which a safe processor does not have.
const ARCH_CAPABILITIES_REQUIRED = 0x20_fd6bn;
const ARCH_CAPABILITIES_RSBA = 1n << 2n;
const EPT_VPID_CAP_REQUIRED = 0x101_0633_4041n;
const CR0_PE_PG = 0x8000_0001n;

/** Samples of the platform as checked; the module's data keep them. Errors: see each part. */
export function* checkAndSamplePlatform(call: Call): Steps {
  for (const msr of Object.values(SAMPLED_MSRS)) {
    call.store.writeBig(msrCell(call, msr), call.platform.rdmsr(call.lp, msr));
  }
  noteSeamRange(call);
  yield "check the capability MSRs";
  checkCapabilities(call);
  yield "check and sample CPUID";
  sampleCpuid(call);
  yield "check the VMX capability MSRs";
  checkVmx(call);
  yield "check the memory encryption and its KeyIDs";
  checkKeys(call);
  yield "check the list of convertible memory ranges";
  if (!areCmrsValid(call)) fail(TDX_CMR_LIST_INVALID);
  yield "check that SMM memory is locked and outside of convertible memory";
  checkSmrrs(call);
}

/** From the registers that the firmware locked: the mask's lowest bit is the size. */
function noteSeamRange({ store, sys, platform, lp }: Call): void {
  const mask = platform.rdmsr(lp, IA32_SEAMRR_MASK) & SEAMRR_ADDRESS;
  store.writeNumber(sys + SYS_SEAMRR_BASE, Number(platform.rdmsr(lp, IA32_SEAMRR_BASE) & SEAMRR_ADDRESS));
  store.writeNumber(sys + SYS_SEAMRR_SIZE, Number(mask & -mask));
}

function requireMsr(call: Call, msr: SampledMsr, holds: (value: bigint) => boolean): void {
  const value = sampledMsr(call, msr);
  if (!holds(value)) fail(TDX_INCORRECT_MSR_VALUE, msr, `MSR ${hex(msr)} is ${hex(value)}`);
}

function checkCapabilities(call: Call): void {
  requireMsr(
    call,
    SAMPLED_MSRS.IA32_ARCH_CAPABILITIES,
    (value) => (value & (ARCH_CAPABILITIES_REQUIRED | ARCH_CAPABILITIES_RSBA)) === ARCH_CAPABILITIES_REQUIRED,
  );
  requireMsr(call, SAMPLED_MSRS.IA32_XAPIC_DISABLE_STATUS, (value) => value === 1n);
  requireMsr(call, SAMPLED_MSRS.IA32_MISC_PACKAGE_CTLS, (value) => (value & 1n) !== 0n); // energy filtering
  requireMsr(call, SAMPLED_MSRS.IA32_PERF_CAPABILITIES, (value) => (value & (1n << 13n)) !== 0n); // full-width counter writes
}

function checkVmx(call: Call): void {
  requireMsr(call, SAMPLED_MSRS.IA32_VMX_BASIC, (value) => {
    const regionSize = (value >> 32n) & 0x1fffn;
    return regionSize <= 2048n && (value & (1n << 54n)) !== 0n && (value & (1n << 55n)) !== 0n;
  });
  checkControls(call, tdControlSpecs, true);
  requireMsr(call, SAMPLED_MSRS.IA32_VMX_MISC, (value) => {
    const required = (1n << 5n) | (1n << 6n) | (1n << 7n) | (1n << 14n) | (1n << 29n);
    return (value & required) === required && ((value >> 16n) & 0x1ffn) >= 4n;
  });
  requireMsr(
    call,
    SAMPLED_MSRS.IA32_VMX_EPT_VPID_CAP,
    (value) => (value & EPT_VPID_CAP_REQUIRED) === EPT_VPID_CAP_REQUIRED,
  );
  // An unrestricted guest may clear PE and PG whatever the MSR says.
  requireMsr(call, SAMPLED_MSRS.IA32_VMX_CR0_FIXED0, (value) => (value & ~CR0_PE_PG & ~GUEST_CR0_INIT) === 0n);
  requireMsr(call, SAMPLED_MSRS.IA32_VMX_CR0_FIXED1, (value) => (~value & GUEST_CR0_INIT) === 0n);
  requireMsr(call, SAMPLED_MSRS.IA32_VMX_CR4_FIXED0, (value) => (value & ~GUEST_CR4_INIT) === 0n);
  requireMsr(call, SAMPLED_MSRS.IA32_VMX_CR4_FIXED1, (value) => (~value & GUEST_CR4_INIT) === 0n);

  checkControls(call, l2ControlSpecs, false);
  const cr0Fixed1 = sampledMsr(call, SAMPLED_MSRS.IA32_VMX_CR0_FIXED1);
  requireMsr(call, SAMPLED_MSRS.IA32_VMX_CR0_FIXED0, (value) => {
    const mustBe1 = value & ~CR0_PE_PG;
    const cannotBe1 = BigInt.asUintN(64, ~cr0Fixed1);
    return (
      (mustBe1 & ~GUEST_CR0_INIT) === 0n &&
      (cannotBe1 & GUEST_CR0_INIT) === 0n &&
      ((mustBe1 | cannotBe1) & GUEST_CR0_L2_VARIABLE) === 0n
    );
  });
}

/** Checks each control field; with `keep` the values are those that a TD's VMCS starts with. */
function checkControls(call: Call, controls: typeof tdControlSpecs, keep: boolean): void {
  const cells = [
    config.PLATFORM_PINBASED_CTLS,
    config.PLATFORM_PROCBASED_CTLS,
    config.PLATFORM_PROCBASED_CTLS2,
    config.PLATFORM_PROCBASED_CTLS3,
    config.PLATFORM_EXIT_CTLS,
    config.PLATFORM_ENTRY_CTLS,
  ];
  for (const [i, spec] of controls.entries()) {
    const capability = sampledMsr(call, spec.msr);
    let { init } = spec;
    if (spec.msr === SAMPLED_MSRS.IA32_VMX_PROCBASED_CTLS2) {
      const waitpkg = call.store.read(call.sys + config.PLATFORM_WAITPKG_SUPPORTED) !== 0;
      init = (init & ~PROCBASED_CTLS2_USER_WAIT_PAUSE) | (waitpkg ? PROCBASED_CTLS2_USER_WAIT_PAUSE : 0n);
      if (((capability >> 32n) & PROCBASED_CTLS2_ENCLV_EXITING) === 0n) init &= ~PROCBASED_CTLS2_ENCLV_EXITING;
    }
    const value = allowedControls(spec, capability, init);
    if (value === undefined) {
      fail(TDX_INCORRECT_MSR_VALUE, spec.msr, `MSR ${hex(spec.msr)}, ${hex(capability)}, forbids ${hex(init)}`);
    }
    if (!keep) continue;
    const cell = call.sys + (cells[i] as number);
    if (spec.msr === SAMPLED_MSRS.IA32_VMX_PROCBASED_CTLS3) call.store.writeBig(cell, value);
    else call.store.write(cell, Number(value));
  }
}

function checkKeys(call: Call): void {
  const { store, sys, platform } = call;
  const { integrity } = platform.config;
  // IA32_TME_CAPABILITY bits 0 to 3 and IA32_TME_ACTIVATE bits 48 to 51 name the algorithms: AES-XTS 128, the same with
  // integrity, AES-XTS 256, the same with integrity.
  const algorithms = integrity ? 0b1010n : 0b0101n;
  const activate = sampledMsr(call, SAMPLED_MSRS.IA32_TME_ACTIVATE);
  if ((activate & 1n) === 0n) fail(TDX_INCORRECT_MSR_VALUE, SAMPLED_MSRS.IA32_TME_ACTIVATE); // not locked
  requireMsr(call, SAMPLED_MSRS.IA32_TME_CAPABILITY, (value) => (value & algorithms) !== 0n);
  requireMsr(call, SAMPLED_MSRS.IA32_TME_ACTIVATE, (value) => ((value >> 48n) & algorithms) !== 0n);

  const partitioning = sampledMsr(call, SAMPLED_MSRS.IA32_TME_KEYID_PARTITIONING);
  const mktmeKeyids = Number(partitioning & 0xffff_ffffn);
  const last = mktmeKeyids + Number(partitioning >> 32n);
  if (last >= MAX_HKIDS) fail(TDX_NUM_ACTIVATED_HKIDS_NOT_SUPPORTED, MAX_HKIDS);
  store.write(sys + SYS_PRIVATE_HKID_MIN, mktmeKeyids + 1);
  store.write(sys + SYS_PRIVATE_HKID_MAX, last);

  const blocks = sampledMsr(call, SAMPLED_MSRS.MSR_WBINVDP);
  if (platform.rdmsr(call.lp, MSR_WBNOINVDP) !== blocks) fail(TDX_INCORRECT_MSR_VALUE, MSR_WBNOINVDP);
  store.write(sys + SYS_CACHE_BLOCKS, Number(blocks & 0xffff_ffffn));
}

/** Ascending, apart from each other, in whole pages, without KeyID bits. */
function areCmrsValid(call: Call): boolean {
  const limit = 2 ** call.platform.addressBits;
  let previousEnd = 0;
  for (const { base, size } of call.platform.config.cmrs) {
    if (size === 0) continue;
    if (base >= limit || base + size > limit) return false;
    if (base % PAGE_SIZE !== 0 || size % PAGE_SIZE !== 0) return false;
    if (base < previousEnd) return false;
    previousEnd = base + size;
  }
  return true;
}

const MTRRCAP_SMRR = 1n << 11n;
const MTRRCAP_SMRR2 = 1n << 13n;
const MTRRCAP_SMRR_LOCK = 1n << 14n;
const SMRR_LOCKED = 1 << 10;
const SMRR_VALID = 1 << 11;

/** True if this processor has a second SMRR. */
export function hasSmrr2(mtrrcap: bigint): boolean {
  return (mtrrcap & MTRRCAP_SMRR2) !== 0n;
}

function checkSmrrs(call: Call): void {
  const mtrrcap = sampledMsr(call, SAMPLED_MSRS.IA32_MTRRCAP);
  if ((mtrrcap & MTRRCAP_SMRR) === 0n) fail(TDX_SMRR_NOT_SUPPORTED);
  if ((mtrrcap & MTRRCAP_SMRR_LOCK) === 0n) fail(TDX_SMRR_LOCK_NOT_SUPPORTED);
  const low = (msr: SampledMsr): number => call.store.read(msrCell(call, msr));
  const smrrs = [{ base: low(SAMPLED_MSRS.IA32_SMRR_PHYSBASE), mask: low(SAMPLED_MSRS.IA32_SMRR_PHYSMASK) }];
  if (hasSmrr2(mtrrcap)) {
    smrrs.push({ base: low(SAMPLED_MSRS.IA32_SMRR2_PHYSBASE), mask: low(SAMPLED_MSRS.IA32_SMRR2_PHYSMASK) });
  }
  for (const [i, smrr] of smrrs.entries()) if ((smrr.mask & SMRR_LOCKED) === 0) fail(TDX_SMRR_NOT_LOCKED, i);
  for (const [i, smrr] of smrrs.entries()) if ((smrr.mask & SMRR_VALID) !== 0) checkSmrr(call, i, smrr.base, smrr.mask);
}

function checkSmrr(call: Call, index: number, baseMsr: number, maskMsr: number): void {
  const mask = (maskMsr & 0xffff_f000) >>> 0;
  const base = (baseMsr & 0xffff_f000) >>> 0;
  const size = mask === 0 ? 0 : 2 ** (31 - Math.clz32(mask & -mask));
  // One contiguous run of ones up to bit 31, and a base aligned to the size that it means.
  if (size === 0 || mask + size !== 2 ** 32 || base % size !== 0) fail(TDX_INVALID_SMRR_CONFIGURATION, index);
  for (const [i, cmr] of call.platform.config.cmrs.entries()) {
    const overlaps = cmr.size !== 0 && base < cmr.base + cmr.size && cmr.base < base + size;
    if (overlaps) fail(TDX_SMRR_OVERLAPS_CMR, index | (i << 8));
  }
}
