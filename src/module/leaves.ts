/**
 * Every host leaf that the module implements, by its number (RAX[15:0]). A leaf that is not here answers as an unsupported one.
 * Leaves are `function*`: this word gives the table a run variant too (scripts/leaf-transform.ts).
 */
import type { Leaf } from "./call.ts";
import { tdhMemPageAdd } from "./host/tdh-mem-page-add.ts";
import { tdhMemPageAug } from "./host/tdh-mem-page-aug.ts";
import { tdhMemPageDemote } from "./host/tdh-mem-page-demote.ts";
import { tdhMemPagePromote } from "./host/tdh-mem-page-promote.ts";
import { tdhMemPageRelocate } from "./host/tdh-mem-page-relocate.ts";
import { tdhMemPageRemove } from "./host/tdh-mem-page-remove.ts";
import { tdhMemRangeBlock } from "./host/tdh-mem-range-block.ts";
import { tdhMemRangeUnblock } from "./host/tdh-mem-range-unblock.ts";
import { tdhMemRd, tdhMemWr } from "./host/tdh-mem-rd-wr.ts";
import { tdhMemSeptAdd } from "./host/tdh-mem-sept-add.ts";
import { tdhMemSeptRd } from "./host/tdh-mem-sept-rd.ts";
import { tdhMemSeptRemove } from "./host/tdh-mem-sept-remove.ts";
import { tdhMemTrack } from "./host/tdh-mem-track.ts";
import { tdhMngAddcx } from "./host/tdh-mng-addcx.ts";
import { tdhMngCreate } from "./host/tdh-mng-create.ts";
import { tdhMngInit } from "./host/tdh-mng-init.ts";
import { tdhMngKeyConfig } from "./host/tdh-mng-key-config.ts";
import { tdhMngKeyFreeid } from "./host/tdh-mng-key-freeid.ts";
import { tdhMngKeyReclaimid } from "./host/tdh-mng-key-reclaimid.ts";
import { tdhMngRd } from "./host/tdh-mng-rd.ts";
import { tdhMngVpflushdone } from "./host/tdh-mng-vpflushdone.ts";
import { tdhMngWr } from "./host/tdh-mng-wr.ts";
import { tdhMrExtend } from "./host/tdh-mr-extend.ts";
import { tdhMrFinalize } from "./host/tdh-mr-finalize.ts";
import { tdhPhymemCacheWb } from "./host/tdh-phymem-cache-wb.ts";
import { tdhPhymemPageRdmd } from "./host/tdh-phymem-page-rdmd.ts";
import { tdhPhymemPageReclaim } from "./host/tdh-phymem-page-reclaim.ts";
import { tdhPhymemPageWbinvd } from "./host/tdh-phymem-page-wbinvd.ts";
import { tdhSysConfig } from "./host/tdh-sys-config.ts";
import { tdhSysInfo } from "./host/tdh-sys-info.ts";
import { tdhSysInit } from "./host/tdh-sys-init.ts";
import { tdhSysKeyConfig } from "./host/tdh-sys-key-config.ts";
import { tdhSysLpInit } from "./host/tdh-sys-lp-init.ts";
import { tdhSysLpShutdown } from "./host/tdh-sys-lp-shutdown.ts";
import { tdhSysRd } from "./host/tdh-sys-rd.ts";
import { tdhSysRdall } from "./host/tdh-sys-rdall.ts";
import { tdhSysShutdown } from "./host/tdh-sys-shutdown.ts";
import { tdhSysTdmrInit } from "./host/tdh-sys-tdmr-init.ts";
import { tdhSysUpdate } from "./host/tdh-sys-update.ts";
import { tdhVpAddcx } from "./host/tdh-vp-addcx.ts";
import { tdhVpCreate } from "./host/tdh-vp-create.ts";
import { tdhVpEnter } from "./host/tdh-vp-enter.ts";
import { tdhVpFlush } from "./host/tdh-vp-flush.ts";
import { tdhVpInit } from "./host/tdh-vp-init.ts";
import { tdhVpRd } from "./host/tdh-vp-rd.ts";
import { tdhVpWr } from "./host/tdh-vp-wr.ts";

export const hostLeaves: Readonly<Record<number, Leaf>> = {
  0: tdhVpEnter,
  1: tdhMngAddcx,
  2: tdhMemPageAdd,
  3: tdhMemSeptAdd,
  4: tdhVpAddcx,
  5: tdhMemPageRelocate,
  6: tdhMemPageAug,
  7: tdhMemRangeBlock,
  8: tdhMngKeyConfig,
  9: tdhMngCreate,
  10: tdhVpCreate,
  11: tdhMngRd,
  12: tdhMemRd,
  13: tdhMngWr,
  14: tdhMemWr,
  15: tdhMemPageDemote,
  16: tdhMrExtend,
  17: tdhMrFinalize,
  18: tdhVpFlush,
  19: tdhMngVpflushdone,
  20: tdhMngKeyFreeid,
  21: tdhMngInit,
  22: tdhVpInit,
  23: tdhMemPagePromote,
  24: tdhPhymemPageRdmd,
  25: tdhMemSeptRd,
  26: tdhVpRd,
  27: tdhMngKeyReclaimid,
  28: tdhPhymemPageReclaim,
  29: tdhMemPageRemove,
  30: tdhMemSeptRemove,
  31: tdhSysKeyConfig,
  32: tdhSysInfo,
  33: tdhSysInit,
  34: tdhSysRd,
  35: tdhSysLpInit,
  36: tdhSysTdmrInit,
  37: tdhSysRdall,
  38: tdhMemTrack,
  39: tdhMemRangeUnblock,
  40: tdhPhymemCacheWb,
  41: tdhPhymemPageWbinvd,
  43: tdhVpWr,
  44: tdhSysLpShutdown,
  45: tdhSysConfig,
  52: tdhSysShutdown,
  53: tdhSysUpdate,
};
