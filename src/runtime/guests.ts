/** Guests: the code of each VCPU is a fiber, which runs on top of the task that has entered it with TDH.VP.ENTER. */
import type { FlowFunction } from "../language/flow-code.ts";
import type { Integer } from "../language/values.ts";
import type { InjectedEvent } from "../module/guest/actions.ts";
import { LP_GUEST_TDVPR } from "../platform/lp.ts";
import {
  FIBER_COMPLETES,
  FIBER_DEPTH,
  FIBER_HANDLER,
  FIBER_KIND,
  FIBER_LONG_MODE,
  FIBER_PARTNER,
  FIBER_REPLACES,
  FIBER_TDVPR,
  KIND_GUEST,
  VALUE_NAME,
} from "./fibers.ts";
import { FlowError } from "./flow-error.ts";
import { haltInstruction } from "./guest-instructions.ts";
import type { SessionState } from "./session-state.ts";
import type { SteppedCalls } from "./stepped-calls.ts";

const EXCEPTION_NAMES: Readonly<Record<number, string>> = {
  6: "#UD",
  8: "#DF",
  13: "#GP",
  14: "#PF",
  18: "#MC",
  20: "#VE",
};

/** The guest fiber of a VCPU, or -1. */
export function findGuest(state: SessionState, tdvpr: number): number {
  for (let fiber = state.fiberCount - 1; fiber >= 0; fiber--) {
    if (state.isGuest(fiber) && state.fibers.readNumber(fiber, FIBER_TDVPR) === tdvpr) return fiber;
  }
  return -1;
}

/**
 * Says what the guest of a VCPU executes from its next entry on: a function, with `count` arguments on the stack from `first` on.
 * `handler`: function for exceptions, or -1.
 */
export function defineGuest(
  { state, stepped }: { readonly state: SessionState; readonly stepped: SteppedCalls },
  fn: number,
  handler: number,
  tdvpr: Integer,
  stack: readonly unknown[],
  first: number,
  count: number,
): void {
  const { fibers } = state;
  if (typeof tdvpr !== "number")
    throw new FlowError(`0x${tdvpr.toString(16)} is no physical address`, "guest takes the HPA of a TDVPR");
  let fiber = findGuest(state, tdvpr);
  if (fiber < 0) {
    fiber = state.newFiber();
    fibers.write(fiber, FIBER_KIND, KIND_GUEST);
    fibers.writeNumber(fiber, FIBER_TDVPR, tdvpr);
    fibers.writeValue(fiber, VALUE_NAME, `guest 0x${tdvpr.toString(16)}`);
  } else if (fibers.read(fiber, FIBER_PARTNER) !== 0)
    throw new FlowError(
      "the guest of this VCPU is running",
      "its TDH.VP.ENTER must have returned before it gets other code",
    );
  stepped.dropPause(fiber);
  fibers.clear(fiber, (frame) => state.functionOf(frame));
  fibers.write(fiber, FIBER_COMPLETES, 0);
  fibers.write(fiber, FIBER_HANDLER, handler + 1);
  const callee = state.program.functions[fn] as FlowFunction;
  fibers.passArguments(fiber, fibers.push(fiber, callee, undefined, 0), callee, stack, first, count);
}

/**
 * TDH.VP.ENTER has gone into the guest on the LP: its fiber runs from here on. False: it has nothing more to do, and has exited
 * again.
 */
export function enterGuest(state: SessionState, task: number, lp: number): boolean {
  const { fibers, machine, store } = state;
  const tdvpr = store.readNumber(machine.platform.lpCell(lp) + LP_GUEST_TDVPR);
  const guest = findGuest(state, tdvpr);
  if (guest < 0) {
    throw new FlowError(
      `the VCPU at 0x${tdvpr.toString(16)} has no code to run`,
      "say what its guest does before TDH.VP.ENTER: guest tdvpr { … }",
    );
  }
  fibers.write(task, FIBER_PARTNER, guest + 1);
  fibers.write(guest, FIBER_PARTNER, task + 1);
  if (fibers.read(guest, FIBER_LONG_MODE) === 0) {
    machine.guest(lp, { action: "longmode" });
    fibers.write(guest, FIBER_LONG_MODE, 1);
  }
  if (fibers.read(guest, FIBER_DEPTH) === 0) {
    haltGuest(state, task, guest);
    return false;
  }
  const event = machine.injectedEvent(lp);
  if (event !== undefined) raise(state, guest, event, false);
  return true;
}

/** The guest has nothing more to do: it exits to the host with TDG.VP.VMCALL<HLT>. */
export function haltGuest(state: SessionState, task: number, guest: number): void {
  const { machine } = state;
  const lp = state.lpOf(task);
  haltInstruction.prepare?.(machine.platform, lp);
  const outcome = machine.guest(lp, haltInstruction.action);
  if (outcome.kind !== "exit") throw new FlowError("the guest's TDG.VP.VMCALL did not exit to the host");
  leaveGuest(state, task, guest);
}

/** The guest no longer runs on top of the task. */
export function leaveGuest({ fibers }: SessionState, task: number, guest: number): void {
  fibers.write(task, FIBER_PARTNER, 0);
  fibers.write(guest, FIBER_PARTNER, 0);
}

/**
 * The guest takes an exception: its handler runs. `replaces`: what that returns is the result of the guest's instruction, which is
 * still to do otherwise.
 */
export function raise(state: SessionState, guest: number, event: InjectedEvent, replaces: boolean): void {
  const { fibers, program } = state;
  const vector = event.information & 0xff;
  const handler = program.functions[fibers.read(guest, FIBER_HANDLER) - 1];
  const below = state.functionOf(state.topFrame(guest));
  const exception = `the guest got exception ${vector} (${EXCEPTION_NAMES[vector] ?? "reserved"})`;
  if (handler === undefined)
    throw new FlowError(exception, "guest tdvpr { … } on_exception (vector, info) { … } handles it");
  if (below.kind === "handler")
    throw new FlowError(
      `${exception} in its exception handler`,
      "a handler does only what cannot fault: memory that is there, TDG.VP.VEINFO.GET",
    );
  fibers.write(guest, FIBER_REPLACES, replaces ? 1 : 0);
  const frame = fibers.push(guest, handler, below, 0);
  fibers.passArguments(guest, frame, handler, [vector, event.errorCode ?? 0], 0, 2);
}
