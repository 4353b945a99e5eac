import { describe, expect, it } from "vitest";
import { hostLeafInfo } from "../../src/arch/generated/leaves.ts";
import {
  TDX_EPT_WALK_FAILED,
  TDX_OP_STATE_INCORRECT,
  TDX_OPERAND_BUSY,
  TDX_OPERAND_INVALID,
  TDX_PAGE_METADATA_INCORRECT,
  TDX_TD_NOT_MIGRATABLE,
} from "../../src/arch/generated/status-codes.ts";
import { hostLeaves } from "../../src/module/leaves.ts";
import { unsupportedLeaves } from "../../src/module/unsupported.ts";
import { Host, status } from "../support/host.ts";

const OPERAND_INVALID_RAX = status(TDX_OPERAND_INVALID);

describe("leaves that are left out", () => {
  it("are exactly those that the module has and the emulator has not", () => {
    const left = Object.entries(hostLeafInfo)
      .filter(([number, { implemented }]) => implemented && hostLeaves[Number(number)] === undefined)
      .map(([number, { name }]) => [number, name]);
    expect(Object.entries(unsupportedLeaves).map(([number, { name }]) => [number, name])).toEqual(left);
  });

  it("are live migration and service TDs", () => {
    for (const { name } of Object.values(unsupportedLeaves)) expect(name).toMatch(/^TDH\.(EXPORT|IMPORT|MIG|SERVTD)\./);
  });

  it("refuse the TD as the module would, and where it would go on, themselves", () => {
    const host = new Host();
    const { tdr } = host.buildTd();
    const free = host.page();
    expect(host.call("TDH.EXPORT.PAUSE", { rcx: free })).toBe(status(TDX_PAGE_METADATA_INCORRECT, 0x1));
    expect(host.call("TDH.EXPORT.PAUSE", { rcx: tdr })).toBe(status(TDX_OP_STATE_INCORRECT));
    expect(host.call("TDH.SERVTD.PREBIND", { rcx: tdr })).toBe(OPERAND_INVALID_RAX);
  });

  it("check their first operands as the module does", () => {
    const host = new Host();
    const { tdr } = host.buildTd();
    const servtd = host.buildTd({ hkid: 34 }).tdr;
    const free = host.page();
    expect(host.call("TDH.MIG.STREAM.CREATE", { rcx: tdr, rdx: tdr })).toBe(status(TDX_OPERAND_BUSY, 1));
    expect(host.call("TDH.MIG.STREAM.CREATE", { rcx: servtd, rdx: tdr })).toBe(status(TDX_PAGE_METADATA_INCORRECT, 1));
    expect(host.call("TDH.MIG.STREAM.CREATE", { rcx: free, rdx: tdr })).toBe(OPERAND_INVALID_RAX);
    expect(host.call("TDH.SERVTD.PREBIND", { rcx: tdr, rdx: 8 })).toBe(status(TDX_OPERAND_INVALID, 2));
    expect(host.call("TDH.SERVTD.PREBIND", { rcx: tdr, r8: 1 })).toBe(status(TDX_OPERAND_INVALID, 8));
    expect(host.call("TDH.SERVTD.PREBIND", { rcx: tdr, r9: 1 })).toBe(status(TDX_OPERAND_INVALID, 9));
    expect(host.call("TDH.SERVTD.PREBIND", { rcx: tdr, r10: 2 })).toBe(status(TDX_OPERAND_INVALID, 10));
    expect(host.call("TDH.SERVTD.BIND", { rcx: tdr, rdx: free })).toBe(status(TDX_PAGE_METADATA_INCORRECT, 2));
    expect(host.call("TDH.SERVTD.BIND", { rcx: tdr, rdx: servtd })).toBe(status(TDX_OP_STATE_INCORRECT));
    host.must("TDH.MR.FINALIZE", { rcx: servtd });
    expect(host.call("TDH.SERVTD.BIND", { rcx: tdr, rdx: servtd })).toBe(OPERAND_INVALID_RAX);
    expect(host.call("TDH.EXPORT.STATE.IMMUTABLE", { rcx: servtd })).toBe(status(TDX_TD_NOT_MIGRATABLE));
    expect(host.call("TDH.EXPORT.UNBLOCKW", { rcx: 1, rdx: servtd })).toBe(status(TDX_OPERAND_INVALID, 1));
    expect(host.call("TDH.EXPORT.UNBLOCKW", { rcx: 0, rdx: servtd })).toBe(status(TDX_EPT_WALK_FAILED, 1));
  });

  it("leave no lock behind", () => {
    const host = new Host();
    const { tdr } = host.buildTd();
    const before = host.machine.store.mark();
    host.call("TDH.SERVTD.PREBIND", { rcx: tdr }, 3);
    const touched = [...host.machine.store.changedSince(before)].map((cell) =>
      host.machine.platform.memory.hpaOf(cell),
    );
    expect(touched.filter((hpa) => hpa !== undefined)).toEqual([]);
  });
});
