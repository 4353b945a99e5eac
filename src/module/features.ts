/** Which features the module has: all that module 1.5.01 has, unless the platform's description takes some away. */
import { TDX_FEATURES0, type TdxFeatureName, tdxFeatures0 } from "../arch/tdx-features.ts";
import type { PlatformConfig } from "../platform/config.ts";

/** TDX_FEATURES0. */
export function featuresOf(config: PlatformConfig): number {
  return config.module.features ?? TDX_FEATURES0;
}

export function hasFeature(config: PlatformConfig, name: TdxFeatureName): boolean {
  return (featuresOf(config) & (1 << tdxFeatures0[name].bit)) !== 0;
}
