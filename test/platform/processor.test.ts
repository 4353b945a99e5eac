/** CPUID and MSRs as a log or a flow changes them. */
import { expect, test } from "vitest";
import { defaultPlatform } from "../../src/platform/config.ts";
import { Platform } from "../../src/platform/platform.ts";
import { Store } from "../../src/state/store.ts";

const SGX = 0x12;
const CACHES = 0x4;

test("sub-leaf 0 stands for all where the processor ignores sub-leaves; another one is its own", () => {
  const platform = new Platform(new Store(), defaultPlatform);
  const ofTable = platform.cpuid(0, SGX, 2);
  platform.setCpuid(0, SGX, 1, [1, 1, 1, 1]);
  expect(platform.cpuid(0, SGX, 1)).toEqual([1, 1, 1, 1]);
  expect(platform.cpuid(0, SGX, 2)).toEqual(ofTable);
  platform.setCpuid(0, SGX, 0, [2, 2, 2, 2]);
  expect(platform.cpuid(0, SGX, 7)).toEqual([2, 2, 2, 2]);
  expect(platform.cpuid(0, SGX, 1)).toEqual([1, 1, 1, 1]);
  platform.setCpuid(0, CACHES, 0, [3, 3, 3, 3]);
  expect(platform.cpuid(0, CACHES, 1)).not.toEqual([3, 3, 3, 3]);
});

test("an LP has as many MSRs as a dump of all of them sets", () => {
  const store = new Store();
  const platform = new Platform(store, defaultPlatform);
  const start = store.mark();
  for (let msr = 0x1_0000; msr < 0x1_0800; msr++) platform.wrmsr(3, msr, BigInt(msr) << 20n);
  expect(platform.rdmsr(3, 0x1_0000)).toBe(0x1_0000n << 20n);
  expect(platform.rdmsr(3, 0x1_07ff)).toBe(0x1_07ffn << 20n);
  expect(platform.rdmsr(2, 0x1_07ff)).toBe(0n);
  store.undo(start);
  expect(platform.rdmsr(3, 0x1_07ff)).toBe(0n);
});
