import { describe, expect, it } from "vitest";
import type { GuestAction } from "../../../src/module/guest/actions.ts";
import { checkInvariants } from "../../../src/module/invariants.ts";
import { FREE, Guest, MAPPED, PENDING, SHARED_GPA } from "../../support/guest.ts";
import type { Operands } from "../../support/host.ts";

const guest = new Guest();
const { machine } = guest;
const { store } = machine;
const start = store.mark();
const startHash = store.hash();
const startRegisters = guest.host.register("rcx");

type Action = readonly [what: string, action: GuestAction, operands?: Operands];

const tdcalls: readonly (readonly [leaf: string, operands: Operands])[] = [
  ["TDG.VP.VMCALL", { rcx: 0xfc00, r10: 1, r11: 2 }],
  ["TDG.VP.INFO", {}],
  ["TDG.MR.RTMR.EXTEND", { rcx: MAPPED, rdx: 2 }],
  ["TDG.VP.VEINFO.GET", {}],
  ["TDG.MR.REPORT", { rcx: MAPPED + 4096, rdx: MAPPED }],
  ["TDG.VP.CPUIDVE.SET", { rcx: 1 }],
  ["TDG.MEM.PAGE.ACCEPT", { rcx: PENDING }],
  ["TDG.VM.RD", { rdx: 0x9010000300000010n }],
  ["TDG.VP.RD", { rdx: -1n & 0xffff_ffff_ffff_ffffn }],
  ["TDG.SYS.RD", { rdx: 0xffff_ffff_ffff_ffffn }],
  ["TDG.SYS.RDALL", { rdx: MAPPED, r8: 0xffff_ffff_ffff_ffffn }],
  ["TDG.MEM.PAGE.ATTR.RD", { rcx: MAPPED }],
  ["TDG.MEM.PAGE.ATTR.WR", { rcx: MAPPED }],
];

const actions: readonly Action[] = [
  ...tdcalls.map(([leaf, operands]): Action => [leaf, { action: "tdcall" }, operands]),
  ["CPUID", { action: "cpuid" }, { rax: 1 }],
  ["CPUID that is a #VE", { action: "cpuid" }, { rax: 6 }],
  ["RDMSR", { action: "rdmsr" }, { rcx: 0x1d9 }],
  ["WRMSR", { action: "wrmsr" }, { rcx: 0x1d9, rax: 1 }],
  ["HLT", { action: "vmexit", reason: 12, instructionLength: 1 }],
  ["an external interrupt", { action: "vmexit", reason: 1, interruption: 0x8000_0020 }],
  ["a triple fault", { action: "vmexit", reason: 2 }],
  ["a machine check", { action: "vmexit", reason: 0, interruption: 0x8000_0312 }],
  ["a write to a mapped page", { action: "access", gpa: MAPPED, kind: "w", data: new Uint8Array([1, 2, 3]) }],
  ["a read of a pending page", { action: "access", gpa: PENDING, kind: "r" }],
  ["a fetch from a free page", { action: "access", gpa: FREE, kind: "x" }],
  ["a read of a shared page", { action: "access", gpa: SHARED_GPA, kind: "r" }],
];

function load([what, action, operands = {}]: Action): void {
  if (action.action === "tdcall") guest.load(what, operands);
  else guest.load("TDG.VP.INFO", { ...operands });
  if (action.action !== "tdcall") machine.platform.writeGpr(0, 0, BigInt(operands.rax ?? 0));
}

describe.each(actions.map((action) => ({ what: action[0], action })))("$what", ({ action }) => {
  it("is undone without a trace", () => {
    load(action);
    const result = machine.guest(0, action[1]);
    expect(machine.inGuest(0)).toBe(result.kind !== "exit");
    expect(checkInvariants(machine)).toEqual([]);
    store.undo(start);
    expect(store.hash()).toBe(startHash);
    expect(guest.host.register("rcx")).toBe(startRegisters);
  });

  it("ends in the same state and with the same result when it is stepped", () => {
    load(action);
    const result = machine.guest(0, action[1]);
    const whole = store.hash();
    store.undo(start);

    load(action);
    const entry = machine.beginGuest(0, action[1]);
    const hashes: string[] = [];
    const marks: number[] = [];
    while (entry.next !== undefined) {
      hashes.push(store.hash());
      marks.push(store.mark());
      entry.step();
    }
    expect(machine.guestResult(0)).toEqual(result);
    expect(store.hash()).toBe(whole);
    for (let i = marks.length - 1; i >= 0; i--) {
      store.undo(marks[i] as number);
      expect(store.hash()).toBe(hashes[i]);
    }
    machine.forgetEntries();
    store.undo(start);
    expect(store.hash()).toBe(startHash);
  });
});

describe("TDH.VP.ENTER", () => {
  it("gives its locks back at the TD exit, and both are undone", () => {
    guest.tdcall("TDG.VP.VMCALL", { rcx: 0 });
    const outside = store.mark();
    const outsideHash = store.hash();
    guest.enter();
    guest.tdcall("TDG.VP.VMCALL", { rcx: 0 });
    expect(guest.host.call("TDH.VP.FLUSH", { rcx: guest.tdvpr })).toBe(0n);
    store.undo(outside);
    expect(store.hash()).toBe(outsideHash);
    store.undo(start);
    expect(store.hash()).toBe(startHash);
  });
});
