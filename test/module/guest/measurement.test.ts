import { sha384 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { TDX_INVALID_REPORTMACSTRUCT, TDX_OPERAND_INVALID } from "../../../src/arch/generated/status-codes.ts";
import { Guest, MAPPED } from "../../support/guest.ts";
import { status } from "../../support/host.ts";

const PAGE = 4096;
const REPORT = MAPPED + PAGE;

const concat = (...parts: Uint8Array[]) => new Uint8Array(parts.flatMap((part) => [...part]));

describe("TDG.MR.REPORT", () => {
  const guest = new Guest();
  const data = Uint8Array.from({ length: 64 }, (_, i) => i);
  guest.write(MAPPED, data);
  const digest = Uint8Array.from({ length: 48 }, () => 7);
  guest.write(MAPPED + 64, digest);

  it("has the extended RTMR, the data and the hash of what it says of the TD", () => {
    expect(guest.status("TDG.MR.RTMR.EXTEND", { rcx: MAPPED + 64, rdx: 3 })).toBe(0n);
    expect(guest.status("TDG.MR.REPORT", { rcx: REPORT, rdx: MAPPED })).toBe(0n);
    const report = guest.read(REPORT, 1024);
    const info = report.slice(512);
    expect(info.slice(16 + 7 * 48, 16 + 8 * 48)).toEqual(sha384(concat(new Uint8Array(48), digest)));
    expect(report.slice(80, 128)).toEqual(sha384(info));
    expect(report.slice(128, 192)).toEqual(data);
  });

  it("is verified as genuine, and no more when a bit of it changes", () => {
    expect(guest.status("TDG.MR.REPORT", { rcx: REPORT, rdx: MAPPED })).toBe(0n);
    expect(guest.status("TDG.MR.VERIFYREPORT", { rcx: REPORT })).toBe(0n);
    guest.write(REPORT + 130, new Uint8Array([0xff]));
    expect(guest.status("TDG.MR.VERIFYREPORT", { rcx: REPORT })).toBe(status(TDX_INVALID_REPORTMACSTRUCT));
  });

  it("refuses unaligned buffers and other subtypes", () => {
    expect(guest.status("TDG.MR.REPORT", { rcx: REPORT + 512, rdx: MAPPED })).toBe(status(TDX_OPERAND_INVALID, 1));
    expect(guest.status("TDG.MR.REPORT", { rcx: REPORT, rdx: MAPPED + 32 })).toBe(status(TDX_OPERAND_INVALID, 2));
    expect(guest.status("TDG.MR.REPORT", { rcx: REPORT, rdx: MAPPED, r8: 1 })).toBe(status(TDX_OPERAND_INVALID, 8));
  });

  it("changes nothing when an interrupt stops it, and succeeds when it is repeated", () => {
    guest.machine.platform.setInterrupt(0, 1);
    const result = guest.tdcall("TDG.MR.REPORT", { rcx: REPORT, rdx: MAPPED });
    expect(result).toEqual({ kind: "resume", rip: 0, injected: undefined });
    expect(guest.rax()).toBe(4n);
    guest.machine.platform.setInterrupt(-1, 0);
    expect(guest.status("TDG.MR.REPORT", { rcx: REPORT, rdx: MAPPED })).toBe(0n);
  });
});
