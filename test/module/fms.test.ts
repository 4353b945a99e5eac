import { expect, it } from "vitest";
import { Machine } from "../../src/module/machine.ts";
import { defaultPlatform } from "../../src/platform/config.ts";

const RAX = 0;
const RDX = 2;
const R8 = 8;
const SYS_INIT = 33n;
const SYS_RD = 34n;
const SYS_LP_INIT = 35n;
/** Ids of the first elements. */
const PKG_FMS = 0x2_0000_0001n;
const NUM_ALLOWED_FMS = 0x9900_0001_0000_0800n;
const ALLOWED_FMS = 0x9900_0003_0000_0810n;

const SAPPHIRE_RAPIDS = 0x806f8n;
const EMERALD_RAPIDS = 0xc06f0n;

/** A platform of two packages whose processors have these CPUID 1 EAX; TDH.SYS.INIT and LP.INIT are done. */
function platformOf(...fms: readonly number[]): { readonly read: (id: bigint) => bigint } {
  const machine = new Machine(undefined, { ...defaultPlatform, packages: [[0], [1]] });
  const { platform } = machine;
  const call = (leaf: bigint, rdx = 0n): bigint => {
    platform.writeGpr(0, RAX, leaf);
    platform.writeGpr(0, RDX, rdx);
    machine.seamcall(0);
    return platform.readGpr(0, RAX);
  };
  for (const [lp, eax] of fms.entries()) {
    const [, ebx, ecx, edx] = platform.cpuid(lp, 1, 0);
    platform.setCpuid(lp, 1, 0, [eax, ebx, ecx, edx]);
  }
  expect(call(SYS_INIT)).toBe(0n);
  expect(call(SYS_LP_INIT)).toBe(0n);
  return {
    read: (id) => {
      expect(call(SYS_RD, id)).toBe(0n);
      return platform.readGpr(0, R8);
    },
  };
}

// Intel: check_cpuid_configurations takes family and model of the first package, and the least stepping of all.
it("tells each package's own processor, and allows TDs the least stepping and older generations", () => {
  const { read } = platformOf(0xc06f2, 0xc06f0);
  expect([read(PKG_FMS), read(PKG_FMS + 1n), read(PKG_FMS + 2n)]).toEqual([0xc06f2n, 0xc06f0n, 0n]);
  expect(read(NUM_ALLOWED_FMS)).toBe(2n);
  expect([read(ALLOWED_FMS), read(ALLOWED_FMS + 1n), read(ALLOWED_FMS + 2n)]).toEqual([
    EMERALD_RAPIDS,
    SAPPHIRE_RAPIDS,
    0n,
  ]);
});
