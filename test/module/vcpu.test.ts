import { beforeEach, describe, expect, it } from "vitest";
import {
  TDX_INCONSISTENT_MSR,
  TDX_MAX_VCPUS_EXCEEDED,
  TDX_NO_VCPUS,
  TDX_OPERAND_BUSY,
  TDX_TD_NON_DEBUG,
  TDX_TDCX_NUM_INCORRECT,
  TDX_VCPU_ASSOCIATED,
  TDX_VCPU_NOT_ASSOCIATED,
  TDX_VCPU_STATE_INCORRECT,
} from "../../src/arch/generated/status-codes.ts";
import { RCX } from "../../src/arch/registers.ts";
import { tdTable, vpTable } from "../../src/module/metadata/tables.ts";
import { HOST_PAGE, Host, status } from "../support/host.ts";

const IA32_TSC_ADJUST = 0x3b;

const host = new Host();
const { store, platform } = host.machine;
const { tdr, vcpus } = host.buildTd({ vcpus: 2, debug: true });
const [tdvpr, other] = vcpus as [number, number];
const ready = store.mark();
const readyHash = store.hash();

function idOf(table: typeof tdTable, name: string): bigint {
  return table.ids[table.fields.findIndex((field) => field.name === name)] as bigint;
}

function tdField(name: string): bigint {
  host.must("TDH.MNG.RD", { rcx: tdr, rdx: idOf(tdTable, name) });
  return host.register("r8");
}

function newVcpu(pages: number): number {
  const page = host.page();
  host.must("TDH.VP.CREATE", { rcx: page, rdx: tdr });
  for (let i = 1; i < pages; i++) host.must("TDH.VP.ADDCX", { rcx: host.page(), rdx: page });
  return page;
}

beforeEach(() => {
  store.undo(ready);
  expect(store.hash()).toBe(readyHash);
});

describe("a VCPU's association", () => {
  const field = { rdx: idOf(vpTable, "ASSOC_LPID") };

  it("is with the LP that initialised it, and no other LP may use it before a flush there", () => {
    expect(tdField("NUM_ASSOC_VCPUS")).toBe(2n);
    expect(host.call("TDH.VP.RD", { rcx: tdvpr, ...field }, 1)).toBe(status(TDX_VCPU_ASSOCIATED));
    expect(host.call("TDH.VP.FLUSH", { rcx: tdvpr }, 1)).toBe(status(TDX_VCPU_NOT_ASSOCIATED));
    host.must("TDH.VP.FLUSH", { rcx: tdvpr }, 0);
    expect(tdField("NUM_ASSOC_VCPUS")).toBe(1n);
    expect(host.call("TDH.VP.FLUSH", { rcx: tdvpr }, 0)).toBe(status(TDX_VCPU_NOT_ASSOCIATED));
  });

  it("is taken by a read on another LP, once", () => {
    host.must("TDH.VP.FLUSH", { rcx: tdvpr }, 0);
    for (let i = 0; i < 2; i++) {
      host.must("TDH.VP.RD", { rcx: tdvpr, ...field }, 3);
      expect(host.register("r8", 3)).toBe(3n);
    }
    expect(tdField("NUM_ASSOC_VCPUS")).toBe(2n);
  });

  it("stays even if the read fails afterwards", () => {
    host.must("TDH.VP.FLUSH", { rcx: tdvpr }, 0);
    expect(host.call("TDH.VP.RD", { rcx: tdvpr, rdx: 0xffn << 56n }, 2)).not.toBe(0n);
    expect(tdField("NUM_ASSOC_VCPUS")).toBe(2n);
    expect(host.call("TDH.VP.RD", { rcx: tdvpr, ...field }, 1)).toBe(status(TDX_VCPU_ASSOCIATED));
  });

  it("is undone with the call that took it", () => {
    host.must("TDH.VP.FLUSH", { rcx: tdvpr }, 0);
    const flushed = store.mark();
    host.must("TDH.VP.RD", { rcx: tdvpr, ...field }, 1);
    store.undo(flushed);
    host.must("TDH.VP.RD", { rcx: tdvpr, ...field }, 2);
    expect(host.register("r8", 2)).toBe(2n);
  });
});

describe("a VCPU's build", () => {
  it("needs all pages, once, and a free place in the TD", () => {
    const third = newVcpu(5);
    expect(host.call("TDH.VP.INIT", { rcx: third })).toBe(status(TDX_TDCX_NUM_INCORRECT));
    host.must("TDH.VP.ADDCX", { rcx: host.page(), rdx: third });
    expect(host.call("TDH.VP.INIT", { rcx: third })).toBe(status(TDX_MAX_VCPUS_EXCEEDED));
    expect(tdField("NUM_VCPUS")).toBe(2n);
    expect(host.call("TDH.VP.INIT", { rcx: tdvpr })).toBe(status(TDX_VCPU_STATE_INCORRECT));
    expect(host.call("TDH.VP.ADDCX", { rcx: host.page(), rdx: tdvpr })).toBe(status(TDX_VCPU_STATE_INCORRECT));
  });

  it("has room for the pages of three L2 VMs", () => {
    const third = newVcpu(15);
    expect(host.call("TDH.VP.ADDCX", { rcx: host.page(), rdx: third })).toBe(status(TDX_TDCX_NUM_INCORRECT));
  });

  it("is not associated with any LP before it is initialised", () => {
    const third = newVcpu(6);
    expect(host.call("TDH.VP.RD", { rcx: third, rdx: idOf(vpTable, "ASSOC_LPID") })).toBe(
      status(TDX_VCPU_STATE_INCORRECT),
    );
    expect(host.call("TDH.VP.FLUSH", { rcx: third })).toBe(status(TDX_VCPU_NOT_ASSOCIATED));
  });

  it("collides with another LP that uses the VCPU, and with nothing else", () => {
    const step = host.begin("TDH.VP.RD", { rcx: tdvpr, rdx: idOf(vpTable, "VCPU_INDEX") }, 0);
    while (host.machine.calls[0]?.acquisitions !== 5) step.step();
    expect(host.call("TDH.VP.FLUSH", { rcx: tdvpr }, 1)).toBe(status(TDX_OPERAND_BUSY, RCX));
    expect(host.call("TDH.MR.FINALIZE", { rcx: tdr }, 1)).toBe(status(TDX_OPERAND_BUSY, RCX));
    expect(host.call("TDH.VP.FLUSH", { rcx: other }, 1)).toBe(status(TDX_VCPU_NOT_ASSOCIATED));
    while (step.step() !== undefined);
    expect(host.register("rax")).toBe(0n);
    expect(host.register("r8")).toBe(0n);
  });
});

describe("TDH.VP.INIT", () => {
  it("keeps the index that it took when it then finds the TSC shifted", () => {
    const small = new Host();
    const td = small.buildTd({ vcpus: 0 });
    const page = small.page();
    small.must("TDH.VP.CREATE", { rcx: page, rdx: td.tdr });
    for (let i = 1; i < 6; i++) small.must("TDH.VP.ADDCX", { rcx: small.page(), rdx: page });
    expect(small.call("TDH.MR.FINALIZE", { rcx: td.tdr })).toBe(status(TDX_NO_VCPUS));
    small.machine.platform.wrmsr(1, IA32_TSC_ADJUST, 1n);
    expect(small.call("TDH.VP.INIT", { rcx: page }, 1)).toBe(status(TDX_INCONSISTENT_MSR, IA32_TSC_ADJUST));
    expect(small.call("TDH.VP.INIT", { rcx: page }, 0)).toBe(status(TDX_MAX_VCPUS_EXCEEDED));
  });
});

describe("TDH.MEM.RD and WR", () => {
  const GPA = 0x1000;

  it("reach the memory of a debug TD only, and undo restores it", () => {
    host.addTables(tdr, GPA);
    platform.memory.writeBig(HOST_PAGE, 0x0123_4567_89ab_cdefn);
    host.must("TDH.MEM.PAGE.ADD", { rcx: GPA, rdx: tdr, r8: host.page(), r9: HOST_PAGE });
    const before = store.mark();
    host.must("TDH.MEM.WR", { rcx: GPA, rdx: tdr, r8: 7 });
    expect(host.register("r8")).toBe(0x0123_4567_89ab_cdefn);
    host.must("TDH.MEM.RD", { rcx: GPA, rdx: tdr });
    expect(host.register("r8")).toBe(7n);
    store.undo(before);
    host.must("TDH.MEM.RD", { rcx: GPA, rdx: tdr });
    expect(host.register("r8")).toBe(0x0123_4567_89ab_cdefn);

    const production = host.buildTd({ hkid: 34 });
    expect(host.call("TDH.MEM.RD", { rcx: GPA, rdx: production.tdr })).toBe(status(TDX_TD_NON_DEBUG));
  });
});
