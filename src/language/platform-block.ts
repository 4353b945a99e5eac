/** What a `platform { … }` block says. What it leaves out is the runtime's default machine. */
import { defaultMachine } from "../arch/default-machine.ts";
import { MODULE_VERSION } from "../arch/tdx-features.ts";

export interface RangeDescription {
  /** Bytes. */
  readonly base: number;
  readonly size: number;
}

export interface MemoryDescription extends RangeDescription {
  /** NUMA node: number of the package that it is nearest to. */
  readonly node: number;
}

export interface PlatformDescription {
  readonly packages?: number;
  /** LPs in all; they are spread evenly over the packages. */
  readonly lps?: number;
  /** KeyIDs in all, a power of two, and how many of them are TDX private: the upper ones. */
  readonly keyids?: number;
  readonly privateKeyids?: number;
  /** Physical address width. */
  readonly maxpa?: number;
  /** Ascending. Absent: what the CMRs are. */
  readonly memory?: readonly MemoryDescription[];
  /** Ascending. Absent: all memory but what firmware keeps. */
  readonly cmrs?: readonly RangeDescription[];
  /** Bits of TDX_FEATURES0 that the module lacks. */
  readonly withoutFeatures?: number;
  readonly cacheBlocks?: number;
  readonly seed?: number;
  readonly integrity?: boolean;
  readonly partialWriteErratum?: boolean;
  /** Seed of the order in which tasks run; 0: they switch only where one waits or yields. */
  readonly schedule?: number;
  /** Tasks switch inside the module too. */
  readonly interleave?: boolean;
}

/** What an entry takes: a number, a range of addresses, true or false, a module's version, the name of a feature. */
export type PlatformKind = "count" | "range" | "flag" | "version" | "feature";

export interface PlatformKey {
  readonly kind: PlatformKind;
  readonly what: string;
  /** What holds without the entry. */
  readonly otherwise: string;
  readonly min?: number;
  readonly max?: number;
  /** May be there more than once. */
  readonly many?: boolean;
}

/** Entries of the block by their key. */
export const PLATFORM_KEYS: Readonly<Record<string, PlatformKey>> = {
  packages: {
    kind: "count",
    what: "number of packages (sockets)",
    otherwise: `${defaultMachine.packages}`,
    min: 1,
    max: 8,
  },
  lps: {
    kind: "count",
    what: "number of logical processors in all",
    otherwise: `${defaultMachine.lps}`,
    min: 1,
    max: 64,
  },
  keyids: {
    kind: "count",
    what: "number of KeyIDs in all, a power of two",
    otherwise: `${defaultMachine.keyids}`,
    min: 2,
    max: 4096,
  },
  private: {
    kind: "count",
    what: "number of TDX private KeyIDs among them",
    otherwise: "half of them",
    min: 1,
    max: 4095,
  },
  maxpa: {
    kind: "count",
    what: "physical address width in bits, with the KeyID's",
    otherwise: `${defaultMachine.maxpa}`,
    min: 40,
    max: 52,
  },
  memory: { kind: "range", what: "memory: base .. end", otherwise: "what the CMRs are", many: true },
  node: {
    kind: "count",
    what: "NUMA node of the memory before it: a package's number",
    otherwise: "0",
    min: 0,
    max: 7,
    many: true,
  },
  cmr: {
    kind: "range",
    what: "a convertible memory range, which may be given to TDs: base .. end",
    otherwise: "all memory but the first MiB and SMRAM",
    many: true,
  },
  module: { kind: "version", what: "version of the TDX module", otherwise: `"${MODULE_VERSION}", the only one` },
  without: { kind: "feature", what: "a feature that the module lacks", otherwise: "it has all", many: true },
  cache_blocks: {
    kind: "count",
    what: "steps that writing back a package's caches takes",
    otherwise: `${defaultMachine.cacheBlocks}`,
    min: 1,
    max: 1024,
  },
  seed: {
    kind: "count",
    what: "seed of the platform's entropy",
    otherwise: `${defaultMachine.seed}`,
    min: 0,
    max: 2 ** 32,
  },
  integrity: { kind: "flag", what: "cryptographic memory integrity", otherwise: `${defaultMachine.integrity}` },
  partial_write_erratum: {
    kind: "flag",
    what: "a partial write to private memory poisons its line",
    otherwise: "false",
  },
  schedule: {
    kind: "count",
    what: "seed of the order in which tasks run; 0: they switch only where one waits or yields",
    otherwise: "0, with interleave 1",
    min: 0,
    max: 2 ** 32 - 1,
  },
  interleave: {
    kind: "flag",
    what: "tasks also switch inside the module, behind each lock that a call takes",
    otherwise: "false",
  },
};
