/** Interrupts while a leaf runs: the module does not take them, but a long-running leaf looks whether one waits, and returns. */
import { type Call, fail } from "./call.ts";

export function interruptPending(call: Call): boolean {
  return call.platform.pollInterrupt() !== 0;
}

/** Ends the leaf with `code` if an interrupt waits; the registers in `restore` get back the values that they had at entry. */
export function endIfInterrupted(call: Call, code: number, restore: readonly number[]): void {
  if (!interruptPending(call)) return;
  for (const register of restore) call.set(register, call.lo(register), call.hi(register));
  fail(code);
}
