import { describe, expect, it } from "vitest";
import { defaultPlatform } from "../../src/platform/config.ts";
import { Platform } from "../../src/platform/platform.ts";
import { Store } from "../../src/state/store.ts";

const LPS = 256;

describe("A package of 256 LPs, as a server's capture may have", () => {
  const platform = new Platform(new Store(), {
    ...defaultPlatform,
    packages: [Array.from({ length: LPS }, (_, lp) => lp)],
  });
  const last = LPS - 1;

  it("has no ids for the LPs above 128 in the processor's own CPUID 0x1F", () => {
    expect(platform.cpuid(127, 0x1f, 0)[3]).toBe(127);
    expect(() => platform.cpuid(last, 0x1f, 0)).toThrow(RangeError);
  });

  it("answers every leaf once the capture's CPUID says the ids", () => {
    platform.setCpuid(last, 0x1f, 0, [1, 2, 0x100, last]);
    expect(platform.cpuid(last, 0x1f, 0)[3]).toBe(last);
    expect(platform.cpuid(last, 0x0, 0)).toEqual(platform.cpuid(0, 0x0, 0));
  });
});
