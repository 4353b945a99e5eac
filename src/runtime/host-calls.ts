/** SEAMCALLs of host tasks. A TDH.VP.ENTER that enters a guest is not over until the guest exits: meanwhile its fiber runs on top. */
import type { LeafCall } from "../language/flow-code.ts";
import type { CallStops } from "./call-stops.ts";
import { FIBER_STANDS, FRAME_LP, STANDS_NOWHERE, STANDS_UNASKED } from "./fibers.ts";
import { FlowError } from "./flow-error.ts";
import { enterGuest } from "./guests.ts";
import { interruptGuest } from "./interrupts.ts";
import { hasFailed, nameOfCall, registersFor, takeResult } from "./leaf-call.ts";
import {
  checkStatus,
  NEXT_EXITED,
  NEXT_RETURNED,
  NEXT_STOP_BEFORE,
  NEXT_STOP_BEHIND,
  NEXT_SWITCH,
  NEXT_WAIT,
  type Next,
  takesResult,
} from "./module-calls.ts";
import type { SessionState } from "./session-state.ts";
import type { SteppedCalls } from "./stepped-calls.ts";

export class HostCalls {
  private readonly state: SessionState;
  private readonly stepped: SteppedCalls;
  private readonly stops: CallStops;

  constructor(state: SessionState, stepped: SteppedCalls, stops: CallStops) {
    this.state = state;
    this.stepped = stepped;
    this.stops = stops;
  }

  /**
   * Makes the call at `pc` of the task's innermost frame; its operands are the last values on the stack. `done`: its guest has exited.
   * `resumed`: we stopped before it already, or inside it.
   */
  call(
    task: number,
    frame: number,
    code: Int32Array,
    pc: number,
    stack: unknown[],
    sp: number,
    done: boolean,
    resumed: boolean,
  ): Next {
    const { state, stepped } = this;
    const { machine } = state;
    const call = state.program.leafCalls[code[pc + 1] as number] as LeafCall;
    const lp = machine.store.read(frame + FRAME_LP);
    const first = sp - call.operands.length;
    if (call.guest) {
      throw new FlowError(
        `${call.name ?? "tdcall"} is for guests`,
        "put it into guest tdvpr { … }: it runs when TDH.VP.ENTER enters that VCPU",
      );
    }
    if (!done) {
      const isOpen = resumed && state.fibers.read(task, FIBER_STANDS) !== STANDS_NOWHERE;
      const isStepped = isOpen || stepped.isWanted(task);
      if (!isOpen) {
        if (machine.openEntry(lp) !== undefined) return this.waitForLp(task, resumed);
        if (machine.inGuest(lp)) interruptGuest(state, lp);
        const registers = registersFor(machine.platform, call, stack, first);
        if (!resumed && this.stops.before(task, lp, call, stack, first, registers)) return NEXT_STOP_BEFORE;
        if (!isStepped) machine.seamcall(lp, registers);
        else {
          machine.platform.writeGprs(lp, registers);
          stepped.begin(task, machine.beginSeamcall(lp));
        }
      }
      if (isStepped) {
        if (stepped.run(task, task, lp)) return NEXT_WAIT;
        stepped.ended(task);
      }
    }
    if (machine.inGuest(lp)) return enterGuest(state, task, lp) ? NEXT_SWITCH : NEXT_EXITED;
    // Its result takes the place of the operands.
    const { platform } = machine;
    const stops = this.stops.behind(task, lp, call, stack, first);
    if (takesResult(code, pc)) stack[first] = takeResult(platform, lp, nameOfCall(call, stack, first));
    else if (hasFailed(platform, lp)) checkStatus(takeResult(platform, lp, nameOfCall(call, stack, first)));
    return stops ? NEXT_STOP_BEHIND : NEXT_RETURNED;
  }

  /** The LP is inside the module for another task: the call comes when it has left it. */
  private waitForLp(task: number, asked: boolean): Next {
    if (!asked) this.state.fibers.write(task, FIBER_STANDS, STANDS_UNASKED);
    return NEXT_WAIT;
  }
}
