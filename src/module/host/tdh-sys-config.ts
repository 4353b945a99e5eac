import { TDX_OPERAND_INVALID, TDX_SYS_CONFIG_NOT_PENDING } from "../../arch/generated/status-codes.ts";
import { SYSCONFIG_DONE, SYSINIT_DONE } from "../../arch/generated/system-states.ts";
import { HKID_RESERVED } from "../../arch/generated/td-states.ts";
import { R8, RCX, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { checkAlignedSharedHpa } from "../hpa.ts";
import { privateHkidOperand, setHkidState } from "../kot.ts";
import { EXCLUSIVE } from "../lock-words.ts";
import { PG_1G, PG_2M, PG_4K } from "../pamt.ts";
import { completeCpuidSamples } from "../platform-config.ts";
import type { Steps } from "../step.ts";
import {
  MAX_TDMRS,
  SYS_HKID,
  SYS_NUM_INIT_LPS,
  SYS_NUM_TDMRS,
  SYS_PKG_CONFIG_BITMAP,
  SYS_STATE,
  SYS_TDMRS,
  TDMR_BASE,
  TDMR_LAST_INITIALIZED,
  TDMR_LOCK,
  TDMR_NUM_RSVD,
  TDMR_PAMT_1G_BASE,
  TDMR_PAMT_2M_BASE,
  TDMR_PAMT_4K_BASE,
  TDMR_RSVD,
  TDMR_SIZE,
  TDMR_WORDS,
} from "../sys.ts";
import { lockModule } from "../sys-lock.ts";
import { checkTdmr, readTdmrInfo, type TdmrInfo } from "../tdmr-info.ts";
import { hex, whyLps, whySystem } from "../why.ts";

/** Alignment of the array of pointers and of each TDMR_INFO. */
const TDMR_INFO_ALIGNMENT = 512;

/**
 * TDH.SYS.CONFIG: takes the memory that TDs may use, where their PAMT lies, and the module's global KeyID.
 *
 * RCX array of physical addresses, one of a TDMR_INFO each · RDX number of them, 1 to 64 · R8 the KeyID in bits 15:0.
 * A failure in the middle keeps the KeyID reserved.
 */
export function* tdhSysConfig(call: Call): Steps {
  const { store, sys, memory } = call;

  yield "lock the module (exclusive)";
  yield* lockModule(call, EXCLUSIVE);
  yield "check that TDH.SYS.INIT and TDH.SYS.LP.INIT of all LPs were done";
  const state = store.read(sys + SYS_STATE);
  if (state !== SYSINIT_DONE) fail(TDX_SYS_CONFIG_NOT_PENDING, 0, whySystem(state));
  const lps = store.read(sys + SYS_NUM_INIT_LPS);
  if (lps < call.platform.lpCount) fail(TDX_SYS_CONFIG_NOT_PENDING, 0, whyLps(lps, call.platform.lpCount));

  yield "check the array's address";
  const array = checkAlignedSharedHpa(call, call.num(RCX), TDMR_INFO_ALIGNMENT, RCX);
  yield "check the number of TDMRs";
  const count = call.num(RDX);
  if (count < 1 || count > MAX_TDMRS) fail(TDX_OPERAND_INVALID, RDX, `it is ${count}, not 1 to ${MAX_TDMRS}`);
  yield "check the global KeyID";
  const hkid = privateHkidOperand(call, R8);
  if (hkid < 0) fail(TDX_OPERAND_INVALID, R8, `${hex(call.big(R8))} is no private KeyID`);

  yield "reserve the global KeyID";
  setHkidState(call, hkid, HKID_RESERVED);
  store.write(sys + SYS_HKID, hkid);

  const tdmrs: TdmrInfo[] = [];
  for (let i = 0; i < count; i++) {
    yield "read the next TDMR_INFO";
    const pointer = Number(memory.readBig(array + i * 8));
    const info = checkAlignedSharedHpa(call, pointer, TDMR_INFO_ALIGNMENT, RCX);
    tdmrs.push(readTdmrInfo(call, info));
    yield "check it, and enter it into the TDMR table";
    checkTdmr(call, tdmrs, i);
    writeTdmr(call, sys + SYS_TDMRS + i * TDMR_WORDS, tdmrs[i] as TdmrInfo);
  }

  yield "complete the configuration";
  store.write(sys + SYS_NUM_TDMRS, count);
  completeCpuidSamples(call);
  store.write(sys + SYS_PKG_CONFIG_BITMAP, 0);
  store.write(sys + SYS_STATE, SYSCONFIG_DONE);
}

function writeTdmr(call: Call, tdmr: number, info: TdmrInfo): void {
  const { store } = call;
  store.writeBig(tdmr + TDMR_BASE, info.base);
  store.writeBig(tdmr + TDMR_SIZE, info.size);
  store.writeBig(tdmr + TDMR_LAST_INITIALIZED, info.base);
  store.write(tdmr + TDMR_LOCK, 0);
  store.writeBig(tdmr + TDMR_PAMT_1G_BASE, info.pamt[PG_1G].base);
  store.writeBig(tdmr + TDMR_PAMT_2M_BASE, info.pamt[PG_2M].base);
  store.writeBig(tdmr + TDMR_PAMT_4K_BASE, info.pamt[PG_4K].base);
  const end = info.reserved.findIndex((area) => area.size === 0n);
  const areas = end < 0 ? info.reserved : info.reserved.slice(0, end);
  store.write(tdmr + TDMR_NUM_RSVD, areas.length);
  for (const [i, area] of areas.entries()) {
    store.writeBig(tdmr + TDMR_RSVD + i * 4, area.base);
    store.writeBig(tdmr + TDMR_RSVD + i * 4 + 2, area.size);
  }
}
