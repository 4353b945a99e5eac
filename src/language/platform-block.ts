/** What a `platform { … }` block says. What it leaves out is the runtime's default machine. */

export interface RangeDescription {
  /** Bytes. */
  readonly base: number;
  readonly size: number;
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
  readonly cmrs?: readonly RangeDescription[];
  readonly cacheBlocks?: number;
  readonly seed?: number;
  readonly integrity?: boolean;
  readonly partialWriteErratum?: boolean;
}

/** Entries of the block: their key, and what they take. */
export const PLATFORM_KEYS: Readonly<
  Record<
    string,
    { readonly kind: "count" | "range" | "flag"; readonly what: string; readonly min?: number; readonly max?: number }
  >
> = {
  packages: { kind: "count", what: "number of packages (sockets)", min: 1, max: 8 },
  lps: { kind: "count", what: "number of logical processors in all", min: 1, max: 64 },
  keyids: { kind: "count", what: "number of KeyIDs in all, a power of two", min: 2, max: 4096 },
  private: { kind: "count", what: "number of TDX private KeyIDs among them", min: 1, max: 4095 },
  maxpa: { kind: "count", what: "physical address width in bits", min: 40, max: 52 },
  cmr: { kind: "range", what: "a convertible memory range: base .. end" },
  cache_blocks: { kind: "count", what: "steps that writing back a package's caches takes", min: 1, max: 1024 },
  seed: { kind: "count", what: "seed of the platform's entropy", min: 0, max: 2 ** 32 },
  integrity: { kind: "flag", what: "cryptographic memory integrity" },
  partial_write_erratum: { kind: "flag", what: "a partial write to private memory poisons its line" },
};
