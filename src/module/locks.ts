/**
 * Taking a lock as a step of a leaf. Each ends the leaf with a busy status if the lock cannot be had, and stops right
 * after the acquisition: that is where another LP can be seen to collide.
 */
import { TDX_OPERAND_BUSY, TDX_OPERAND_BUSY_HOST_PRIORITY } from "../arch/generated/status-codes.ts";
import { type Call, fail } from "./call.ts";
import {
  BUSY_HOST_PRIORITY,
  HP_READER_SHIFT,
  promoteSharexHp,
  SHAREX_READER_SHIFT,
  TAKEN,
  tryMutex,
  trySharex,
  trySharexHp,
} from "./lock-words.ts";
import type { Steps } from "./step.ts";
import { whyLocked } from "./why.ts";

/** `readerShift`: where the number of readers begins in the lock's word. */
function busy(call: Call, cell: number, result: number, operand: number, readerShift: number): never {
  if (result === BUSY_HOST_PRIORITY) fail(TDX_OPERAND_BUSY_HOST_PRIORITY, operand, "a host waits for it");
  fail(TDX_OPERAND_BUSY, operand, whyLocked(call.store.read(cell), readerShift));
}

/** `code`: the busy status, where it is not TDX_OPERAND_BUSY (SYS_BUSY has no operand). */
export function* lockMutex(call: Call, cell: number, operand: number, code = TDX_OPERAND_BUSY): Steps {
  if (tryMutex(call, cell) !== TAKEN) fail(code, operand);
  yield "the mutex is taken";
}

export function* lockSharex(call: Call, cell: number, mode: number, operand: number): Steps {
  const result = trySharex(call, cell, mode);
  if (result !== TAKEN) busy(call, cell, result, operand, SHAREX_READER_SHIFT);
  yield "the lock is taken";
}

export function* lockSharexHp(call: Call, cell: number, mode: number, operand: number): Steps {
  const result = trySharexHp(call, cell, mode);
  if (result !== TAKEN) busy(call, cell, result, operand, HP_READER_SHIFT);
  yield "the lock is taken";
}

export function* promoteLock(call: Call, cell: number, operand: number): Steps {
  const result = promoteSharexHp(call, cell);
  if (result !== TAKEN) busy(call, cell, result, operand, HP_READER_SHIFT);
  yield "the lock is exclusive";
}
