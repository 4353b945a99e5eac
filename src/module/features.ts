/** Which features the module has: all that module 1.5.01 has, unless the platform's description takes some away. */
import { TDX_FEATURES0, tdxFeatures0 } from "../arch/tdx-features.ts";
import type { PlatformConfig } from "../platform/config.ts";

/** TDX_FEATURES0. */
export function featuresOf(config: PlatformConfig): number {
  return config.module.features ?? TDX_FEATURES0;
}

/** @param name as in TDX_FEATURES0 (arch/tdx-features.ts) */
export function hasFeature(config: PlatformConfig, name: string): boolean {
  const feature = tdxFeatures0[name];
  return feature !== undefined && (featuresOf(config) & (1 << feature.bit)) !== 0;
}
