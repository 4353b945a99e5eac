import { expect, test } from "vitest";
import { decodeStatus, statusOf, statusText } from "../../src/arch/status.ts";

test.each([
  [0xc0000100, 2, "TDX_OPERAND_INVALID(RDX)"],
  [0xc0000100, 0, "TDX_OPERAND_INVALID(RAX)"],
  [0x80000200, 146, "TDX_OPERAND_BUSY(SEPT_TREE)"],
  [0xc0000b08, 1, "TDX_TLB_TRACKING_NOT_DONE(RCX)"],
  [0xc0000921, 0x10a, "TDX_INCORRECT_MSR_VALUE(MSR 0x10a)"],
  [0, 48, "TDX_SUCCESS(exit reason 48 (EPT violation))"],
  [0x60000002, 2, "TDX_NON_RECOVERABLE_TD(exit reason 2 (triple fault))"],
  [0, 0, "TDX_SUCCESS"],
  [0xc00001ff, 0, "no TDX status (0xc00001ff00000000)"],
])("%i:%i is %s", (hi, lo, text) => {
  expect(statusText(hi, lo)).toBe(text);
});

test("takes a status apart", () => {
  expect(decodeStatus(0xe0000604, 0)).toMatchObject({
    name: "TDX_TD_FATAL",
    error: true,
    nonRecoverable: true,
    fatal: true,
    className: "TD state",
    detailKind: "none",
  });
  expect(decodeStatus(0x80000200, 1)).toMatchObject({ error: true, nonRecoverable: false, className: "resource busy" });
});

test("names are known both ways", () => {
  expect(statusOf("TDX_PAGE_METADATA_INCORRECT")).toBe(0xc0000300);
  expect(statusOf("TDX_NO_SUCH")).toBeUndefined();
});
