import { describe, expect, it } from "vitest";
import { RAX, RCX } from "../../src/arch/registers.ts";
import { Machine } from "../../src/module/machine.ts";
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

  it("has an id for each LP, and CPUID says where the package's number begins", () => {
    const ids = Array.from({ length: LPS }, (_, lp) => platform.cpuid(lp, 0x1f, 0)[3]);
    expect(new Set(ids).size).toBe(LPS);
    expect(Math.max(...ids)).toBe(LPS - 1);
    expect(platform.cpuid(0, 0x1f, 1)[0]).toBe(8);
    expect((platform.cpuid(0, 0x4, 3)[0] >>> 14) & 0xfff).toBe(LPS - 1);
    const usual = new Platform(new Store(), defaultPlatform);
    expect(usual.cpuid(0, 0x1f, 1)[0]).toBe(7);
  });

  it("has the ids that a capture's CPUID says", () => {
    platform.setCpuid(last, 0x1f, 0, [1, 2, 0x100, 0x1234]);
    expect(platform.cpuid(last, 0x1f, 0)[3]).toBe(0x1234);
  });

  it("comes up", () => {
    const machine = new Machine(new Store(), platform.config);
    const call = (lp: number, leaf: bigint): bigint => {
      machine.platform.writeGpr(lp, RAX, leaf);
      machine.platform.writeGpr(lp, RCX, 0n);
      machine.seamcall(lp);
      return machine.platform.readGpr(lp, RAX);
    };
    expect(call(0, 0x21n)).toBe(0n);
    for (let lp = 0; lp < LPS; lp++) expect(call(lp, 0x23n)).toBe(0n);
  });
});
