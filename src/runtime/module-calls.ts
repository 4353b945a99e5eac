/**
 * Calls of the TDX module: SEAMCALLs of host tasks, and what guests do. A TDH.VP.ENTER that enters a guest is not over until
 * the guest exits: meanwhile the guest's fiber runs on top of the task.
 */
import { TDH_VP_ENTER } from "../arch/generated/leaves.ts";
import { exitReasons } from "../arch/linux-constants.ts";
import { RAX, registerNames } from "../arch/registers.ts";
import { isFailure, statusText } from "../arch/status.ts";
import { builtins } from "../language/builtins.ts";
import { type LeafCall, OP_BUILTIN, OP_LEAF } from "../language/flow-code.ts";
import type { GuestResult, InjectedEvent } from "../module/guest/actions.ts";
import { LP_GPR, LP_GUEST_TDVPR } from "../platform/lp.ts";
import { builtinFunctions } from "./builtins.ts";
import { adviceText } from "./expectations.ts";
import {
  FIBER_COMPLETES,
  FIBER_DEPTH,
  FIBER_HANDLER,
  FIBER_LONG_MODE,
  FIBER_PARTNER,
  FIBER_STANDS,
  FIBER_STATE,
  FIBER_TDVPR,
  FRAME_LP,
  STANDS_NOWHERE,
  STANDS_UNASKED,
  STATE_DONE,
} from "./fibers.ts";
import { FlowError } from "./flow-error.ts";
import { type GuestInstruction, guestInstructions, haltInstruction, tdcallInstruction } from "./guest-instructions.ts";
import { STOP_LEAF, STOP_RETURNED, type StopReason } from "./hooks.ts";
import { interruptGuest } from "./interrupts.ts";
import { calleeName, calleeOf, hasFailed, registersFor, takeResult } from "./leaf-call.ts";
import type { LeafResult } from "./leaf-result.ts";
import { type SessionState, STEPPED_CALLS } from "./session-state.ts";
import type { SteppedCalls } from "./stepped-calls.ts";

// What the interpreter does next.
/** The call is over; its result is on the stack. */
export const NEXT_RETURNED = 0;
/** A guest, or an exception handler of one, runs before the operation goes on. */
export const NEXT_SWITCH = 1;
/** The guest has exited: the task's TDH.VP.ENTER returns. */
export const NEXT_EXITED = 2;
/** Stop here. */
export const NEXT_STOP = 3;
/** The task stands in the call, or before it, and others go on. */
export const NEXT_WAIT = 4;
type Next = 0 | 1 | 2 | 3 | 4;

const REGISTER_WORDS = registerNames.length * 2;
const EXCEPTION_NAMES: Readonly<Record<number, string>> = {
  6: "#UD",
  8: "#DF",
  13: "#GP",
  14: "#PF",
  18: "#MC",
  20: "#VE",
};

export class ModuleCalls {
  /** Where the stack ends after a call. */
  stackPointer = 0;
  /** After NEXT_STOP: whether the call was made. */
  isOver = false;
  stopReason: StopReason = STOP_LEAF;
  /** Places before and behind calls of leaves that were passed in this unit. */
  places = 0;
  /** In this unit a call failed, or a TDH.VP.ENTER returned. */
  isNotable = false;
  private readonly state: SessionState;
  private readonly stepped: SteppedCalls;
  /** An LP's registers while somebody looks at those of a call that comes next. */
  private readonly hidden = new Uint32Array(REGISTER_WORDS);
  private readonly shown = new Uint32Array(REGISTER_WORDS);

  constructor(state: SessionState, stepped: SteppedCalls) {
    this.state = state;
    this.stepped = stepped;
  }

  /**
   * Makes the call at `pc` of the task's or its guest's innermost frame; its operands are the last values on the stack. `done`: its guest has exited. `resumed`: we stopped
   * before it already, or inside it.
   */
  call(
    task: number,
    fiber: number,
    frame: number,
    code: Int32Array,
    pc: number,
    stack: unknown[],
    sp: number,
    done: boolean,
    resumed: boolean,
  ): Next {
    this.isOver = false;
    this.stackPointer = sp;
    if (this.state.isGuest(fiber)) return this.guestCall(task, fiber, code, pc, stack, sp, resumed);
    const { machine, program } = this.state;
    const call = program.leafCalls[code[pc + 1] as number] as LeafCall;
    const lp = machine.store.read(frame + FRAME_LP);
    if (call.guest) {
      throw new FlowError(
        `${call.name ?? "tdcall"} is for guests`,
        "put it into guest tdvpr { … }: it runs when TDH.VP.ENTER enters that VCPU",
      );
    }
    if (!done) {
      const isOpen = resumed && this.state.fibers.read(task, FIBER_STANDS) !== STANDS_NOWHERE;
      const isStepped = isOpen || this.state.read(STEPPED_CALLS) !== 0;
      if (!isOpen) {
        if (machine.openEntry(lp) !== undefined) return this.waitForLp(task, resumed);
        if (machine.inGuest(lp)) this.interrupt(task);
        const registers = registersFor(machine.platform, call, stack, sp - call.operands.length);
        if (!resumed && this.stopsBefore(task, lp, call, stack, sp - call.operands.length, registers)) return NEXT_STOP;
        if (!isStepped) machine.seamcall(lp, registers);
        else {
          machine.platform.writeGprs(lp, registers);
          this.stepped.begin(task, machine.beginSeamcall(lp));
        }
      }
      if (isStepped && this.stepped.run(task, fiber, lp)) return NEXT_WAIT;
    }
    if (machine.inGuest(lp)) return this.enterGuest(task, lp);
    return this.finish(task, lp, call, code, pc, stack, sp);
  }

  /** The result of a call that is over goes onto the stack, in place of the operands. */
  private finish(
    task: number,
    lp: number,
    call: LeafCall,
    code: Int32Array,
    pc: number,
    stack: unknown[],
    sp: number,
  ): Next {
    const { platform } = this.state.machine;
    const leaf = call.name ?? "seamcall";
    let top = sp - call.operands.length;
    const stop = this.stopsBehind(task, lp, call, stack, top);
    if (code[pc + 2] !== 1) stack[top++] = takeResult(platform, lp, leaf);
    else if (hasFailed(platform, lp)) ModuleCalls.checkStatus(takeResult(platform, lp, leaf));
    this.stackPointer = top;
    if (!stop) return NEXT_RETURNED;
    this.isOver = true;
    return NEXT_STOP;
  }

  static checkStatus(result: LeafResult): void {
    if (!result.status.failed) return;
    throw new FlowError(
      `${result.leaf} failed: ${statusText(result.status.hi, result.status.lo)}`,
      `${adviceText(result.status)} To go on after a failure, look at the result: let r = …`,
    );
  }

  /** The LP is inside the module for another task: the call comes when it has left it. */
  private waitForLp(task: number, asked: boolean): Next {
    if (!asked) this.state.fibers.write(task, FIBER_STANDS, STANDS_UNASKED);
    return NEXT_WAIT;
  }

  /** `registers`: what the LP's are to hold for the call, if they do not yet. They do for whoever is asked. */
  private stopsBefore(
    task: number,
    lp: number,
    call: LeafCall,
    stack: readonly unknown[],
    first: number,
    registers?: Readonly<Uint32Array>,
  ): boolean {
    this.places++;
    const { machine, hooks } = this.state;
    if (hooks.leafEntry === undefined) return false;
    const callee = calleeOf(call, stack, first);
    if (hooks.leaves !== undefined && hooks.leaves[callee] !== 1) return false;
    const event = { task, lp, name: calleeName(callee), guest: call.guest, callee };
    let stops = false;
    if (registers === undefined) stops = hooks.leafEntry(event);
    else {
      machine.platform.swapGprs(lp, registers, this.hidden);
      try {
        stops = hooks.leafEntry(event);
      } finally {
        machine.platform.swapGprs(lp, this.hidden, this.shown);
      }
      // For a probe they are as good as gone.
      if (stops && hooks.isProbe !== true) machine.platform.writeGprs(lp, registers);
    }
    if (stops) this.stopReason = STOP_LEAF;
    return stops;
  }

  private stopsBehind(task: number, lp: number, call: LeafCall, stack: readonly unknown[], first: number): boolean {
    this.places++;
    const { machine, hooks } = this.state;
    const rax = machine.platform.lpCell(lp) + LP_GPR + RAX * 2;
    const hi = machine.store.read(rax + 1);
    const callee = calleeOf(call, stack, first);
    const isPlain = !isFailure(hi) && callee !== TDH_VP_ENTER;
    if (!isPlain) this.isNotable = true;
    if (hooks.leafReturn === undefined) return false;
    if (isPlain && hooks.returnedLeaves !== undefined && hooks.returnedLeaves[callee] !== 1) return false;
    const event = { task, lp, name: calleeName(callee), guest: call.guest, callee };
    if (!hooks.leafReturn(event, hi, machine.store.read(rax))) return false;
    this.stopReason = STOP_RETURNED;
    return true;
  }

  private stopsBeforeInstruction(task: number, lp: number, builtin: number): boolean {
    if (this.state.hooks.guestEntry?.({ task, lp, name: builtins[builtin]?.name ?? "" }) !== true) return false;
    this.stopReason = STOP_LEAF;
    return true;
  }

  // ---- guests ----

  /** TDH.VP.ENTER went into the guest: its fiber runs from here on. */
  private enterGuest(task: number, lp: number): Next {
    const { fibers, machine, store } = this.state;
    const tdvpr = store.readNumber(machine.platform.lpCell(lp) + LP_GUEST_TDVPR);
    const guest = this.findGuest(tdvpr);
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
    if (fibers.read(guest, FIBER_DEPTH) > 0) {
      const event = machine.injectedEvent(lp);
      return event === undefined ? NEXT_SWITCH : this.raise(guest, event);
    }
    this.halt(task, guest);
    return NEXT_EXITED;
  }

  /** The task's code runs on an LP where another task's guest may run: that exits. */
  interrupt(task: number): void {
    interruptGuest(this.state, this.state.lpOf(task), (tdvpr) => this.findGuest(tdvpr));
  }

  /** The guest fiber of a VCPU, or -1. */
  findGuest(tdvpr: number): number {
    for (let fiber = this.state.fiberCount - 1; fiber >= 0; fiber--) {
      if (this.state.isGuest(fiber) && this.state.fibers.readNumber(fiber, FIBER_TDVPR) === tdvpr) return fiber;
    }
    return -1;
  }

  /** The guest has nothing more to do: it exits to the host with TDG.VP.VMCALL<HLT>. */
  halt(task: number, guest: number): void {
    const { machine, fibers } = this.state;
    const lp = this.state.lpOf(task);
    fibers.write(guest, FIBER_STATE, STATE_DONE);
    haltInstruction.prepare?.(machine.platform, lp);
    const outcome = machine.guest(lp, haltInstruction.action);
    if (outcome.kind !== "exit") throw new FlowError("the guest's TDG.VP.VMCALL did not exit to the host");
    this.leaveGuest(task, guest);
  }

  private leaveGuest(task: number, guest: number): void {
    this.state.fibers.write(task, FIBER_PARTNER, 0);
    this.state.fibers.write(guest, FIBER_PARTNER, 0);
  }

  private guestCall(
    task: number,
    fiber: number,
    code: Int32Array,
    pc: number,
    stack: unknown[],
    sp: number,
    resumed: boolean,
  ): Next {
    const { fibers, machine } = this.state;
    const { platform } = machine;
    const lp = this.state.lpOf(task);
    const first = sp - this.operandCount(code, pc);
    const instruction = this.instruction(code, pc, stack, first, sp);
    if (fibers.read(fiber, FIBER_COMPLETES) === 1) {
      fibers.write(fiber, FIBER_COMPLETES, 0);
      return this.guestReturns(task, lp, code, pc, stack, first, instruction.result(platform, lp, undefined));
    }
    const isOpen = resumed && fibers.read(task, FIBER_STANDS) !== STANDS_NOWHERE;
    if (!isOpen) {
      const call = code[pc] === OP_LEAF ? this.state.program.leafCalls[code[pc + 1] as number] : undefined;
      instruction.prepare?.(platform, lp);
      if (call !== undefined && !resumed && this.stopsBefore(task, lp, call, stack, first)) return NEXT_STOP;
      if (call === undefined && !resumed && this.stopsBeforeInstruction(task, lp, code[pc + 1] as number))
        return NEXT_STOP;
    }
    let outcome: GuestResult;
    if (!isOpen && this.state.read(STEPPED_CALLS) === 0) outcome = machine.guest(lp, instruction.action);
    else {
      if (!isOpen) this.stepped.begin(task, machine.beginGuest(lp, instruction.action));
      if (this.stepped.run(task, fiber, lp)) return NEXT_WAIT;
      outcome = machine.guestResult(lp);
    }
    if (outcome.kind === "exit") {
      const reason = platform.store.read(platform.lpCell(lp) + LP_GPR + RAX * 2);
      fibers.write(
        fiber,
        FIBER_COMPLETES,
        instruction.again || reason === exitReasons.EXIT_REASON_EPT_VIOLATION ? 0 : 1,
      );
      this.leaveGuest(task, fiber);
      return NEXT_EXITED;
    }
    if (outcome.kind === "resume" && outcome.injected !== undefined) return this.raise(fiber, outcome.injected);
    // An access that the module took care of (it made the page accessible) is executed again.
    if (outcome.kind === "resume" && instruction.again) return this.guestCall(task, fiber, code, pc, stack, sp, true);
    return this.guestReturns(task, lp, code, pc, stack, first, instruction.result(platform, lp, outcome));
  }

  private guestReturns(
    task: number,
    lp: number,
    code: Int32Array,
    pc: number,
    stack: unknown[],
    first: number,
    value: unknown,
  ): Next {
    this.stackPointer = first;
    if (code[pc] === OP_LEAF) {
      const call = this.state.program.leafCalls[code[pc + 1] as number] as LeafCall;
      const stop = this.stopsBehind(task, lp, call, stack, first);
      if (code[pc + 2] === 1) ModuleCalls.checkStatus(value as LeafResult);
      else stack[this.stackPointer++] = value;
      if (!stop) return NEXT_RETURNED;
      this.isOver = true;
      return NEXT_STOP;
    }
    stack[this.stackPointer++] = value;
    return NEXT_RETURNED;
  }

  /** The guest takes an exception: its handler runs, with the instruction still to do. */
  private raise(fiber: number, event: InjectedEvent): Next {
    const { fibers, program, store } = this.state;
    const vector = event.information & 0xff;
    const handler = program.functions[fibers.read(fiber, FIBER_HANDLER) - 1];
    const below = this.state.functionOf(this.state.topFrame(fiber));
    if (handler === undefined) {
      throw new FlowError(
        `the guest got exception ${vector} (${EXCEPTION_NAMES[vector] ?? "reserved"})`,
        "guest tdvpr { … } on_exception (vector, info) { … } handles it",
      );
    }
    if (below.kind === "handler")
      throw new FlowError(
        `the guest got exception ${vector} (${EXCEPTION_NAMES[vector] ?? "reserved"}) in its exception handler`,
        "a handler does only what cannot fault: memory that is there, TDG.VP.VEINFO.GET",
      );
    const frame = fibers.push(fiber, handler, below, 0);
    const slots = fibers.baseSlot(fiber, frame);
    store.writeValue(slots + (handler.argumentSlots[0] as number), vector);
    store.writeValue(slots + (handler.argumentSlots[1] as number), event.errorCode ?? 0);
    return NEXT_SWITCH;
  }

  /** Whether the guest goes on at `pc` after an exception as if nothing had been: a faulting memory access is executed again. */
  isRepeated(fiber: number, code: Int32Array, pc: number): boolean {
    if (code[pc] === OP_LEAF) return this.state.fibers.read(fiber, FIBER_COMPLETES) === 1;
    if (code[pc] !== OP_BUILTIN || this.state.fibers.read(fiber, FIBER_COMPLETES) === 1) return true;
    const name = builtins[code[pc + 1] as number]?.name ?? "";
    return name.startsWith("read") || name.startsWith("write") || name === "fetch";
  }

  /** What the exception handler returned takes the place of the instruction's result. */
  replaceResult(code: Int32Array, pc: number, stack: unknown[], sp: number, result: unknown): number {
    let top = sp - this.operandCount(code, pc);
    if (code[pc] !== OP_LEAF || code[pc + 2] !== 1) stack[top++] = result;
    return top;
  }

  /** Whether the builtin at `pc` is an instruction of the guest that goes through the machine. */
  isGuestInstruction(fiber: number, code: Int32Array, pc: number): boolean {
    return this.state.isGuest(fiber) && Object.hasOwn(guestInstructions, builtins[code[pc + 1] as number]?.name ?? "");
  }

  builtin(fiber: number, number: number, stack: unknown[], first: number, count: number): unknown {
    const entry = builtins[number];
    if (entry === undefined) throw new FlowError("no such builtin");
    const isGuest = this.state.isGuest(fiber);
    if (entry.where === "guest" && !isGuest)
      throw new FlowError(`${entry.name}() is for guests`, "put it into guest tdvpr { … }");
    if (entry.where === "host" && isGuest)
      throw new FlowError(
        `${entry.name}() is for the host, not for guests`,
        "a guest has its own memory and instructions",
      );
    return builtinFunctions[entry.name]?.(this.state, stack, first, count);
  }

  private operandCount(code: Int32Array, pc: number): number {
    if (code[pc] === OP_BUILTIN) return code[pc + 2] as number;
    return this.state.program.leafCalls[code[pc + 1] as number]?.operands.length ?? 0;
  }

  /** The instruction of the guest at `pc`, with its operands from the stack. */
  instruction(code: Int32Array, pc: number, stack: readonly unknown[], first: number, sp: number): GuestInstruction {
    if (code[pc] === OP_BUILTIN) {
      const build = guestInstructions[builtins[code[pc + 1] as number]?.name ?? ""];
      if (build === undefined) throw new FlowError("no such instruction");
      return build(stack, first, sp - first, this.state.heap);
    }
    const call = this.state.program.leafCalls[code[pc + 1] as number] as LeafCall;
    if (!call.guest) throw new FlowError(`${call.name ?? "seamcall"} is for the host`, "a guest makes TDCALLs: TDG.*");
    return tdcallInstruction(call, stack, first);
  }
}
