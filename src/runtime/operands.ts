/** The call at which a task stands, for who changes it: its operands before it, and its result behind it. */
import { and, fromBig, type Integer, shiftRight } from "../language/values.ts";
import { registersFor } from "./leaf-call.ts";
import { LeafResult } from "./leaf-result.ts";
import { innermostFrame, pendingCall } from "./pending.ts";
import type { Runtime } from "./runtime.ts";

/**
 * Gives the call that a task stands before other operands, by their numbers. Throws a FlowError, and changes nothing, if a value is
 * none for its operand.
 */
export function setOperands(runtime: Runtime, task: number, changes: ReadonlyMap<number, unknown>): void {
  const { state, store, machine } = runtime;
  const place = innermostFrame(state, task);
  const pending = pendingCall(state, task);
  if (place === undefined || pending?.call === undefined) return;
  const first = place.end - pending.values.length;
  const values = pending.values.map((value, index) => (changes.has(index) ? changes.get(index) : value));
  const registers = registersFor(machine.platform, pending.call, values, 0);
  // The registers have been loaded for who looks at them here, unless the LP has others by now; the call loads them again.
  const isOther = task !== runtime.task && state.lpOf(runtime.task) === pending.lp;
  if (!isOther) machine.platform.writeGprs(pending.lp, registers);
  for (const [index, value] of changes) store.writeValue(first + index, value);
}

/** As `setOperands`, for all that lie in a register, from its 64 bits. False if none does. */
export function setOperandRegister(runtime: Runtime, task: number, register: number, bits: Integer): boolean {
  const values = new Map<number, Integer>();
  pendingCall(runtime.state, task)?.call?.operands.forEach((operand, index) => {
    if (operand.register !== register) return;
    let value = bits;
    if (operand.width === 0) value = shiftRight(bits, runtime.machine.platform.addressBits);
    else if (operand.width < 64) {
      const mask = fromBig((1n << BigInt(operand.width)) - 1n);
      value = operand.inPlace
        ? and(bits, fromBig(((1n << BigInt(operand.width)) - 1n) << BigInt(operand.low)))
        : and(shiftRight(bits, operand.low), mask);
    }
    values.set(index, value);
  });
  if (values.size > 0) setOperands(runtime, task, values);
  return values.size > 0;
}

/** The slot with the result of the call behind which the current task stands, if the flow takes one. */
export function returnedSlot(runtime: Runtime): number | undefined {
  const place = innermostFrame(runtime.state, runtime.task);
  if (place === undefined || place.spilled === 0) return undefined;
  return runtime.store.readValue(place.end - 1) instanceof LeafResult ? place.end - 1 : undefined;
}
