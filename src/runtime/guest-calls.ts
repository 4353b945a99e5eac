/** What guests do on the machine: TDCALLs, and instructions that may fault or exit. */
import { exceptionVectors, exitReasons } from "../arch/linux-constants.ts";
import { RAX } from "../arch/registers.ts";
import { builtins } from "../language/builtins.ts";
import { type LeafCall, OP_LEAF } from "../language/flow-code.ts";
import type { GuestResult, InjectedEvent } from "../module/guest/actions.ts";
import { LP_GPR } from "../platform/lp.ts";
import type { CallStops } from "./call-stops.ts";
import { FIBER_COMPLETES, FIBER_STANDS, STANDS_NOWHERE } from "./fibers.ts";
import { type GuestInstruction, instructionAt } from "./guest-instructions.ts";
import { leaveGuest, raise } from "./guests.ts";
import type { LeafResult } from "./leaf-result.ts";
import {
  checkStatus,
  NEXT_EXITED,
  NEXT_RETURNED,
  NEXT_STOP_BEFORE,
  NEXT_STOP_BEHIND,
  NEXT_SWITCH,
  NEXT_WAIT,
  type Next,
  operandCount,
  takesResult,
} from "./module-calls.ts";
import type { SessionState } from "./session-state.ts";
import type { SteppedCalls } from "./stepped-calls.ts";

export class GuestCalls {
  private readonly state: SessionState;
  private readonly stepped: SteppedCalls;
  private readonly stops: CallStops;

  constructor(state: SessionState, stepped: SteppedCalls, stops: CallStops) {
    this.state = state;
    this.stepped = stepped;
    this.stops = stops;
  }

  /**
   * Executes the instruction at `pc` of the innermost frame of the task's guest; its operands are the last values on the stack.
   * `resumed`: we stopped before it already, or inside it.
   */
  call(
    task: number,
    guest: number,
    code: Int32Array,
    pc: number,
    stack: unknown[],
    sp: number,
    resumed: boolean,
  ): Next {
    const { fibers, machine, program, heap } = this.state;
    const { platform } = machine;
    const lp = this.state.lpOf(task);
    const first = sp - operandCount(program, code, pc);
    const instruction = instructionAt(program, heap, code, pc, stack, first);
    if (fibers.read(guest, FIBER_COMPLETES) === 1) {
      fibers.write(guest, FIBER_COMPLETES, 0);
      return this.finish(task, lp, code, pc, stack, first, instruction.result(platform, lp, undefined));
    }
    const isOpen = resumed && fibers.read(task, FIBER_STANDS) !== STANDS_NOWHERE;
    if (!isOpen) {
      instruction.prepare?.(platform, lp);
      if (!resumed && this.stopsBefore(task, lp, code, pc, stack, first)) return NEXT_STOP_BEFORE;
    }
    let outcome: GuestResult;
    if (!isOpen && !this.stepped.isWanted(guest)) outcome = machine.guest(lp, instruction.action);
    else {
      if (!isOpen) this.stepped.begin(task, machine.beginGuest(lp, instruction.action));
      if (this.stepped.run(task, guest, lp)) return NEXT_WAIT;
      outcome = machine.guestResult(lp);
      // What leads to no VM exit is no call of the module: the pause is for one that comes behind it.
      if (outcome.kind === "resume" || outcome.kind === "exit") this.stepped.ended(guest);
    }
    if (outcome.kind === "exit") {
      const reason = platform.store.read(platform.lpCell(lp) + LP_GPR + RAX * 2);
      const isRepeated = instruction.again || reason === exitReasons.EXIT_REASON_EPT_VIOLATION;
      fibers.write(guest, FIBER_COMPLETES, isRepeated ? 0 : 1);
      leaveGuest(this.state, task, guest);
      return NEXT_EXITED;
    }
    if (outcome.kind === "resume" && outcome.injected !== undefined) {
      raise(this.state, guest, outcome.injected, !isDoneAgain(instruction, outcome.injected));
      return NEXT_SWITCH;
    }
    // An access that the module took care of (it made the page accessible) is executed again.
    if (outcome.kind === "resume" && instruction.again) return this.call(task, guest, code, pc, stack, sp, true);
    return this.finish(task, lp, code, pc, stack, first, instruction.result(platform, lp, outcome));
  }

  private stopsBefore(
    task: number,
    lp: number,
    code: Int32Array,
    pc: number,
    stack: readonly unknown[],
    first: number,
  ): boolean {
    const number = code[pc + 1] as number;
    if (code[pc] !== OP_LEAF) return this.stops.beforeInstruction(task, lp, builtins[number]?.name ?? "");
    return this.stops.before(task, lp, this.state.program.leafCalls[number] as LeafCall, stack, first);
  }

  /** The value of an instruction that has completed takes the place of its operands. */
  private finish(
    task: number,
    lp: number,
    code: Int32Array,
    pc: number,
    stack: unknown[],
    first: number,
    value: unknown,
  ): Next {
    let stops = false;
    if (code[pc] === OP_LEAF) {
      const call = this.state.program.leafCalls[code[pc + 1] as number] as LeafCall;
      stops = this.stops.behind(task, lp, call, stack, first);
    }
    if (takesResult(code, pc)) stack[first] = value;
    else checkStatus(value as LeafResult);
    return stops ? NEXT_STOP_BEHIND : NEXT_RETURNED;
  }
}

/** Whether an instruction that got an exception is executed again behind the handler: an access to memory, also a TDCALL's to its buffer. */
function isDoneAgain(instruction: GuestInstruction, { information }: InjectedEvent): boolean {
  const isBufferFault = instruction.action.action === "tdcall" && (information & 0xff) === exceptionVectors.VECTOR_VE;
  return instruction.again || isBufferFault;
}
