/**
 * Taking a lock as a step of a leaf. Each ends the leaf with a busy status if the lock cannot be had, and stops right
 * after the acquisition: that is where another LP can be seen to collide.
 */
import { TDX_OPERAND_BUSY, TDX_OPERAND_BUSY_HOST_PRIORITY } from "../arch/generated/status-codes.ts";
import { type Call, fail } from "./call.ts";
import { BUSY_HOST_PRIORITY, promoteSharexHp, TAKEN, tryMutex, trySharex, trySharexHp } from "./lock-words.ts";
import type { Steps } from "./step.ts";

function busy(result: number, operand: number): never {
  fail(result === BUSY_HOST_PRIORITY ? TDX_OPERAND_BUSY_HOST_PRIORITY : TDX_OPERAND_BUSY, operand);
}

/** `code`: the busy status, where it is not TDX_OPERAND_BUSY (SYS_BUSY has no operand). */
export function* lockMutex(call: Call, cell: number, operand: number, code = TDX_OPERAND_BUSY): Steps {
  if (tryMutex(call, cell) !== TAKEN) fail(code, operand);
  yield "the mutex is taken";
}

export function* lockSharex(call: Call, cell: number, mode: number, operand: number): Steps {
  const result = trySharex(call, cell, mode);
  if (result !== TAKEN) busy(result, operand);
  yield "the lock is taken";
}

export function* lockSharexHp(call: Call, cell: number, mode: number, operand: number): Steps {
  const result = trySharexHp(call, cell, mode);
  if (result !== TAKEN) busy(result, operand);
  yield "the lock is taken";
}

export function* promoteLock(call: Call, cell: number, operand: number): Steps {
  const result = promoteSharexHp(call, cell);
  if (result !== TAKEN) busy(result, operand);
  yield "the lock is exclusive";
}
