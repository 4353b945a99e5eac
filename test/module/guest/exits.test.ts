import { describe, expect, it } from "vitest";
import {
  TDX_NON_RECOVERABLE_TD,
  TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE,
  TDX_NON_RECOVERABLE_VCPU,
  TDX_OPERAND_BUSY,
  TDX_TD_FATAL,
  TDX_VCPU_STATE_INCORRECT,
} from "../../../src/arch/generated/status-codes.ts";
import { GuestActionError } from "../../../src/module/guest/actions.ts";
import { FREE, Guest, MAPPED, PENDING, SHARED_GPA } from "../../support/guest.ts";
import { status } from "../../support/host.ts";

const EXTERNAL_INTERRUPT = { action: "vmexit", reason: 1, interruption: 0x8000_0020 } as const;
const HLT = { action: "vmexit", reason: 12, instructionLength: 1 } as const;
const MACHINE_CHECK = { action: "vmexit", reason: 0, interruption: 0x8000_0312 } as const;
/** Field ids. */
const PEND_NMI = 0x202000000000000bn;
const EXCEPTION_BITMAP = 0x0024000200004004n;
const XCOMP_BV = 0x1220000300000041n;

const VE = { information: 0x8000_0314, errorCode: undefined };
const DF = { information: 0x8000_0b08, errorCode: 0 };

describe("a VCPU in the guest", () => {
  it("keeps its TDVPR and TDR from being taken away", () => {
    const guest = new Guest();
    const { host, tdvpr } = guest;
    expect(host.call("TDH.PHYMEM.PAGE.RECLAIM", { rcx: tdvpr }, 1)).toBe(status(TDX_OPERAND_BUSY, 1));
    expect(host.call("TDH.VP.ENTER", { rcx: tdvpr }, 1)).toBe(status(TDX_VCPU_STATE_INCORRECT));
    guest.do(EXTERNAL_INTERRUPT);
    expect(host.register("rax")).toBe(1n);
    expect(host.register("r9")).toBe(0x8000_0020n);
    expect(host.call("TDH.VP.FLUSH", { rcx: tdvpr })).toBe(0n);
    guest.enter({}, 1);
    expect(guest.machine.inGuest(1)).toBe(true);
  });

  it("gets back the registers that it passed to the host with TDG.VP.VMCALL, and no others", () => {
    const guest = new Guest();
    guest.tdcall("TDG.VP.VMCALL", { rcx: 0x0c00, rbx: 7, r10: 10, r11: 11, r12: 12 });
    const { host } = guest;
    expect([host.register("r10"), host.register("r11"), host.register("r12"), host.register("rbx")]).toEqual([
      10n,
      11n,
      0n,
      0n,
    ]);
    guest.enter({ r10: 110, r11: 111, r12: 112 });
    expect([host.register("r10"), host.register("r11"), host.register("r12"), host.register("rbx")]).toEqual([
      110n,
      111n,
      12n,
      7n,
    ]);
    expect(guest.rax()).toBe(0n);
  });

  it("has all of its XFAM's components in its XSAVE area once it has left", () => {
    const guest = new Guest({ debug: true });
    guest.do(EXTERNAL_INTERRUPT);
    guest.host.must("TDH.VP.RD", { rcx: guest.tdvpr, rdx: XCOMP_BV });
    expect(guest.host.register("r8")).toBe(0x8000_0000_0000_00e7n);
  });

  it("is none for an LP whose guest has left", () => {
    const guest = new Guest();
    guest.do(EXTERNAL_INTERRUPT);
    expect(() => guest.do(HLT)).toThrow(GuestActionError);
    expect(() => guest.machine.beginGuest(1, HLT)).toThrow(GuestActionError);
  });

  it("has its LP to itself: the host cannot call the module there", () => {
    const guest = new Guest();
    expect(() => guest.host.call("TDH.SYS.INFO")).toThrow("a guest runs on LP 0");
    expect(guest.machine.inGuest(0)).toBe(true);
  });

  it("may not access more than one page at once", () => {
    const guest = new Guest();
    const across = { action: "access", gpa: 4090, kind: "r", length: 8 } as const;
    expect(() => guest.do(across)).toThrow(GuestActionError);
    expect(guest.machine.inGuest(0)).toBe(true);
  });
});

describe("#VE", () => {
  it("turns into #DF until the guest has read its information", () => {
    const guest = new Guest();
    expect(guest.do(HLT)).toEqual({ kind: "resume", rip: 0, injected: VE });
    expect(guest.do(HLT)).toEqual({ kind: "resume", rip: 0, injected: DF });
    expect(guest.status("TDG.VP.VEINFO.GET")).toBe(0n);
    expect(guest.host.register("rcx")).toBe(12n);
    expect(guest.do(HLT)).toEqual({ kind: "resume", rip: 0, injected: VE });
  });

  it("tells of an access to a page that waits to be accepted, which works once it is", () => {
    const guest = new Guest();
    expect(guest.do({ action: "access", gpa: PENDING + 8, kind: "w", data: new Uint8Array([1]) })).toMatchObject({
      injected: VE,
    });
    guest.status("TDG.VP.VEINFO.GET");
    expect(guest.host.register("r9")).toBe(BigInt(PENDING + 8));
    expect(guest.status("TDG.MEM.PAGE.ACCEPT", { rcx: PENDING })).toBe(0n);
    expect(guest.write(PENDING + 8, new Uint8Array([1, 2]))).toEqual({ kind: "ok", data: undefined });
    expect(guest.read(PENDING + 7, 4)).toEqual(new Uint8Array([0, 1, 2, 0]));
  });
});

describe("an EPT violation", () => {
  it("hides the page offset of a private page and of a shared one from the host", () => {
    const guest = new Guest();
    for (const gpa of [FREE, SHARED_GPA]) {
      expect(guest.do({ action: "access", gpa: gpa + 0x123, kind: "w", data: new Uint8Array(1) })).toEqual({
        kind: "exit",
      });
      expect([guest.rax(), guest.host.register("rcx"), guest.host.register("r8")]).toEqual([48n, 2n, BigInt(gpa)]);
      guest.enter();
    }
  });

  it("that repeats at one instruction makes the entry fail at once, until the page is there again", () => {
    const guest = new Guest();
    const { host, tdr } = guest;
    const gpa = MAPPED + 4096;
    host.must("TDH.MEM.RANGE.BLOCK", { rcx: gpa, rdx: tdr }, 1);
    for (let i = 0; i < 6; i++) {
      guest.do({ action: "access", gpa, kind: "r" });
      guest.enter();
    }
    guest.do({ action: "access", gpa, kind: "r" });
    expect(host.call("TDH.VP.ENTER", { rcx: guest.tdvpr, rbp: 5 })).toBe(48n);
    expect(guest.machine.inGuest(0)).toBe(false);
    expect([host.register("rcx"), host.register("r8"), host.register("rbp")]).toEqual([2n, BigInt(gpa), 5n]);

    host.must("TDH.MEM.TRACK", { rcx: tdr });
    host.must("TDH.MEM.RANGE.UNBLOCK", { rcx: gpa, rdx: tdr });
    guest.enter();
    expect(guest.do({ action: "access", gpa, kind: "r" })).toMatchObject({ kind: "ok" });
  });
});

describe("an error that nobody survives", () => {
  it("of a VCPU leaves it disabled, and the TD alive", () => {
    const guest = new Guest({ vcpus: 2 });
    guest.do({ action: "vmexit", reason: 2 });
    expect(guest.rax()).toBe(status(TDX_NON_RECOVERABLE_VCPU, 2));
    expect(guest.host.call("TDH.VP.ENTER", { rcx: guest.tdvpr })).toBe(status(TDX_VCPU_STATE_INCORRECT));
    guest.enter({}, 1, guest.vcpus[1]);
    expect(guest.machine.inGuest(1)).toBe(true);
  });

  it("of the TD ends every VCPU at its next exit, and no entry succeeds any more", () => {
    const guest = new Guest({ vcpus: 2 });
    guest.enter({}, 1, guest.vcpus[1]);
    guest.do(MACHINE_CHECK);
    expect(guest.rax()).toBe(status(TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE, 0));
    expect(guest.do(HLT, 1)).toEqual({ kind: "exit" });
    expect(guest.rax(1)).toBe(status(TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE, 12));
    expect(guest.host.call("TDH.VP.ENTER", { rcx: guest.tdvpr })).toBe(status(TDX_TD_FATAL));
  });
});

describe("an NMI", () => {
  it("that the host asked for is injected when the guest can take it, but not before it has read its #VE", () => {
    const guest = new Guest();
    guest.do(HLT);
    guest.do(EXTERNAL_INTERRUPT);
    guest.host.must("TDH.VP.WR", { rcx: guest.tdvpr, rdx: PEND_NMI, r8: 1, r9: 1 });
    guest.enter();
    expect(guest.do({ action: "vmexit", reason: 8 })).toMatchObject({ kind: "resume", injected: undefined });
    guest.status("TDG.VP.VEINFO.GET");
    expect(guest.do({ action: "vmexit", reason: 8 })).toMatchObject({ injected: { information: 0x8000_0202 } });
    expect(guest.do({ action: "vmexit", reason: 8 })).toMatchObject({ injected: undefined });
  });
});

describe("a debugger", () => {
  it("sees a #VE as an exit of its own if it intercepts the vector", () => {
    const guest = new Guest({ debug: true });
    guest.do(EXTERNAL_INTERRUPT);
    guest.host.must("TDH.VP.WR", { rcx: guest.tdvpr, rdx: EXCEPTION_BITMAP, r8: 1n << 20n, r9: 1n << 20n });
    guest.enter();
    expect(guest.do(HLT)).toEqual({ kind: "exit" });
    expect([guest.rax(), guest.host.register("r9")]).toEqual([0n, 0x8000_0314n]);
  });

  it("gets exits that are fatal to a TD without one", () => {
    const debugged = new Guest({ debug: true });
    const other = new Guest();
    for (const guest of [debugged, other]) expect(guest.do({ action: "vmexit", reason: 29 })).toEqual({ kind: "exit" });
    expect(debugged.rax()).toBe(29n);
    expect(other.rax()).toBe(status(TDX_NON_RECOVERABLE_TD, 29));
  });
});
