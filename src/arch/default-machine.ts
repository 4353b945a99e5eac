/** The machine that a flow gets where its platform block says nothing else: that of the recorded vectors (test/vectors/README.md). */
export const defaultMachine = {
  /** Physical address width with KeyID bits. */
  maxpa: 52,
  packages: 2,
  /** LPs in all, spread evenly over the packages. */
  lps: 4,
  /** KeyIDs in all, and how many of them are TDX private: the upper ones. */
  keyids: 64,
  privateKeyids: 32,
  /** Steps that writing back one package's caches takes. */
  cacheBlocks: 8,
  /** Seed of the platform's entropy. */
  seed: 1,
  integrity: true,
} as const;
