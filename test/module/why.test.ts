import { describe, expect, it } from "vitest";
import type { Operands } from "../support/host.ts";
import { HOST_PAGE, Host } from "../support/host.ts";

const host = new Host();
const { tdr } = host.buildTd();
host.addTables(tdr, 0);
const page = host.page();

/** What the module says of a call that fails. */
function why(leaf: string, operands: Operands): string {
  expect(host.call(leaf, operands)).not.toBe(0n);
  return host.machine.calls[0]?.why ?? "";
}

describe("a failed check tells what it compared", () => {
  const hex = (value: number): string => `0x${value.toString(16)}`;

  it.each<[string, Operands, string]>([
    ["TDH.MNG.CREATE", { rcx: tdr, rdx: 40 }, `page ${hex(tdr)} is PT_TDR of 4 KiB, not PT_NDA of 4 KiB`],
    ["TDH.MNG.CREATE", { rcx: tdr + 1, rdx: 40 }, `${hex(tdr + 1)} is not aligned to 0x1000`],
    ["TDH.MNG.CREATE", { rcx: HOST_PAGE, rdx: 40 }, `${hex(HOST_PAGE)} is in no initialised GiB of a TDMR`],
    ["TDH.MNG.CREATE", { rcx: host.page(), rdx: 33 }, "KeyID 33 is ASSIGNED"],
    ["TDH.MNG.CREATE", { rcx: host.page(), rdx: 3 }, "0x3 is no private KeyID"],
    ["TDH.MNG.KEY.CONFIG", { rcx: tdr }, "the TD is TD_KEYS_CONFIGURED"],
    ["TDH.MNG.VPFLUSHDONE", { rcx: tdr }, "1 VCPUs are associated"],
    ["TDH.MNG.ADDCX", { rcx: tdr, rdx: tdr }, "it is locked exclusively"],
    ["TDH.MEM.SEPT.RD", { rcx: 2 ** 30, rdx: tdr }, "the S-EPT entry of level 2 is SEPT_FREE"],
    ["TDH.MEM.RANGE.BLOCK", { rcx: 0x1000, rdx: tdr }, "the S-EPT entry of level 0 is SEPT_FREE"],
    [
      "TDH.MEM.RANGE.BLOCK",
      { rcx: 0x1001, rdx: tdr },
      "GPA 0x1000 with level 1: it must be aligned, with level 0 to 3",
    ],
    ["TDH.MEM.RANGE.BLOCK", { rcx: 2 ** 47, rdx: tdr }, "GPA 0x800000000000 is not private"],
    ["TDH.MEM.PAGE.ADD", { rcx: 0x1000, rdx: tdr, r8: tdr, r9: HOST_PAGE }, "it is locked exclusively"],
    ["TDH.SYS.INIT", {}, "the system is SYS_READY"],
    ["TDH.SYS.INFO", { rcx: HOST_PAGE + 8 }, `${hex(HOST_PAGE + 8)} is not aligned to 0x400`],
  ])("%s %o", (leaf, operands, text) => {
    expect(why(leaf, operands)).toBe(text);
  });

  it("TDH.MEM.PAGE.REMOVE of a page that was not tracked", () => {
    host.must("TDH.MEM.PAGE.ADD", { rcx: 0x1000, rdx: tdr, r8: page, r9: HOST_PAGE });
    host.must("TDH.MR.FINALIZE", { rcx: tdr });
    host.must("TDH.MEM.RANGE.BLOCK", { rcx: 0x1000, rdx: tdr });
    expect(why("TDH.MEM.PAGE.REMOVE", { rcx: 0x1000, rdx: tdr })).toBe(
      "it was blocked in epoch 1; the TD is in epoch 1, and 0 VCPUs run in the one before",
    );
  });
});
