/**
 * Processor generations by CPUID 1 EAX (family, model, stepping in bits 3:0), newest first, each with its latest stepping. A
 * migratable TD may be configured as any generation from its platform's on to older ones.
 */
const STEPPING = 0xf;

const generations: readonly number[] = [
  0xd06d0, // Clearwater Forest
  0xa06e0, // Granite Rapids D
  0xa06d0, // Granite Rapids SP
  0xa06f0, // Sierra Forest
  0xc06f2, // Emerald Rapids
  0x806f8, // Sapphire Rapids
];

/** The platform itself, then the older generations. Empty if the module does not know the platform. */
export function allowedFms(platform: number): readonly number[] {
  const at = generations.findIndex((fms) => isSameModel(fms, platform));
  return at < 0 ? [] : [platform, ...generations.slice(at + 1)];
}

/** True if a TD may be given this value: an allowed generation, no later stepping than that or than the platform's own. */
export function isAllowedFms(platform: number, fms: number): boolean {
  const [own, ...older] = allowedFms(platform);
  if (own === undefined) return false;
  const latest = generations.find((known) => isSameModel(known, own)) as number;
  return [Math.min(own, latest), ...older].some((allowed) => isSameModel(allowed, fms) && fms <= allowed);
}

function isSameModel(a: number, b: number): boolean {
  return (a & ~STEPPING) === (b & ~STEPPING);
}
