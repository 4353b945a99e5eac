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
  const at = generations.findIndex((fms) => (fms & ~STEPPING) === (platform & ~STEPPING));
  return at < 0 ? [] : [platform, ...generations.slice(at + 1)];
}

/** True if a TD may be given this value: an allowed generation, with no later stepping than that. */
export function isAllowedFms(platform: number, fms: number): boolean {
  return allowedFms(platform).some(
    (allowed) => (allowed & ~STEPPING) === (fms & ~STEPPING) && (fms & STEPPING) <= (allowed & STEPPING),
  );
}
