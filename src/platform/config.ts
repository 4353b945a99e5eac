/** What a platform is made of. The SEAMCALL log's header carries the same facts (test/vectors/README.md). */
import { defaultMachine } from "../arch/default-machine.ts";
import { MODULE_VERSION } from "../arch/tdx-features.ts";

export interface MemoryRange {
  /** Bytes. */
  readonly base: number;
  readonly size: number;
}

/** Memory, and the NUMA node that it is nearest to: the number of a package. */
export interface NodeMemory extends MemoryRange {
  readonly node: number;
}

export interface PlatformConfig {
  /** Physical address width with KeyID bits, CPUID 0x80000008.EAX[7:0]. */
  readonly maxpa: number;
  /** Numbers of the LPs of each package. */
  readonly packages: readonly (readonly number[])[];
  readonly keyids: {
    /** KeyIDs in all; a power of two. They take the top log2(total) bits of a physical address. */
    readonly total: number;
    /** First TDX private KeyID. */
    readonly privateStart: number;
  };
  /** What answers to host physical addresses, ascending. The module does not know: it goes by the CMRs. */
  readonly memory: readonly NodeMemory[];
  /** Convertible memory ranges, ascending. */
  readonly cmrs: readonly MemoryRange[];
  readonly seamrr: MemoryRange;
  readonly module: {
    readonly version: string;
    readonly buildDate: number;
    readonly buildNum: number;
    /** TDX_FEATURES0. Absent: what that version has. */
    readonly features?: number;
  };
  /** Steps that writing back one package's caches takes (TDH.PHYMEM.CACHE.WB may be interrupted between them). */
  readonly cacheBlocks: number;
  /** Seed of RDRAND and RDSEED. */
  readonly entropySeed: number;
  /** Cryptographic memory integrity (Ci) rather than logical (Li) only. */
  readonly integrity: boolean;
  /** The erratum of the first TDX processors: a partial write to private memory poisons the line. Absent: no. */
  readonly partialWriteErratum?: boolean;
}

const MiB = 2 ** 20;
const GiB = 2 ** 30;
const { packages, lps, keyids, privateKeyids } = defaultMachine;

/** The platform on which the recorded vectors were made: 2 packages x 2 LPs, 64 KeyIDs of which 32 private. */
export const defaultPlatform: PlatformConfig = {
  maxpa: defaultMachine.maxpa,
  packages: Array.from({ length: packages }, (_, number) =>
    Array.from({ length: lps / packages }, (_, at) => (number * lps) / packages + at),
  ),
  keyids: { total: keyids, privateStart: keyids - privateKeyids },
  memory: [
    { base: 0, size: 1920 * MiB, node: 0 },
    { base: 4 * GiB, size: 5 * GiB, node: 0 },
    { base: 10 * GiB, size: 1 * GiB, node: 1 },
  ],
  cmrs: [
    { base: 1 * MiB, size: 1920 * MiB - 1 * MiB },
    { base: 4 * GiB, size: 5 * GiB },
    { base: 10 * GiB, size: 1 * GiB },
  ],
  seamrr: { base: 0x1f_e000_0000, size: 32 * MiB },
  module: { version: MODULE_VERSION, buildDate: 20230301, buildNum: 1 },
  cacheBlocks: defaultMachine.cacheBlocks,
  entropySeed: defaultMachine.seed,
  integrity: defaultMachine.integrity,
};
