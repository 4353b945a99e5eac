/** Buffers of guests' leaves: private ones through the Secure EPT, shared ones through tables of the host's. */
import { describe, expect, it } from "vitest";
import { TDX_OPERAND_INVALID } from "../../../src/arch/generated/status-codes.ts";
import { FREE, Guest, MAPPED, PENDING, SHARED_GPA } from "../../support/guest.ts";
import { status } from "../../support/host.ts";

const SHARED_EPTP = 0x002400030000203cn;
/** Host memory for a shared EPT of 4 levels, one page a level, and a page that it maps. */
const TABLES = 0x0400_0000;
const BUFFER = TABLES + 5 * 4096;
const RWX_WB = 0x37n;
const SUPPRESS_VE = 1n << 63n;
/** KeyID 1, in the top bits of a 52-bit address. */
const SHARED_KEYID = 1n << 46n;

/** A guest whose shared GPA 2^47 is mapped to BUFFER by `leaf` bits, through entries with `table` bits. */
function withSharedPage(leaf: bigint, table = 7n): Guest {
  const guest = new Guest();
  const { memory } = guest.machine.platform;
  const index = [256, 0, 0, 0];
  for (let i = 0; i < 4; i++) {
    const next = BigInt(i < 3 ? TABLES + (i + 1) * 4096 : BUFFER);
    memory.writeBig(TABLES + i * 4096 + (index[i] as number) * 8, next | (i < 3 ? table : leaf));
  }
  guest.do({ action: "vmexit", reason: 1 });
  guest.host.must("TDH.VP.WR", { rcx: guest.tdvpr, rdx: SHARED_EPTP, r8: TABLES, r9: 0xffffffffff000n });
  guest.enter();
  return guest;
}

describe("TDG.MR.REPORT into shared memory", () => {
  it("writes where the host's tables lead", () => {
    const guest = withSharedPage(RWX_WB);
    expect(guest.status("TDG.MR.REPORT", { rcx: SHARED_GPA, rdx: MAPPED })).toBe(0n);
    expect(guest.machine.platform.memory.read32(BUFFER)).toBe(0x81);
  });

  it("is an EPT violation where the host's table says so, and a #VE where it does not suppress it", () => {
    const suppressed = withSharedPage(SUPPRESS_VE);
    expect(suppressed.tdcall("TDG.MR.REPORT", { rcx: SHARED_GPA, rdx: MAPPED })).toEqual({ kind: "exit" });
    expect([suppressed.rax(), suppressed.host.register("r8")]).toEqual([48n, BigInt(SHARED_GPA)]);
    const open = withSharedPage(0n);
    const result = open.tdcall("TDG.MR.REPORT", { rcx: SHARED_GPA, rdx: MAPPED });
    expect(result).toMatchObject({ kind: "resume", rip: 0, injected: { information: 0x8000_0314 } });
  });

  it("is a TD exit where a table lacks a permission: only pages and absent entries can ask for #VE (is_ept_violation_convertible)", () => {
    const readOnly = withSharedPage(RWX_WB, 1n);
    expect(readOnly.tdcall("TDG.MR.REPORT", { rcx: SHARED_GPA, rdx: MAPPED })).toEqual({ kind: "exit" });
    expect([readOnly.rax(), readOnly.host.register("rcx")]).toEqual([48n, 0b1010n]);
  });

  it("goes through tables with shared KeyIDs (gpa_translate)", () => {
    const guest = withSharedPage(RWX_WB | SHARED_KEYID, 7n | SHARED_KEYID);
    expect(guest.status("TDG.MR.REPORT", { rcx: SHARED_GPA, rdx: MAPPED })).toBe(0n);
    expect(guest.machine.platform.memory.read32(BUFFER)).toBe(0x81);
  });

  it.each([
    ["write without read", 2n],
    ["a reserved memory type", 0x17n],
    ["a private KeyID", RWX_WB | (32n << 46n)],
  ])("is an EPT misconfiguration where the host's entry has %s", (_, leaf) => {
    const guest = withSharedPage(leaf);
    expect(guest.tdcall("TDG.MR.REPORT", { rcx: SHARED_GPA, rdx: MAPPED })).toEqual({ kind: "exit" });
    expect([guest.rax(), guest.host.register("r8")]).toEqual([49n, BigInt(SHARED_GPA)]);
  });
});

describe("a private buffer", () => {
  it("that waits to be accepted is a #VE, and one that is not there a TD exit", () => {
    const guest = new Guest();
    const pending = guest.tdcall("TDG.MR.RTMR.EXTEND", { rcx: PENDING });
    expect(pending).toMatchObject({ kind: "resume", rip: 0, injected: { information: 0x8000_0314 } });
    guest.status("TDG.VP.VEINFO.GET");
    expect([guest.host.register("rcx"), guest.host.register("r9")]).toEqual([48n, BigInt(PENDING)]);
    expect(guest.tdcall("TDG.MR.RTMR.EXTEND", { rcx: FREE })).toEqual({ kind: "exit" });
    expect([guest.rax(), guest.host.register("rcx"), guest.host.register("r8")]).toEqual([48n, 1n, BigInt(FREE)]);
  });

  it("must be private where the leaf says so", () => {
    const guest = withSharedPage(RWX_WB);
    expect(guest.status("TDG.MR.RTMR.EXTEND", { rcx: SHARED_GPA })).toBe(status(TDX_OPERAND_INVALID, 1));
    expect(guest.status("TDG.SYS.RDALL", { rdx: SHARED_GPA, r8: 0xffff_ffff_ffff_ffffn })).toBe(
      status(TDX_OPERAND_INVALID, 2),
    );
  });
});
