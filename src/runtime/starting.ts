/** Starts what runs by itself: tasks, and the code of guests. */
import type { FlowFunction } from "../language/flow-code.ts";
import type { Integer } from "../language/values.ts";
import {
  FIBER_COMPLETES,
  FIBER_DEPTH,
  FIBER_HANDLER,
  FIBER_KIND,
  FIBER_LONG_MODE,
  FIBER_PARTNER,
  FIBER_STATE,
  FIBER_TDVPR,
  KIND_GUEST,
  STATE_READY,
  VALUE_NAME,
  VALUE_PAUSE,
} from "./fibers.ts";
import { FlowError } from "./flow-error.ts";
import type { Interpreter } from "./interpreter.ts";
import { TaskValue } from "./values.ts";

export function spawnTask(
  machine: Interpreter,
  fn: number,
  name: string,
  lp: number,
  stack: readonly unknown[],
  first: number,
  count: number,
): TaskValue {
  const { state } = machine;
  const callee = state.program.functions[fn] as FlowFunction;
  const { fiber, slots } = machine.tasks.start(callee, name, lp);
  for (let i = 0; i < count; i++) state.store.writeValue(slots + (callee.argumentSlots[i] as number), stack[first + i]);
  return new TaskValue(fiber, name);
}

/** Says what the guest of a VCPU executes from its next entry on. `handler`: function for exceptions, or -1. */
export function defineGuest(
  machine: Interpreter,
  fn: number,
  handler: number,
  tdvpr: Integer,
  stack: readonly unknown[],
  first: number,
  count: number,
): void {
  const { state } = machine;
  const { fibers } = state;
  if (typeof tdvpr !== "number")
    throw new FlowError(`0x${tdvpr.toString(16)} is no physical address`, "guest takes the HPA of a TDVPR");
  let fiber = machine.calls.findGuest(tdvpr);
  if (fiber < 0) {
    fiber = state.newFiber();
    fibers.write(fiber, FIBER_KIND, KIND_GUEST);
    fibers.writeNumber(fiber, FIBER_TDVPR, tdvpr);
    fibers.writeValue(fiber, VALUE_PAUSE, undefined);
    fibers.writeValue(fiber, VALUE_NAME, `guest 0x${tdvpr.toString(16)}`);
    fibers.write(fiber, FIBER_LONG_MODE, 0);
    fibers.write(fiber, FIBER_PARTNER, 0);
    fibers.write(fiber, FIBER_DEPTH, 0);
  } else if (fibers.read(fiber, FIBER_PARTNER) !== 0)
    throw new FlowError(
      "the guest of this VCPU is running",
      "its TDH.VP.ENTER must have returned before it gets other code",
    );
  fibers.clear(fiber, (frame) => state.functionOf(frame));
  fibers.write(fiber, FIBER_STATE, STATE_READY);
  fibers.write(fiber, FIBER_COMPLETES, 0);
  fibers.write(fiber, FIBER_HANDLER, handler + 1);
  const callee = state.program.functions[fn] as FlowFunction;
  const slots = fibers.baseSlot(fiber, fibers.push(fiber, callee, undefined, 0));
  for (let i = 0; i < count; i++) state.store.writeValue(slots + (callee.argumentSlots[i] as number), stack[first + i]);
}
