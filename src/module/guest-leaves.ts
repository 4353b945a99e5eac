/**
 * Every guest leaf that the module implements, by its number (RAX[15:0]); any other is TDX_OPERAND_INVALID(RAX).
 * Leaves are `function*`: this word gives the table a run variant too (scripts/leaf-transform.ts).
 */
import type { Leaf } from "./call.ts";
import { tdgMemPageAccept } from "./guest/tdg-mem-page-accept.ts";
import { tdgMemPageAttrRd } from "./guest/tdg-mem-page-attr-rd.ts";
import { tdgMemPageAttrWr } from "./guest/tdg-mem-page-attr-wr.ts";
import { tdgMrReport } from "./guest/tdg-mr-report.ts";
import { tdgMrRtmrExtend } from "./guest/tdg-mr-rtmr-extend.ts";
import { tdgMrVerifyreport } from "./guest/tdg-mr-verifyreport.ts";
import { tdgSysRd } from "./guest/tdg-sys-rd.ts";
import { tdgSysRdall } from "./guest/tdg-sys-rdall.ts";
import { tdgVmRd, tdgVmWr } from "./guest/tdg-vm-rd-wr.ts";
import { tdgVpCpuidveSet } from "./guest/tdg-vp-cpuidve-set.ts";
import { tdgVpInfo } from "./guest/tdg-vp-info.ts";
import { tdgVpInvept } from "./guest/tdg-vp-invept.ts";
import { tdgVpRd, tdgVpWr } from "./guest/tdg-vp-rd-wr.ts";
import { tdgVpVeinfoGet } from "./guest/tdg-vp-veinfo-get.ts";
import { tdgVpVmcall } from "./guest/tdg-vp-vmcall.ts";
import { tdgServtdRd, tdgServtdWr, tdgVpEnter, tdgVpInvvpid } from "./guest/unsupported.ts";

export const guestLeaves: Readonly<Record<number, Leaf>> = {
  0: tdgVpVmcall,
  1: tdgVpInfo,
  2: tdgMrRtmrExtend,
  3: tdgVpVeinfoGet,
  4: tdgMrReport,
  5: tdgVpCpuidveSet,
  6: tdgMemPageAccept,
  7: tdgVmRd,
  8: tdgVmWr,
  9: tdgVpRd,
  10: tdgVpWr,
  11: tdgSysRd,
  12: tdgSysRdall,
  18: tdgServtdRd,
  20: tdgServtdWr,
  22: tdgMrVerifyreport,
  23: tdgMemPageAttrRd,
  24: tdgMemPageAttrWr,
  25: tdgVpEnter,
  26: tdgVpInvept,
  27: tdgVpInvvpid,
};
