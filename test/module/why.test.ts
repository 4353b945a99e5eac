import { describe, expect, it } from "vitest";
import type { Operands } from "../support/host.ts";
import { HOST_PAGE, Host } from "../support/host.ts";

const host = new Host();
const { tdr } = host.buildTd();

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
    ["TDH.SYS.INIT", {}, "the system is SYS_READY"],
    ["TDH.SYS.INFO", { rcx: HOST_PAGE + 8 }, `${hex(HOST_PAGE + 8)} is not aligned to 0x400`],
  ])("%s %o", (leaf, operands, text) => {
    expect(why(leaf, operands)).toBe(text);
  });
});
