/** TDH.SYS.INIT's look at CPUID: every leaf that the module virtualizes is checked and sampled, and what it tells is derived. */
import {
  type CpuidEntry,
  type CpuidLookupMasks,
  type CpuidRegisters,
  cpuidLookup,
} from "../arch/generated/cpuid-tables.ts";
import {
  TDX_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED,
  TDX_CPUID_LEAF_NOT_SUPPORTED,
  TDX_INCORRECT_CPUID_VALUE,
  TDX_INVALID_WBINVD_SCOPE,
  TDX_LIMIT_CPUID_MAXVAL_SET,
} from "../arch/generated/status-codes.ts";
import { R8, R9, R10, RCX, RDX } from "../arch/registers.ts";
import type { CpuidResult, Platform } from "../platform/platform.ts";
import { type Call, fail } from "./call.ts";
import * as config from "./platform-config.ts";
import { XCR0_BITS } from "./xfam.ts";

type Entry = CpuidEntry<CpuidLookupMasks>;

const IA32_MISC_ENABLE = 0x1a0;
/** CPUID leaves above 2 are hidden, for old operating systems. */
const MISC_ENABLE_LIMIT_CPUID_MAXVAL = 1n << 22n;

const LEAF_MAX = 0;
const LEAF_MAX_EXTENDED = 0x8000_0000;
/** The processor must have at least these. */
const MIN_LAST_BASE_LEAF = 0x1f;
const MIN_LAST_EXTENDED_LEAF = 0x8000_0008;
/** Last basic leaf that guests see. */
const LAST_VIRTUAL_BASE_LEAF = 0x23;

const XSS_BITS = 0x1fd00;
const MAX_FIXED_CTRS = 7;
const MIN_PERFMON_VERSION = 5;
/** Hz; below it the virtual TSC's arithmetic would overflow. */
const MIN_TSC_FREQUENCY = 0x2540c;

/** Levels of the topology, CPUID 0x1F ECX[15:8]. */
const LEVEL_INVALID = 0;
const LEVEL_SMT = 1;
const LEVEL_CORE = 2;
const LEVEL_END = 6;

/** What the loop carries from leaf to leaf. */
interface Scan {
  lpsSharingL3: number;
  level: number;
  shift: number;
  coreLevelSeen: boolean;
}

/** Bits of the stepping in CPUID 1 EAX. */
const STEPPING = 0xf;

/** Family, model and stepping of a package, which the firmware reads from its first LP; 0 if there is none of that number. */
export function packageFms(platform: Platform, number: number): number {
  const lp = platform.config.packages[number]?.[0];
  return lp === undefined ? 0 : platform.cpuid(lp, 1, 0)[0];
}

/** Those of the platform: packages may differ in their steppings, and the least one counts. */
function platformFms(platform: Platform): number {
  const all = platform.config.packages.map((_, number) => packageFms(platform, number));
  const stepping = Math.min(...all.map((fms) => fms & STEPPING));
  return (((all[0] as number) & ~STEPPING) | stepping) >>> 0;
}

/** True if IA32_MISC_ENABLE hides leaves on this LP. */
export function limitsCpuid(call: Call): boolean {
  return (call.platform.rdmsr(call.lp, IA32_MISC_ENABLE) & MISC_ENABLE_LIMIT_CPUID_MAXVAL) !== 0n;
}

/** True if the processor has the leaf; one that it does not have samples as zeros. */
function exists(leaf: number, lastBase: number, lastExtended: number): boolean {
  return leaf <= lastBase || (leaf >= LEAF_MAX_EXTENDED && leaf <= lastExtended);
}

/** CPUID refuses: RCX leaf and sub-leaf, RDX and R8 the compared bits, R9 and R10 what they must be. */
function incorrect(call: Call, entry: Entry, mask: CpuidRegisters, value: CpuidRegisters): never {
  call.set(RCX, entry.leaf, entry.subleaf ?? 0xffff_ffff);
  call.set(RDX, mask[0], mask[1]);
  call.set(R8, mask[2], mask[3]);
  call.set(R9, value[0], value[1]);
  call.set(R10, value[2], value[3]);
  fail(TDX_INCORRECT_CPUID_VALUE);
}

/** A platform on which the module would stop the whole machine rather than return a status. */
function halt(why: string): never {
  throw new Error(`the TDX module halts: ${why}`);
}

/** Checks and samples all leaves. Errors: the TDX_CPUID_ and related codes of the platform, with the details as RCX to R10. */
export function sampleCpuid(call: Call): void {
  const { platform, store, lp, sys } = call;
  if (limitsCpuid(call)) fail(TDX_LIMIT_CPUID_MAXVAL_SET);
  const lastBase = platform.cpuid(lp, LEAF_MAX, 0)[0];
  if (lastBase < MIN_LAST_BASE_LEAF) fail(TDX_CPUID_LEAF_NOT_SUPPORTED, MIN_LAST_BASE_LEAF);
  const lastExtended = platform.cpuid(lp, LEAF_MAX_EXTENDED, 0)[0];
  if (lastExtended < MIN_LAST_EXTENDED_LEAF) fail(TDX_CPUID_LEAF_NOT_SUPPORTED, MIN_LAST_EXTENDED_LEAF);
  store.write(sys + config.PLATFORM_LAST_BASE_LEAF, LAST_VIRTUAL_BASE_LEAF);
  store.write(sys + config.PLATFORM_LAST_EXTENDED_LEAF, lastExtended);
  store.write(sys + config.PLATFORM_XFD_FAULTING, 0);
  store.write(sys + config.PLATFORM_CORE_ID_SHIFT, 0);

  const scan: Scan = { lpsSharingL3: 0, level: LEVEL_INVALID, shift: 0, coreLevelSeen: false };
  for (const [index, entry] of cpuidLookup.entries()) {
    let values: CpuidResult = exists(entry.leaf, lastBase, lastExtended)
      ? platform.cpuid(lp, entry.leaf, entry.subleaf ?? -1)
      : [0, 0, 0, 0];
    const { verify_mask: mask, verify_value: value } = entry.masks;
    if (mask?.some((bits, i) => ((values[i] as number) & bits) >>> 0 !== (value?.[i] ?? 0))) {
      incorrect(call, entry, mask, value ?? [0, 0, 0, 0]);
    }
    if (entry.leaf === 1) values = [platformFms(platform), values[1], values[2], values[3]];
    derive(call, entry, values, scan);
    for (const [register, word] of values.entries()) store.write(config.cpuidCell(call, index, register), word);
  }
}

/** What a leaf tells about the processor. */
function derive(call: Call, entry: Entry, values: CpuidResult, scan: Scan): void {
  const [eax, ebx, ecx, edx] = values;
  const { subleaf } = entry;
  const put = (word: number, value: number): void => call.store.write(call.sys + word, value);
  const bit = (word: number, n: number): number => (word >>> n) & 1;
  switch (entry.leaf) {
    case 0x1:
      put(config.PLATFORM_FMS, eax);
      break;
    case 0x4:
      if (subleaf === 3) scan.lpsSharingL3 = (eax >>> 14) & 0xfff;
      break;
    case 0x7:
      if (subleaf === 0) {
        put(config.PLATFORM_HLE_SUPPORTED, bit(ebx, 4));
        put(config.PLATFORM_RTM_SUPPORTED, bit(ebx, 11));
        put(config.PLATFORM_WAITPKG_SUPPORTED, bit(ecx, 5));
        put(config.PLATFORM_LA57_SUPPORTED, bit(ecx, 16));
      } else if (subleaf === 2) {
        put(config.PLATFORM_DDPD_SUPPORTED, bit(edx, 3));
      }
      break;
    case 0xa:
      derivePerfmon(call, entry, values);
      break;
    case 0xd:
      deriveExtendedState(call, subleaf ?? 0, values);
      break;
    case 0x15: {
      if (ebx === 0) fail(TDX_CPUID_LEAF_NOT_SUPPORTED, entry.leaf);
      const frequency = eax === 0 ? 0 : Number((BigInt(ecx) * BigInt(ebx)) / BigInt(eax));
      if (frequency < MIN_TSC_FREQUENCY) halt("the TSC is too slow");
      call.store.writeNumber(call.sys + config.PLATFORM_CRYSTAL_FREQUENCY, ecx);
      call.store.writeNumber(call.sys + config.PLATFORM_TSC_FREQUENCY, frequency);
      break;
    }
    case 0x1c:
      if ((eax & 0xff) === 0) halt("no LBR depth is supported");
      put(config.PLATFORM_MAX_LBR_DEPTH, 8 * (32 - Math.clz32(eax & 0xff)));
      break;
    case 0x1f:
      deriveTopology(call, subleaf ?? 0, values, scan);
      break;
    case 0x8000_0008: {
      put(config.PLATFORM_MAX_PA, eax & 0xff);
      const linearBits = call.store.read(call.sys + config.PLATFORM_LA57_SUPPORTED) ? 57 : 48;
      if (((eax >>> 8) & 0xff) !== linearBits) incorrect(call, entry, [0xff00, 0, 0, 0], [linearBits << 8, 0, 0, 0]);
    }
  }
}

function derivePerfmon(call: Call, entry: Entry, [eax, , ecx, edx]: CpuidResult): void {
  if ((eax & 0xff) < MIN_PERFMON_VERSION) incorrect(call, entry, [0xf, 0, 0, 0], [MIN_PERFMON_VERSION, 0, 0, 0]);
  const counters = edx & 0x1f;
  call.store.write(call.sys + config.PLATFORM_NUM_FIXED_CTRS, counters);
  if (counters > MAX_FIXED_CTRS) incorrect(call, entry, [0, 0, 0, 0x1f], [0, 0, 0, MAX_FIXED_CTRS]);
  // A counter exists if its ECX bit is set or its number is below EDX[4:0] (SDM vol. 3, 20.2.5.2).
  call.store.write(call.sys + config.PLATFORM_FIXED_CTR_BITMAP, (2 ** counters - 1) | ecx);
}

function deriveExtendedState(call: Call, subleaf: number, [eax, , ecx]: CpuidResult): void {
  const { store, sys } = call;
  if (subleaf === 0) {
    store.write(sys + config.PLATFORM_XCR0_SUPPORTED, eax & XCR0_BITS);
  } else if (subleaf === 1) {
    store.write(sys + config.PLATFORM_XFD_SUPPORTED, (eax >>> 4) & 1);
    store.write(sys + config.PLATFORM_XSS_SUPPORTED, ecx & XSS_BITS);
  } else {
    const supervisor = (ecx & 1) !== 0;
    const alignment = (ecx & 2) !== 0 ? 0x8000_0000 : 0;
    store.write(sys + config.PLATFORM_XSAVE_COMPONENTS + subleaf, (eax | alignment) >>> 0);
    if (store.read(sys + config.PLATFORM_XFD_SUPPORTED) !== 0 && (ecx & 4) !== 0) {
      const faulting = store.read(sys + config.PLATFORM_XFD_FAULTING);
      store.write(sys + config.PLATFORM_XFD_FAULTING, faulting | (1 << subleaf));
    }
    const others = store.read(sys + (supervisor ? config.PLATFORM_XCR0_SUPPORTED : config.PLATFORM_XSS_SUPPORTED));
    if (((others >>> subleaf) & 1) !== 0) halt(`state component ${subleaf} is both of XCR0 and of IA32_XSS`);
  }
}

/** Sub-leaves come in ascending order and end with an invalid one; the level before that is the package. */
function deriveTopology(call: Call, subleaf: number, [eax, , ecx]: CpuidResult, scan: Scan): void {
  const { store, sys } = call;
  const level = (ecx >>> 8) & 0xff;
  if (level !== LEVEL_INVALID) {
    if (level <= scan.level || level >= LEVEL_END) fail(TDX_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED);
    scan.shift = eax & 0x1f;
    if (level === LEVEL_SMT) store.write(sys + config.PLATFORM_CORE_ID_SHIFT, scan.shift);
    else if (level === LEVEL_CORE) scan.coreLevelSeen = true;
  } else {
    if (subleaf === 0 || !scan.coreLevelSeen) fail(TDX_CPUID_LEAF_NOT_SUPPORTED);
    if (scan.level !== LEVEL_INVALID) {
      store.write(sys + config.PLATFORM_PKG_ID_SHIFT, scan.shift);
      const coreBits = scan.shift - store.read(sys + config.PLATFORM_CORE_ID_SHIFT);
      store.write(sys + config.PLATFORM_CORE_ID_MASK, 2 ** coreBits - 1);
      // WBINVD works on an L3 cache: the module relies on one for each package, so the LPs that share it must fill a package's ids.
      if (scan.lpsSharingL3 >>> (scan.shift - 1) !== 1) fail(TDX_INVALID_WBINVD_SCOPE);
    }
  }
  scan.level = level;
}
