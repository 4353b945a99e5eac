/**
 * What of CPUID and MSRs follows from the platform's shape rather than from its processor: the LPs' numbers in their packages,
 * the KeyIDs and the caches.
 */
import type { PlatformConfig } from "./config.ts";

/** An x2APIC id: thread in bit 0, core above, package from here on (CPUID 0x1F of the emulated processor). */
const PACKAGE_SHIFT = 7;
/** Of CPUID 0x1F ECX[15:8] and CPUID 4 EAX[7:5]. */
const LEVEL_CORE = 2;
const CACHE_L3 = 3;

/** Bits of an x2APIC id below the package: more than the processor's own where a package has more LPs than fit. */
function packageShift({ packages }: PlatformConfig): number {
  const most = Math.max(...packages.map((lps) => lps.length));
  return Math.max(PACKAGE_SHIFT, Math.ceil(Math.log2(most)));
}

/** The cores' first threads come first, then their second ones. */
function x2apicId(config: PlatformConfig, lp: number): number {
  const shift = packageShift(config);
  const cores = 2 ** (shift - 1);
  const number = config.packages.findIndex((lps) => lps.includes(lp));
  const place = config.packages[number]?.indexOf(lp) ?? 0;
  return (number << shift) | ((place % cores) << 1) | (place >= cores ? 1 : 0);
}

/** The CPUID registers of an LP of this platform, from those of the processor. */
export function cpuidOnPlatform(
  config: PlatformConfig,
  lp: number,
  leaf: number,
  [eax, ebx, ecx, edx]: readonly [number, number, number, number],
): readonly [number, number, number, number] {
  switch (leaf) {
    case 0x1:
      return [eax, ((ebx & 0xff_ffff) | ((x2apicId(config, lp) & 0xff) << 24)) >>> 0, ecx, edx];
    case 0x4: {
      if (((eax >>> 5) & 7) !== CACHE_L3) break;
      const sharing = 2 ** packageShift(config) - 1; // largest number of LPs below one L3 cache, less 1
      return [((eax & ~0x3ff_c000) | (sharing << 14)) >>> 0, ebx, ecx, edx];
    }
    case 0x1f: {
      const shift = ((ecx >>> 8) & 0xff) === LEVEL_CORE ? packageShift(config) : eax;
      return [shift, ebx, ecx, x2apicId(config, lp)];
    }
  }
  return [eax, ebx, ecx, edx];
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
