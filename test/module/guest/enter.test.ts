import { describe, expect, it } from "vitest";
import {
  TDX_INCONSISTENT_MSR,
  TDX_LIMIT_CPUID_MAXVAL_SET,
  TDX_OP_STATE_INCORRECT,
  TDX_OPERAND_BUSY,
  TDX_OPERAND_INVALID,
  TDX_PAGE_METADATA_INCORRECT,
  TDX_TDCX_NUM_INCORRECT,
  TDX_VCPU_ASSOCIATED,
  TDX_VCPU_STATE_INCORRECT,
} from "../../../src/arch/generated/status-codes.ts";
import { TDCS_SECURE_EPT_LOCK } from "../../../src/module/layout.ts";
import { survey } from "../../../src/module/survey.ts";
import { Guest } from "../../support/guest.ts";
import { Host, type Operands, status } from "../../support/host.ts";

const RECOVERABILITY_HINT = 2n ** 52n;
const RESUME_L1 = 2n ** 53n;
const IA32_TSC_ADJUST = 0x3b;
const IA32_MISC_ENABLE = 0x1a0;
const MISC_ENABLE_LIMIT_CPUID = 1n << 22n;
const OPERAND_SEPT_TREE = 0x92;

describe("TDH.VP.ENTER refuses", () => {
  const guest = new Guest({ vcpus: 2 });
  const { host, tdvpr, machine } = guest;
  const { platform, store } = machine;
  guest.tdcall("TDG.VP.VMCALL", { rcx: 0 });
  const start = store.mark();
  const tdcs = (): number => survey(machine).tds[0]?.tdcs ?? 0;
  const enter = (operands: Operands, lp = 0): bigint => host.call("TDH.VP.ENTER", operands, lp);

  it.each([
    ["reserved bits", { rcx: tdvpr + 1 }, status(TDX_OPERAND_INVALID, 1)],
    ["reserved high bits", { rcx: BigInt(tdvpr) | (1n << 60n) }, status(TDX_OPERAND_INVALID, 1)],
    ["a page of another kind", { rcx: guest.tdr }, status(TDX_PAGE_METADATA_INCORRECT, 1)],
    [
      "a hint after an exit that no hint fits",
      { rcx: BigInt(tdvpr) | RECOVERABILITY_HINT },
      status(TDX_OPERAND_INVALID, 1),
    ],
    ["to resume from an L2 VM that did not run", { rcx: BigInt(tdvpr) | RESUME_L1 }, status(TDX_OPERAND_INVALID, 1)],
  ])("%s, and only the host's RAX changes", (_, operands, expected) => {
    const others = (): bigint[] => [1, 2, 3, 8, 15].map((register) => platform.readGpr(0, register));
    host.load("TDH.VP.ENTER", { ...operands, r8: 8, r15: 15 });
    const before = others();
    expect(enter({ ...operands, r8: 8, r15: 15 })).toBe(expected);
    expect(others()).toEqual(before);
    store.undo(start);
  });

  it("a VCPU of another LP, and one that does not rest", () => {
    expect(enter({ rcx: tdvpr }, 1)).toBe(status(TDX_VCPU_ASSOCIATED));
    guest.enter();
    expect(enter({ rcx: tdvpr }, 1)).toBe(status(TDX_VCPU_STATE_INCORRECT));
    store.undo(start);
  });

  it("a clock or a CPUID that the host tampered with", () => {
    platform.wrmsr(0, IA32_TSC_ADJUST, 5n);
    expect(enter({ rcx: tdvpr })).toBe(status(TDX_INCONSISTENT_MSR, IA32_TSC_ADJUST));
    store.undo(start);
    platform.wrmsr(0, IA32_MISC_ENABLE, platform.rdmsr(0, IA32_MISC_ENABLE) | MISC_ENABLE_LIMIT_CPUID);
    expect(enter({ rcx: tdvpr })).toBe(status(TDX_LIMIT_CPUID_MAXVAL_SET));
    store.undo(start);
  });

  it("a TD whose build is not finished, and a VCPU without all of its pages", () => {
    const building = new Host();
    const { tdr, vcpus } = building.buildTd();
    expect(building.call("TDH.VP.ENTER", { rcx: vcpus[0] as number })).toBe(status(TDX_OP_STATE_INCORRECT));
    const bare = building.page();
    building.must("TDH.VP.CREATE", { rcx: bare, rdx: tdr });
    building.must("TDH.MR.FINALIZE", { rcx: tdr });
    expect(building.call("TDH.VP.ENTER", { rcx: bare })).toBe(status(TDX_TDCX_NUM_INCORRECT));
  });

  it("a VCPU under suspicion of being stepped while another call has its S-EPT", () => {
    const gpa = 0x1000;
    guest.enter();
    host.must("TDH.MEM.RANGE.BLOCK", { rcx: gpa, rdx: guest.tdr }, 1);
    for (let i = 0; i < 7; i++) {
      if (i > 0) guest.enter();
      guest.do({ action: "access", gpa, kind: "r" });
    }
    const block = host.begin("TDH.MEM.RANGE.BLOCK", { rcx: 0x2000, rdx: guest.tdr }, 1);
    while (store.read(tdcs() + TDCS_SECURE_EPT_LOCK) === 0) block.step();
    expect(enter({ rcx: tdvpr })).toBe(status(TDX_OPERAND_BUSY, OPERAND_SEPT_TREE));
    while (block.next !== undefined) block.step();
    expect(enter({ rcx: tdvpr })).toBe(48n);
    store.undo(start);
  });
});

describe("TDH.VP.ENTER after TDG.VP.VMCALL", () => {
  /** XSTATE_BV in the XSAVE header of TDVPS.XBUFF. */
  const XSTATE_BV = 0x1220_0003_0000_0040n;

  it.each([
    ["marks XMM as in use if the guest passed XMM registers", 0x1_0000, 2n],
    ["leaves XMM alone if it passed none", 0x0c00, 0n],
  ])("%s (save_xmms_by_mask)", (_, rcx, expected) => {
    const guest = new Guest({ debug: true });
    guest.tdcall("TDG.VP.VMCALL", { rcx });
    guest.enter();
    guest.tdcall("TDG.VP.VMCALL", { rcx: 0 });
    guest.host.must("TDH.VP.RD", { rcx: guest.tdvpr, rdx: XSTATE_BV });
    expect(guest.host.register("r8")).toBe(expected);
  });
});
