/**
 * The module's locks as words. None of them waits: an attempt succeeds at once or the leaf fails with a busy status.
 *
 * - mutex: 0 free, 1 taken.
 * - sharex: bit 0 exclusive, bits 31:1 number of readers.
 * - sharex with host priority: bit 0 exclusive, bit 1 host priority, bits 31:2 number of readers. A host that fails sets the
 *   flag; the next host that succeeds clears it; while it is set, a guest fails even if the lock is free. The flag outlives
 *   a release. (Why: a guest must not starve the host by taking the lock again and again.)
 * - S-EPT entry: bit 11 of the entry, with the host-priority flag in bit 52 (sept.ts).
 *
 * A lock word holds nothing but the lock, so that it may be changed past the journal in an atomic call.
 */
import type { Call } from "./call.ts";

export const SHARED = 0;
export const EXCLUSIVE = 1;

/** Kinds of held locks: what a release has to undo. */
export const HELD_MUTEX = 0;
export const HELD_SHAREX_SHARED = 1;
export const HELD_SHAREX_EXCLUSIVE = 2;
export const HELD_HP_SHARED = 3;
export const HELD_HP_EXCLUSIVE = 4;
export const HELD_SEPT_ENTRY = 5;

const EXCLUSIVE_BIT = 1;
const SHAREX_READER = 2;
/** Where the number of readers begins in a lock's word. */
export const SHAREX_READER_SHIFT = 1;
export const HP_READER_SHIFT = 2;
const HP_FLAG = 2;
const HP_READER = 4;
/** Bit 11 of an S-EPT entry's low word. */
const SEPT_ENTRY_LOCK = 1 << 11;

/** Results of an attempt. */
export const TAKEN = 0;
export const BUSY = 1;
export const BUSY_HOST_PRIORITY = 2;

/** Changes a lock word by a hold that this call takes or gives back. */
function put(call: Call, cell: number, word: number): void {
  if (call.atomic) call.store.poke(cell, word);
  else call.store.write(cell, word);
}

/** Changes a lock word by something that outlives the call: the journal must see it, but not the holds of an atomic call. */
function putLasting(call: Call, cell: number, word: number): void {
  const { store } = call;
  if (call.atomic) {
    const holds = ownHolds(call, cell);
    store.poke(cell, store.read(cell) - holds);
    store.write(cell, word - holds);
    store.poke(cell, word);
  } else {
    store.write(cell, word);
  }
}

/** What the holds of this call add to a host-priority lock's word. */
function ownHolds(call: Call, cell: number): number {
  let holds = 0;
  for (const held of call.held) {
    if (held.cell === cell) holds += held.kind === HELD_HP_SHARED ? HP_READER : EXCLUSIVE_BIT;
  }
  return holds;
}

/** Notes which lock could not be had: the debugger tells who holds it. */
function refuse(call: Call, cell: number): number {
  call.refused = cell;
  return BUSY;
}

export function tryMutex(call: Call, cell: number): number {
  if (call.store.read(cell) !== 0) return refuse(call, cell);
  put(call, cell, 1);
  call.hold(cell, HELD_MUTEX);
  return TAKEN;
}

export function trySharex(call: Call, cell: number, mode: number): number {
  const word = call.store.read(cell);
  if (mode === SHARED) {
    if (word & EXCLUSIVE_BIT) return refuse(call, cell);
    put(call, cell, word + SHAREX_READER);
    call.hold(cell, HELD_SHAREX_SHARED);
  } else {
    if (word !== 0) return refuse(call, cell);
    put(call, cell, EXCLUSIVE_BIT);
    call.hold(cell, HELD_SHAREX_EXCLUSIVE);
  }
  return TAKEN;
}

export function trySharexHp(call: Call, cell: number, mode: number): number {
  const word = call.store.read(cell);
  const free = mode === SHARED ? (word & EXCLUSIVE_BIT) === 0 : (word & ~HP_FLAG) === 0;
  if (call.isGuest) {
    if (mode === SHARED ? word & HP_FLAG : word === HP_FLAG) return BUSY_HOST_PRIORITY;
    if (!free) return refuse(call, cell);
  } else {
    if (!free) {
      putLasting(call, cell, word | HP_FLAG);
      return refuse(call, cell);
    }
    if (word & HP_FLAG) putLasting(call, cell, word & ~HP_FLAG);
  }
  const open = word & ~HP_FLAG;
  put(call, cell, mode === SHARED ? open + HP_READER : open | EXCLUSIVE_BIT);
  call.hold(cell, mode === SHARED ? HELD_HP_SHARED : HELD_HP_EXCLUSIVE);
  return TAKEN;
}

/** Makes a shared hold exclusive; fails while there is another reader. */
export function promoteSharexHp(call: Call, cell: number): number {
  const word = call.store.read(cell);
  if ((word & ~HP_FLAG) !== HP_READER) {
    putLasting(call, cell, word | HP_FLAG);
    return refuse(call, cell);
  }
  if (word & HP_FLAG) putLasting(call, cell, word & ~HP_FLAG);
  put(call, cell, EXCLUSIVE_BIT);
  call.rehold(cell, HELD_HP_EXCLUSIVE);
  return TAKEN;
}

/** Undoes one hold of the given kind. */
export function releaseLock(call: Call, cell: number, kind: number): void {
  const word = call.store.read(cell);
  if (kind === HELD_HP_SHARED) put(call, cell, word - HP_READER);
  else if (kind === HELD_SHAREX_SHARED) put(call, cell, word - SHAREX_READER);
  else if (kind === HELD_HP_EXCLUSIVE) put(call, cell, word & HP_FLAG);
  else if (kind !== HELD_SEPT_ENTRY) put(call, cell, 0);
  else if (!call.atomic) call.store.write(cell, word & ~SEPT_ENTRY_LOCK); // atomic: the bit was never set (sept.ts)
}

/**
 * Keeps a shared lock past the end of the call, as TDH.VP.ENTER does while the guest runs. An atomic call took it past the
 * journal; here the journal learns of it.
 */
export function keepLock(call: Call, cell: number): void {
  call.forget(cell);
  if (call.atomic) {
    const { store } = call;
    const word = store.read(cell);
    store.poke(cell, word - HP_READER); // the forgotten hold, of which the journal does not know yet
    putLasting(call, cell, word);
  }
}

/** Releases a lock that `keepLock` kept in an earlier call. */
export function releaseKeptLock(call: Call, cell: number): void {
  call.store.write(cell, call.store.read(cell) - HP_READER);
}
