/** What a TD's configuration decides about MSRs: its MSR bitmaps and its virtual IA32_ARCH_CAPABILITIES. */
import { OPERAND_IA32_ARCH_CAPABILITIES_CONFIG } from "../arch/generated/operand-ids.ts";
import { TDX_OPERAND_INVALID } from "../arch/generated/status-codes.ts";
import { type MsrAccess, type MsrFeature, msrRules } from "../arch/msr-access.ts";
import { ATTRIBUTE_PERFMON_HI, ATTRIBUTE_PKS } from "./attributes.ts";
import { type Call, fail } from "./call.ts";
import { cpuidFlag, FLAG_TSX, FLAG_WAITPKG, FLAG_XFD } from "./cpuid-flags.ts";
import { TDCS_ATTRIBUTES, TDCS_MSR_BITMAPS, TDCS_VIRTUAL_IA32_ARCH_CAPABILITIES, TDCS_XFAM } from "./layout.ts";
import { SAMPLED_MSRS, sampledMsr } from "./platform-config.ts";
import { tdcsCell } from "./td.ts";
import { hex } from "./why.ts";
import { XFAM_CET, XFAM_LBR, XFAM_PT, XFAM_ULI } from "./xfam.ts";

/** The four bitmaps of the page: reads of low MSRs, of high ones (0xc0000000 on), then writes of both. */
const BITMAP_WORDS = 256;
const HIGH_MSRS = 0xc000_0000;

const IA32_PERF_METRICS = 0x329;
const IA32_PERF_CAPABILITIES = 0x345;
const PERF_METRICS_AVAILABLE = 1n << 15n;

/** IA32_ARCH_CAPABILITIES: bits that a TD never sees, may be allowed, or may be forced to see. */
const ARCH_CAP_TSX_CTRL = 1n << 7n;
const ARCH_CAP_RRSBA = 1n << 19n;
const ARCH_CAP_ALLOWABLE = (1n << 4n) | (1n << 20n) | (1n << 24n); // SSB_NO, BHI_NO, PBRSB_NO
/** Bits of IA32_ARCH_CAPABILITIES that a host may configure. */
export const ARCH_CAPABILITIES_CONFIGURABLE = ARCH_CAP_ALLOWABLE | ARCH_CAP_RRSBA;
const ARCH_CAP_HIDDEN = (7n << 9n) | (7n << 16n) | (7n << 21n) | (0x7f_ffff_ffffn << 25n);

/** True if the TD's configuration has the feature that makes accesses of an MSR native. */
export function hasMsrFeature(call: Call, tdcs: number, feature: MsrFeature, msr: number): boolean {
  const { store } = call;
  const xfam = store.read(tdcs + TDCS_XFAM);
  const perfmon = (store.read(tdcs + TDCS_ATTRIBUTES + 1) & ATTRIBUTE_PERFMON_HI) !== 0;
  switch (feature) {
    case "perfmon":
      return perfmon;
    case "cet":
      return (xfam & XFAM_CET) !== 0;
    case "pt":
      return (xfam & XFAM_PT) !== 0;
    case "uli":
      return (xfam & XFAM_ULI) !== 0;
    case "lbr":
      return (xfam & XFAM_LBR) !== 0;
    case "umwait":
      return cpuidFlag(call, tdcs, FLAG_WAITPKG);
    case "xfd":
      return cpuidFlag(call, tdcs, FLAG_XFD);
    case "tsx":
      return cpuidFlag(call, tdcs, FLAG_TSX);
    case "pks":
      return (store.read(tdcs + TDCS_ATTRIBUTES) & ATTRIBUTE_PKS) !== 0;
    case "special":
      if (msr === IA32_PERF_CAPABILITIES) return perfmon && (xfam & XFAM_PT) !== 0;
      return (
        msr === IA32_PERF_METRICS &&
        perfmon &&
        (sampledMsr(call, SAMPLED_MSRS.IA32_PERF_CAPABILITIES) & PERF_METRICS_AVAILABLE) !== 0n
      );
  }
}

/** Clears the bits of native accesses in the TD's MSR bitmaps, which are all ones when their page is added. */
export function setMsrBitmaps(call: Call, tdr: number, tdcs: number): void {
  const page = tdcsCell(call, tdr, TDCS_MSR_BITMAPS);
  const isNative = ({ native }: MsrAccess, msr: number): boolean =>
    native === "always" || (native !== "never" && hasMsrFeature(call, tdcs, native, msr));
  for (const { first, last, read, write } of msrRules) {
    const reads = isNative(read, first);
    const writes = isNative(write, first);
    for (let msr = first; msr <= last; msr++) {
      if (reads) clearBit(call, page, msr);
      if (writes) clearBit(call, page + 2 * BITMAP_WORDS, msr);
    }
  }
}

function clearBit(call: Call, bitmaps: number, msr: number): void {
  const high = msr >= HIGH_MSRS;
  const bit = high ? msr - HIGH_MSRS : msr;
  const cell = bitmaps + (high ? BITMAP_WORDS : 0) + (bit >>> 5);
  call.store.write(cell, (call.store.read(cell) & ~(1 << (bit & 31))) >>> 0);
}

/**
 * The virtual IA32_ARCH_CAPABILITIES. `configured`: the host gives `config`, else it must be zero.
 * Errors: TDX_OPERAND_INVALID(IA32_ARCH_CAPABILITIES_CONFIG) if it asks for bits that cannot be configured.
 */
export function setArchCapabilities(call: Call, tdcs: number, configured: boolean, config: bigint): void {
  const configurable = configured ? ARCH_CAPABILITIES_CONFIGURABLE : 0n;
  if ((config & ~configurable) !== 0n) {
    const why = `bits ${hex(config & ~configurable)} of IA32_ARCH_CAPABILITIES are not configurable`;
    fail(TDX_OPERAND_INVALID, OPERAND_IA32_ARCH_CAPABILITIES_CONFIG, why);
  }
  let value = sampledMsr(call, SAMPLED_MSRS.IA32_ARCH_CAPABILITIES);
  value &= ~ARCH_CAP_HIDDEN & (config | ~ARCH_CAP_ALLOWABLE);
  value |= config & ARCH_CAP_RRSBA;
  if (!cpuidFlag(call, tdcs, FLAG_TSX)) value &= ~ARCH_CAP_TSX_CTRL;
  call.store.writeBig(tdcs + TDCS_VIRTUAL_IA32_ARCH_CAPABILITIES, BigInt.asUintN(64, value));
}
