import { OPERAND_WBCACHE } from "../../arch/generated/operand-ids.ts";
import {
  TDX_INTERRUPTED_RESUMABLE,
  TDX_NO_HKID_READY_TO_WBCACHE,
  TDX_OPERAND_INVALID,
  TDX_WBCACHE_RESUME_ERROR,
} from "../../arch/generated/status-codes.ts";
import { HKID_FLUSHED } from "../../arch/generated/td-states.ts";
import { RCX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { hkidState, lockKot, setWbinvdBitmap, wbinvdBitmap } from "../kot.ts";
import { LP_PKG } from "../local-data.ts";
import { SHARED } from "../lock-words.ts";
import { lockMutex } from "../locks.ts";
import type { Steps } from "../step.ts";
import {
  SYS_CACHE_BLOCKS,
  SYS_PRIVATE_HKID_MAX,
  SYS_PRIVATE_HKID_MIN,
  SYS_WBT,
  WBT_HKIDS,
  WBT_INTERRUPTION_POINT,
  WBT_LOCK,
  WBT_WORDS,
} from "../sys.ts";
import { hex } from "../why.ts";

const COMMAND_START = 0;
const COMMAND_RESUME = 1;

/**
 * TDH.PHYMEM.CACHE.WB: writes back all caches of this LP's package, so that the KeyIDs that no VCPU uses any more can be
 * freed. It stops when an interrupt is pending, and is then resumed.
 *
 * RCX 0: start, 1: resume.
 */
export function* tdhPhymemCacheWb(call: Call): Steps {
  const { store, sys } = call;
  yield "check the command";
  const command = call.num(RCX);
  if (command > COMMAND_RESUME) fail(TDX_OPERAND_INVALID, RCX, `${hex(command)} is no command`);

  yield "lock the package's write-back";
  const packageNumber = store.read(call.lpCell + LP_PKG);
  const wbt = sys + SYS_WBT + packageNumber * WBT_WORDS;
  yield* lockMutex(call, wbt + WBT_LOCK, OPERAND_WBCACHE);
  yield "lock the key ownership table (shared)";
  yield* lockKot(call, SHARED);

  let block = 0;
  if (command === COMMAND_START) {
    yield "note the KeyIDs that are flushed now";
    store.write(wbt + WBT_INTERRUPTION_POINT, 0);
    if (!noteFlushedHkids(call, wbt)) fail(TDX_NO_HKID_READY_TO_WBCACHE);
  } else {
    yield "check that a write-back was interrupted";
    block = store.read(wbt + WBT_INTERRUPTION_POINT);
    if (block === 0) fail(TDX_WBCACHE_RESUME_ERROR);
  }

  const blocks = store.read(sys + SYS_CACHE_BLOCKS);
  for (;;) {
    yield "write back the next block of the caches";
    block++;
    if (block >= blocks) break;
    if (call.platform.pollInterrupt() !== 0) {
      yield "an interrupt is pending: save where to go on";
      store.write(wbt + WBT_INTERRUPTION_POINT, block);
      fail(TDX_INTERRUPTED_RESUMABLE);
    }
  }
  store.write(wbt + WBT_INTERRUPTION_POINT, 0);
  call.platform.keyed.flushPackage(packageNumber);

  yield "mark the package as written back for the noted KeyIDs";
  for (let hkid = store.read(sys + SYS_PRIVATE_HKID_MIN); hkid <= store.read(sys + SYS_PRIVATE_HKID_MAX); hkid++) {
    if ((store.read(wbt + WBT_HKIDS + (hkid >>> 5)) >>> (hkid & 31)) & 1) {
      setWbinvdBitmap(call, hkid, wbinvdBitmap(call, hkid) & ~(1 << packageNumber));
    }
  }
}

/** Saves the set of flushed KeyIDs; false, and nothing saved, if there is none. */
function noteFlushedHkids(call: Call, wbt: number): boolean {
  const { store, sys } = call;
  const last = store.read(sys + SYS_PRIVATE_HKID_MAX);
  const noted = new Uint32Array((last >>> 5) + 1);
  for (let hkid = store.read(sys + SYS_PRIVATE_HKID_MIN); hkid <= last; hkid++) {
    if (hkidState(call, hkid) === HKID_FLUSHED) noted[hkid >>> 5] = (noted[hkid >>> 5] as number) | (1 << (hkid & 31));
  }
  if (noted.every((word) => word === 0)) return false;
  for (const [i, word] of noted.entries()) store.write(wbt + WBT_HKIDS + i, word);
  return true;
}
