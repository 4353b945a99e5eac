/** The platform that a flow asks for. */
import type { PlatformDescription } from "../language/platform-block.ts";
import { defaultPlatform, type PlatformConfig } from "../platform/config.ts";

/** A flow's platform block over the default machine. */
export function platformConfig(description: PlatformDescription): PlatformConfig {
  const count = description.packages ?? defaultPlatform.packages.length;
  const lps = description.lps ?? Math.max(count, defaultPlatform.packages.flat().length);
  const total = description.keyids ?? defaultPlatform.keyids.total;
  const privateKeyids = description.privateKeyids ?? total / 2;
  const packages: number[][] = Array.from({ length: Math.min(count, lps) }, () => []);
  for (let lp = 0; lp < lps; lp++) packages[Math.floor((lp * packages.length) / lps)]?.push(lp);
  return {
    ...defaultPlatform,
    packages,
    keyids: { total, privateStart: total - privateKeyids },
    maxpa: description.maxpa ?? defaultPlatform.maxpa,
    cmrs: description.cmrs ?? defaultPlatform.cmrs,
    cacheBlocks: description.cacheBlocks ?? defaultPlatform.cacheBlocks,
    entropySeed: description.seed ?? defaultPlatform.entropySeed,
    integrity: description.integrity ?? defaultPlatform.integrity,
    partialWriteErratum: description.partialWriteErratum ?? false,
  };
}
