import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { cpuidConfigurable } from "../../src/arch/generated/cpuid-tables.ts";
import { OP_STATE_INITIALIZED, OP_STATE_UNINITIALIZED } from "../../src/arch/generated/op-states.ts";
import * as operand from "../../src/arch/generated/operand-ids.ts";
import {
  TDX_INCONSISTENT_MSR,
  TDX_LIMIT_CPUID_MAXVAL_SET,
  TDX_OPERAND_INVALID,
  TDX_TDCS_NOT_ALLOCATED,
} from "../../src/arch/generated/status-codes.ts";
import { RDX } from "../../src/arch/registers.ts";
import { TDCS_OP_STATE, TDCS_TSC_OFFSET, TDR_TDCX_PA } from "../../src/module/layout.ts";
import { HOST_PAGE, Host, status } from "../support/host.ts";

const PARAMS = HOST_PAGE + 0x1000;
const CPUID_CONFIG = 256;
const RESERVED = [20, 23, 42, 79, 232, 255, CPUID_CONFIG + cpuidConfigurable.length * 16, 1023];
const IA32_TSC_ADJUST = 0x3b;
const IA32_MISC_ENABLE = 0x1a0;

const host = new Host();
const { machine } = host;
const { store, platform } = machine;
const tdr = host.page();
host.must("TDH.MNG.CREATE", { rcx: tdr, rdx: 33 });
for (const [lp = 0] of platform.config.packages) host.must("TDH.MNG.KEY.CONFIG", { rcx: tdr }, lp);
for (let i = 0; i < 6; i++) host.must("TDH.MNG.ADDCX", { rcx: host.page(), rdx: tdr });
writeParams({ 8: 0xe7, 16: 4, 24: 0x1e, 40: 40 });
const ready = store.mark();
const readyHash = store.hash();

/** 32-bit words by byte offset; all else is zero. */
function writeParams(words: Readonly<Record<number, number>>): void {
  for (const [at, word] of Object.entries(words)) platform.memory.write32(PARAMS + Number(at), word);
}

function opState(): number {
  return store.read(platform.memory.cell(firstTdcsPage()) + TDCS_OP_STATE);
}

const init = (): bigint => host.call("TDH.MNG.INIT", { rcx: tdr, rdx: PARAMS });

beforeEach(() => {
  store.undo(ready);
  expect(store.hash()).toBe(readyHash);
});

describe("TDH.MNG.INIT", () => {
  it.each([
    ["a DEBUG and MIGRATABLE TD", { 0: 0x2000_0001 }, operand.OPERAND_ATTRIBUTES],
    ["Key Locker", { 0: 0x8000_0000 }, operand.OPERAND_ATTRIBUTES],
    ["a MIGRATABLE TD with PERFMON", { 0: 0x2000_0000, 4: 0x8000_0000 }, operand.OPERAND_ATTRIBUTES],
    ["no SSE", { 8: 0x1 }, operand.OPERAND_XFAM],
    ["half of AVX-512", { 8: 0x67 }, operand.OPERAND_XFAM],
    ["AVX-512 without AVX", { 8: 0xe3 }, operand.OPERAND_XFAM],
    ["a feature above bit 31", { 12: 1 }, operand.OPERAND_XFAM],
    ["no VCPU", { 16: 0 }, operand.OPERAND_MAX_VCPUS],
    ["four L2 VMs", { 16: 0x4_0004 }, operand.OPERAND_NUM_L2_VMS],
    ["an unknown flag", { 32: 8 }, operand.OPERAND_EXEC_CONTROLS],
    ["3 levels of S-EPT", { 24: 0x16 }, operand.OPERAND_EPTP_CONTROLS],
    ["uncacheable S-EPT", { 24: 0x18 }, operand.OPERAND_EPTP_CONTROLS],
    ["an S-EPT root given by the host", { 24: 0x101e }, operand.OPERAND_EPTP_CONTROLS],
    ["52-bit GPAs with 4 levels", { 32: 1 }, operand.OPERAND_EPTP_CONTROLS],
    ["a TSC below 100 MHz", { 40: 3 }, operand.OPERAND_TSC_FREQUENCY],
    ["a TSC above 10 GHz", { 40: 401 }, operand.OPERAND_TSC_FREQUENCY],
    ["a reserved bit of MSR_CONFIG_CTLS", { 16: 0x200_0004 }, RDX],
    ["IA32_ARCH_CAPABILITIES bits unasked for", { 224: 0x10 }, operand.OPERAND_IA32_ARCH_CAPABILITIES_CONFIG],
    ["RDCL_NO", { 16: 0x100_0004, 224: 1 }, operand.OPERAND_IA32_ARCH_CAPABILITIES_CONFIG],
  ])("refuses %s", (_, words, id) => {
    writeParams(words);
    expect(init()).toBe(status(TDX_OPERAND_INVALID, id));
    expect(host.register("rcx")).toBe(0n);
    expect(machine.calls[0]?.why).not.toBe("");
    expect(opState()).toBe(OP_STATE_UNINITIALIZED);
  });

  it("refuses whatever is in reserved bytes", () => {
    for (const at of RESERVED) {
      const before = store.mark();
      platform.memory.writeBytes(PARAMS + at, Uint8Array.of(1));
      expect(init(), `byte ${at}`).toBe(status(TDX_OPERAND_INVALID, RDX));
      store.undo(before);
    }
  });

  it("names the CPUID leaf that has a bit which is not configurable", () => {
    for (const [i, { leaf, subleaf, masks }] of cpuidConfigurable.entries()) {
      const before = store.mark();
      const allowed = (masks.config_direct?.[2] ?? 0) | (masks.allow_direct?.[2] ?? 0);
      if (~allowed === 0) continue; // all bits of ECX are configurable
      platform.memory.write32(PARAMS + CPUID_CONFIG + i * 16 + 8, ~allowed & -~allowed);
      expect(init()).toBe(status(TDX_OPERAND_INVALID, operand.OPERAND_CPUID_CONFIG));
      expect(host.register("rcx")).toBe((BigInt(subleaf ?? 0xffff_ffff) << 32n) | BigInt(leaf));
      store.undo(before);
    }
  });

  it("refuses HLE without RTM, naming no leaf", () => {
    const leaf7 = cpuidConfigurable.findIndex(({ leaf, subleaf }) => leaf === 7 && subleaf === 0);
    platform.memory.write32(PARAMS + CPUID_CONFIG + leaf7 * 16 + 4, 1 << 4);
    expect(init()).toBe(status(TDX_OPERAND_INVALID, operand.OPERAND_CPUID_CONFIG));
    expect(host.register("rcx")).toBe(0n);
  });

  it("refuses the model of another processor unless the TD is migratable", () => {
    const emeraldRapids = 0xc06f2;
    const sapphireRapids = 0x806f8;
    writeParams({ [CPUID_CONFIG]: emeraldRapids });
    expect(init()).toBe(status(TDX_OPERAND_INVALID, operand.OPERAND_CPUID_CONFIG));
    expect(host.register("rcx")).toBe(0xffff_ffff_0000_0001n);
    // A newer generation than the platform's is refused even then.
    writeParams({ 0: 0x2000_0000 });
    expect(init()).toBe(status(TDX_OPERAND_INVALID, operand.OPERAND_CPUID_CONFIG));
    writeParams({ [CPUID_CONFIG]: sapphireRapids - 1 });
    expect(init()).toBe(0n);
  });

  it("wants TDCS pages for the L2 VMs first", () => {
    writeParams({ 16: 0x1_0004 });
    expect(init()).toBe(status(TDX_TDCS_NOT_ALLOCATED));
    host.must("TDH.MNG.ADDCX", { rcx: host.page(), rdx: tdr });
    expect(init()).toBe(0n);
  });

  it("notices a host that shifts the TSC or limits CPUID on this LP", () => {
    platform.wrmsr(1, IA32_TSC_ADJUST, 5n);
    expect(host.call("TDH.MNG.INIT", { rcx: tdr, rdx: PARAMS }, 1)).toBe(status(TDX_INCONSISTENT_MSR, IA32_TSC_ADJUST));
    platform.wrmsr(1, IA32_MISC_ENABLE, 1n << 22n);
    expect(host.call("TDH.MNG.INIT", { rcx: tdr, rdx: PARAMS }, 1)).toBe(status(TDX_LIMIT_CPUID_MAXVAL_SET));
    expect(init()).toBe(0n); // another LP is as it was
  });

  it("can be tried again until it succeeds, and ends as if it had succeeded at once", () => {
    expect(init()).toBe(0n);
    expect(opState()).toBe(OP_STATE_INITIALIZED);
    // The virtual TSC starts at 0 when the TD is initialised: its offset tells when that was.
    const tdcs = (): string => {
      const page = platform.memory.readBytes(firstTdcsPage(), 4096);
      page.fill(0, TDCS_TSC_OFFSET * 4, TDCS_TSC_OFFSET * 4 + 8);
      return Buffer.from(page).toString("hex");
    };
    const atOnce = tdcs();
    store.undo(ready);
    writeParams({ 40: 3 });
    init();
    writeParams({ 40: 40 });
    expect(init()).toBe(0n);
    expect(tdcs() === atOnce).toBe(true);
  });

  it("takes any parameters without leaving a TD that is half initialised", () => {
    fc.assert(
      fc.property(fc.nat(1023), fc.integer({ min: 1, max: 255 }), (at, byte) => {
        platform.memory.writeBytes(PARAMS + at, Uint8Array.of(byte));
        const succeeded = init() === 0n;
        expect(opState()).toBe(succeeded ? OP_STATE_INITIALIZED : OP_STATE_UNINITIALIZED);
        store.undo(ready);
        expect(store.hash()).toBe(readyHash);
      }),
      { numRuns: 100 },
    );
  });
});

function firstTdcsPage(): number {
  return store.readNumber(platform.memory.cell(tdr) + TDR_TDCX_PA);
}
