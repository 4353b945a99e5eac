/** The platform that a flow asks for. */
import { SMRAM } from "../arch/smram.ts";
import { TDX_FEATURES0 } from "../arch/tdx-features.ts";
import type { PlatformDescription } from "../language/platform-block.ts";
import { defaultPlatform, type MemoryRange, type NodeMemory, type PlatformConfig } from "../platform/config.ts";

/** A flow's platform block over the default machine. */
export function platformConfig(description: PlatformDescription): PlatformConfig {
  const lps = description.lps ?? Math.max(description.packages ?? 0, defaultPlatform.packages.flat().length);
  const count = Math.min(description.packages ?? defaultPlatform.packages.length, lps);
  const total = description.keyids ?? defaultPlatform.keyids.total;
  const privateKeyids = description.privateKeyids ?? total / 2;
  const packages: number[][] = Array.from({ length: count }, () => []);
  for (let lp = 0; lp < lps; lp++) packages[Math.floor((lp * packages.length) / lps)]?.push(lp);
  const memory = memoryOf(description, count);
  const { withoutFeatures } = description;
  return {
    ...defaultPlatform,
    packages,
    keyids: { total, privateStart: total - privateKeyids },
    maxpa: description.maxpa ?? defaultPlatform.maxpa,
    memory,
    cmrs: description.cmrs ?? (description.memory === undefined ? defaultPlatform.cmrs : convertible(memory)),
    seamrr: besideMemory(defaultPlatform.seamrr, memory),
    module:
      withoutFeatures === undefined
        ? defaultPlatform.module
        : { ...defaultPlatform.module, features: TDX_FEATURES0 & ~withoutFeatures },
    cacheBlocks: description.cacheBlocks ?? defaultPlatform.cacheBlocks,
    entropySeed: description.seed ?? defaultPlatform.entropySeed,
    integrity: description.integrity ?? defaultPlatform.integrity,
    partialWriteErratum: description.partialWriteErratum ?? false,
  };
}

/** All nodes have a package. */
function memoryOf({ memory, cmrs }: PlatformDescription, packages: number): readonly NodeMemory[] {
  if (memory !== undefined) return memory;
  if (cmrs !== undefined) return cmrs.map((cmr) => ({ ...cmr, node: 0 }));
  return defaultPlatform.memory.map((range) => ({ ...range, node: Math.min(range.node, packages - 1) }));
}

/** What firmware keeps of memory: the first MiB for itself and the host's first code, and SMRAM. */
const KEPT: readonly MemoryRange[] = [{ base: 0, size: 2 ** 20 }, SMRAM];

/** All memory that firmware does not keep; adjacent ranges, which differ in their node, are one. */
function convertible(memory: readonly MemoryRange[]): MemoryRange[] {
  const cmrs: MemoryRange[] = [];
  const add = (base: number, end: number): void => {
    const last = cmrs.at(-1);
    if (end <= base) return;
    if (last !== undefined && last.base + last.size === base)
      cmrs[cmrs.length - 1] = { base: last.base, size: end - last.base };
    else cmrs.push({ base, size: end - base });
  };
  for (const { base, size } of memory) {
    let start = base;
    for (const kept of KEPT) {
      add(start, Math.min(kept.base, base + size));
      start = Math.max(start, Math.min(kept.base + kept.size, base + size));
    }
    add(start, base + size);
  }
  return cmrs;
}

/** Where the module itself lies: not in what the host has. */
function besideMemory(seamrr: MemoryRange, memory: readonly MemoryRange[]): MemoryRange {
  const last = memory.at(-1);
  const end = last === undefined ? 0 : last.base + last.size;
  return end <= seamrr.base ? seamrr : { base: Math.ceil(end / seamrr.size) * seamrr.size, size: seamrr.size };
}
