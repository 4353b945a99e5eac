import { describe, expect, it } from "vitest";
import { msrTable } from "../../src/arch/generated/platform-cpu.ts";
import { SMRAM } from "../../src/arch/smram.ts";
import { platformConfig } from "../../src/runtime/platform.ts";
import { compiled, compileSources, run } from "../runtime/support.ts";

const GiB = 2 ** 30;

async function told(entries: string): Promise<string[]> {
  const { diagnostics } = await compileSources({ "main.tdx": `platform { ${entries} }` });
  return diagnostics.map(({ column, message }) => `${column - "platform { ".length} ${message}`);
}

describe("a platform block that makes no machine says why, at the entry", () => {
  it.each([
    ["memory 0 .. 2G memory 1G .. 3G", "16 memory 0x40000000 .. 0xc0000000 overlaps memory 0x0 .. 0x80000000"],
    ["cmr 4G .. 6G cmr 5G .. 7G", "14 cmr 0x140000000 .. 0x1c0000000 overlaps cmr 0x100000000 .. 0x180000000"],
    ["memory 0x800 .. 2G", "1 memory 0x800 .. 0x80000000 is no range of 4 KiB pages"],
    [
      "maxpa 46 memory 4G .. 2T",
      "10 memory 0x100000000 .. 0x20000000000 ends above the 40 bits that maxpa leaves beside the KeyID",
    ],
    ["memory 0 .. 1G memory 4G .. 6G cmr 1M .. 1920M", "32 there is no memory at 0x40000000: a CMR lies in memory"],
    ["memory 0 .. 8G node 2", "1 there is no node 2; nodes are packages: 0 to 1"],
    ["packages 1 memory 0 .. 8G node 1", "12 there is no node 1; the only node is 0"],
    ["node 1", "1 a node belongs to the memory before it: memory 4G .. 8G node 0"],
    ["memory 4G", "1 memory is a range: base .. end"],
    ["packages 1 .. 2", "1 packages is no range: number of packages (sockets)"],
    ["lps 4 lps 8", "7 lps is there twice"],
    ["packages 4 lps 2", "12 4 packages have at least 4 LPs"],
    ["keyids 64 private 64", "11 there must be more KeyIDs than private ones: KeyID 0 is for all else"],
    ['module "1.5.06"', '8 there is no module "1.5.06" here: the one that is emulated is "1.5.01"'],
    ["module 2", '8 module takes a version as text: the one that is emulated is "1.5.01"'],
    ["without NO_RBP_MODS", /^9 module 1\.5\.01 has no "NO_RBP_MODS"; its features are TD_MIGRATION, /],
  ])("%s", async (entries, message) => {
    const found = await told(entries);
    expect(found).toHaveLength(1);
    if (typeof message === "string") expect(found[0]).toBe(message);
    else expect(found[0]).toMatch(message);
  });

  it("offers what was probably meant", async () => {
    const suggestions = async (entries: string) =>
      (await compileSources({ "main.tdx": `platform { ${entries} }` })).diagnostics.map(({ suggestion }) => suggestion);
    expect(await suggestions('module "1.5.06"')).toEqual(['"1.5.01"']);
    expect(await suggestions("without NO_RBP_MODS")).toEqual(["NO_RBP_MOD"]);
    expect(await suggestions("memory 0x800 .. 0x1800")).toEqual(["memory 0x0 .. 0x2000"]);
  });
});

describe("a platform block makes the machine that it describes", () => {
  const machine = async (entries: string) => platformConfig((await compiled(`platform { ${entries} }`)).platform);

  it("with nothing in it, 2 packages of 2 LPs, 8 GiB with a hole, 32 private KeyIDs", async () => {
    const { packages, memory, cmrs, keyids, module } = await machine("");
    expect(packages).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(memory.reduce((sum, { size }) => sum + size, 0) / GiB).toBeCloseTo(7.9, 1);
    expect(memory.map(({ node }) => node)).toEqual([0, 0, 1]);
    expect(cmrs).toHaveLength(3);
    expect(keyids).toEqual({ total: 64, privateStart: 32 });
    expect(module.version).toBe("1.5.01");
  });

  it("with all memory but the first MiB convertible, unless it says which is", async () => {
    const { memory, cmrs } = await machine("memory 8G .. 12G node 1, memory 0 .. 2G, memory 4G .. 8G node 0");
    expect(memory).toEqual([
      { base: 0, size: 2 * GiB, node: 0 },
      { base: 4 * GiB, size: 4 * GiB, node: 0 },
      { base: 8 * GiB, size: 4 * GiB, node: 1 },
    ]);
    expect(cmrs).toEqual([
      { base: 2 ** 20, size: 0x7e00_0000 - 2 ** 20 },
      { base: 0x7e80_0000, size: 0x180_0000 },
      { base: 4 * GiB, size: 8 * GiB },
    ]);
    expect((await machine("memory 0 .. 8G cmr 4G .. 6G")).cmrs).toEqual([{ base: 4 * GiB, size: 2 * GiB }]);
    expect((await machine("cmr 4G .. 6G")).memory).toEqual([{ base: 4 * GiB, size: 2 * GiB, node: 0 }]);
  });

  it("with its SMRAM where the processor's registers say, and a warning about CMRs there", async () => {
    const msr = (number: number) => msrTable.find((entry) => entry.msr === number)?.value[0]?.[0] ?? 0;
    expect({ base: msr(0x1f2) & ~0xfff, size: (~(msr(0x1f3) & ~0xfff) >>> 0) + 1 }).toEqual(SMRAM);
    expect(await told("cmr 1M .. 2G")).toEqual([
      "1 this CMR overlaps SMRAM, 0x7e000000 .. 0x7e800000: TDH.SYS.INIT will refuse it",
    ]);
    expect(await run("platform { cmr 1M .. 2G } log TDH.SYS.INIT().name")).toEqual(["TDX_SMRR_OVERLAPS_CMR"]);
    expect(await run("platform { memory 0 .. 2G } log TDH.SYS.INIT().name")).toEqual(["TDX_SUCCESS"]);
  });

  it("with the module beside its memory", async () => {
    const { seamrr } = await machine("memory 0 .. 2G memory 4G .. 1T");
    expect(seamrr.base).toBe(1024 * GiB);
  });
});
