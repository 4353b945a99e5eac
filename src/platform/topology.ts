/**
 * What of CPUID and MSRs follows from the platform's shape rather than from its processor: the LPs' numbers in their packages,
 * the KeyIDs and the caches.
 */
import type { PlatformConfig } from "./config.ts";

/** An x2APIC id: thread in bit 0, core in bits 6:1, package above (CPUID 0x1F of the emulated processor). */
const PACKAGE_SHIFT = 7;
const CORES = 64;

/** The cores' first threads come first, then their second ones. Throws a RangeError if the package has too many LPs. */
function x2apicId(config: PlatformConfig, lp: number): number {
  const number = config.packages.findIndex((lps) => lps.includes(lp));
  const place = config.packages[number]?.indexOf(lp) ?? 0;
  if (place >= 2 * CORES) throw new RangeError(`package ${number} has more than ${2 * CORES} LPs`);
  return (number << PACKAGE_SHIFT) | ((place % CORES) << 1) | (place >= CORES ? 1 : 0);
}

/** The CPUID registers of an LP of this platform, from those of the processor. */
export function cpuidOnPlatform(
  config: PlatformConfig,
  lp: number,
  leaf: number,
  [eax, ebx, ecx, edx]: readonly [number, number, number, number],
): readonly [number, number, number, number] {
  if (leaf !== 0x1 && leaf !== 0x1f) return [eax, ebx, ecx, edx];
  const id = x2apicId(config, lp);
  return leaf === 0x1f ? [eax, ebx, ecx, id] : [eax, ((ebx & 0xff_ffff) | ((id & 0xff) << 24)) >>> 0, ecx, edx];
}

/** Where the SEAM range is (Intel SDM, "SEAM Range Registers"). */
export const IA32_SEAMRR_BASE = 0x1400;
export const IA32_SEAMRR_MASK = 0x1401;
/** Of the base: bit 3. Of the mask: lock and valid bits, 10 and 11. */
const SEAMRR_CONFIGURED = 0x8;
const SEAMRR_LOCKED_VALID = 0xc00;
const ADDRESS_END = 2 ** 52;

type MsrValue = readonly [msr: number, lo: number, hi: number];

const msr = (number: number, value: number): MsrValue => [number, value >>> 0, Math.floor(value / 2 ** 32)];

/** MSRs whose values the platform's shape gives: number, low and high word. */
export function msrsOfPlatform(config: PlatformConfig): readonly MsrValue[] {
  const { seamrr } = config;
  const { total, privateStart } = config.keyids;
  return [
    [0x87, privateStart - 1, total - privateStart], // IA32_TME_KEYID_PARTITIONING: MKTME KeyIDs, TDX KeyIDs
    [0x98, config.cacheBlocks, 0], // MSR_WBINVDP, MSR_WBNOINVDP: steps of a write-back
    [0x99, config.cacheBlocks, 0],
    [0x982, 0x3, keyIdBits(config)], // IA32_TME_ACTIVATE
    msr(IA32_SEAMRR_BASE, seamrr.base + SEAMRR_CONFIGURED),
    msr(IA32_SEAMRR_MASK, ADDRESS_END - seamrr.size + SEAMRR_LOCKED_VALID),
  ];
}

/**
 * High word of IA32_TME_ACTIVATE: bits of a KeyID, how many of them TDX has, and the algorithms AES-XTS-128 with and without
 * integrity.
 */
function keyIdBits(config: PlatformConfig): number {
  const { total, privateStart } = config.keyids;
  return Math.log2(total) | (Math.floor(Math.log2(total - privateStart)) << 4) | (0x3 << 16);
}
