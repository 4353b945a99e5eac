/**
 * Runs a flow on a machine, unit by unit: a unit goes from one statement's start to the next. Whoever drives it decides how
 * many, and can stop before a leaf function and go through it step by step. Everything that changes is in the store, and each unit
 * ends with a mark there: going back is the store's `undo` and then `rewound()`.
 */
import { builtins, parameterNames } from "../language/builtins.ts";
import { compileWatch } from "../language/compile.ts";
import {
  type FlowFunction,
  type FlowProgram,
  type LeafCall,
  OP_BUILTIN,
  OP_LEAF,
  OP_STATEMENT,
} from "../language/flow-code.ts";
import type { Store } from "../state/store.ts";
import { evaluateWatch } from "./evaluate.ts";
import {
  FIBER_COMPLETES,
  FIBER_DEPTH,
  FIBER_STANDS,
  FIBER_STATE,
  FRAME_LP,
  FRAME_PC,
  FRAME_SPILLED,
  STANDS_NOWHERE,
  STANDS_UNASKED,
  STATE_DONE,
  STATE_FAILED,
  STATE_READY,
  VALUE_FAILURE,
  VALUE_RETURNED,
} from "./fibers.ts";
import type { FlowFailure } from "./flow-error.ts";
import { type FlowFrame, framesOf, globalsOf, type Variable } from "./frames.ts";
import { instructionAt } from "./guest-instructions.ts";
import type { RunLimits, RuntimeHooks, StopReason } from "./hooks.ts";
import { Interpreter } from "./interpreter.ts";
import { leafNameOf, loadRegisters } from "./leaf-call.ts";
import type { MachinePort, ModuleEntry } from "./machine-port.ts";
import { SCHEDULE_RANDOM, SessionState, STEPPED_CALLS, STEPPED_INTERLEAVE } from "./session-state.ts";
import { formatValue } from "./values.ts";

export interface RuntimeOptions {
  readonly hooks?: RuntimeHooks;
  /** 0: tasks switch only where they wait or yield. Else a choice of interleavings. */
  readonly scheduleSeed?: number;
  /** Function where it begins: a test's, or by default the program's entry. */
  readonly entry?: number;
}

export interface TaskInfo {
  /** Number of its fiber: its id. */
  readonly id: number;
  readonly name: string;
  readonly lp: number;
  readonly state: "ready" | "waiting" | "done" | "failed";
  /** Inside which leaf it stands, if it does. */
  readonly inside: string | undefined;
  /** A guest runs on top of it. */
  readonly isGuest: boolean;
  readonly current: boolean;
}

/** A leaf function that a task stands before. */
export interface PendingLeaf {
  readonly name: string;
  /** RAX[15:0]. */
  readonly number: number;
  readonly lp: number;
  readonly guest: boolean;
  readonly operands: readonly { readonly name: string; readonly register: number; readonly value: unknown }[];
}

/** An instruction of a guest that a task stands before. */
export interface PendingInstruction {
  readonly name: string;
  readonly lp: number;
  readonly operands: readonly { readonly name: string; readonly value: unknown }[];
}

export class Runtime {
  readonly program: FlowProgram;
  readonly machine: MachinePort;
  readonly store: Store;
  readonly state: SessionState;
  /** Mark of the store at which nothing has run yet. */
  readonly start: number;
  private readonly interpreter: Interpreter;

  constructor(program: FlowProgram, machine: MachinePort, options: RuntimeOptions = {}) {
    this.program = program;
    this.machine = machine;
    this.store = machine.store;
    this.state = new SessionState(program, machine, options.hooks ?? {});
    this.interpreter = new Interpreter(this.state);
    const interleaves = program.platform.interleave === true;
    this.state.write(SCHEDULE_RANDOM, options.scheduleSeed ?? program.platform.schedule ?? (interleaves ? 1 : 0));
    if (interleaves) this.state.write(STEPPED_CALLS, STEPPED_INTERLEAVE);
    this.state.task = this.interpreter.tasks.start(
      program.functions[options.entry ?? program.entry] as FlowFunction,
      "main",
      0,
    );
    this.start = this.store.mark();
  }

  // ---- running ----

  /** Runs at most `units` units; `limits` says where to stop before. */
  run(units: number, limits: RunLimits = {}): StopReason {
    return this.interpreter.run(units, limits);
  }

  /** Places before and behind calls of leaves that were passed in the unit in which the last run stopped. */
  get places(): number {
    return this.interpreter.stops.places;
  }

  /** Runs one unit. */
  step(limits: RunLimits = {}): StopReason {
    return this.run(1, limits);
  }

  get status(): "running" | "done" | "failed" {
    const { state } = this;
    let isDone = true;
    for (let fiber = 0; fiber < state.fiberCount; fiber++) {
      if (state.isGuest(fiber)) continue;
      const word = state.fibers.read(fiber, FIBER_STATE);
      if (word === STATE_FAILED) return "failed";
      isDone &&= word === STATE_DONE;
    }
    return isDone ? "done" : "running";
  }

  /** What ended the flow, if something did. */
  get failure(): FlowFailure | undefined {
    for (const task of this.interpreter.tasks.all()) {
      if (this.state.fibers.read(task, FIBER_STATE) === STATE_FAILED)
        return this.state.fibers.readValue(task, VALUE_FAILURE) as FlowFailure;
    }
    return undefined;
  }

  // ---- leaf functions, step by step ----

  /** The leaf that the current task stands before, if it does: after a stop before a leaf, or while it is stepped. */
  get pendingLeaf(): PendingLeaf | undefined {
    return this.pendingLeafOf(this.task);
  }

  pendingLeafOf(task: number): PendingLeaf | undefined {
    const place = this.atCall(task);
    if (place === undefined || place.call === undefined) return undefined;
    const { call, values, lp } = place;
    const rax = call.operands.findIndex((operand) => operand.register === 0);
    const number = call.name === undefined ? Number(values[rax] ?? 0) & 0xffff : call.number;
    return {
      name: call.name ?? leafNameOf(number, call.guest),
      number,
      lp,
      guest: call.guest,
      operands: call.operands.map((operand, index) => ({
        name: operand.name,
        register: operand.register,
        value: values[index],
      })),
    };
  }

  /** The guest's instruction, other than TDCALL, that the task stands before, if it does: name and arguments of the builtin. */
  get pendingInstruction(): PendingInstruction | undefined {
    const place = this.atCall(this.task);
    if (place === undefined || place.builtin === undefined) return undefined;
    const { builtin, values, lp } = place;
    const names = parameterNames(builtin);
    return {
      name: builtin.name,
      lp,
      operands: values.map((value, index) => ({ name: names[index] ?? "", value })),
    };
  }

  /** The call inside which the current task stands: its next step's trace, for the debugger. */
  get openLeaf(): ModuleEntry | undefined {
    return this.openLeafOf(this.task);
  }

  openLeafOf(task: number): ModuleEntry | undefined {
    return this.state.isInside(task) ? this.machine.openEntry(this.state.lpOf(task)) : undefined;
  }

  /** Whether any task stands inside the module. */
  get isAnyInside(): boolean {
    return this.interpreter.tasks.all().some((task) => this.state.isInside(task));
  }

  /**
   * Enters the leaf (or the guest's instruction) that the task stands before; it stands before its first step then. False if
   * it stands before none.
   */
  enterLeaf(): boolean {
    const { machine, task } = this;
    const place = this.atCall(task);
    if (place === undefined || this.state.fibers.read(task, FIBER_STANDS) !== STANDS_NOWHERE) return false;
    if (machine.openEntry(place.lp) !== undefined) return false;
    if (!place.guest) {
      if (place.call === undefined) return false;
      loadRegisters(machine.platform, place.lp, place.call, place.values, 0);
      this.interpreter.stepped.begin(task, machine.beginSeamcall(place.lp));
      return true;
    }
    const { instruction } = place;
    if (instruction === undefined) return false;
    instruction.prepare?.(machine.platform, place.lp);
    this.interpreter.stepped.begin(task, machine.beginGuest(place.lp, instruction.action));
    return true;
  }

  /** Whether the current task lets others run before the next step of the call inside which it stands. */
  get pausesInLeaf(): boolean {
    const { openLeaf } = this;
    return (
      openLeaf !== undefined && this.interpreter.stepped.pausesAt(this.task, this.state.active(this.task), openLeaf)
    );
  }

  /** Runs the next step of the open leaf. False when it has ended: the next unit goes on behind it. */
  stepLeaf(): boolean {
    const { openLeaf } = this;
    return openLeaf !== undefined && this.interpreter.stepped.step(this.task, openLeaf);
  }

  /** In the middle of a unit: it ends here, and what stands there goes on as a unit of its own. `isBehind`: a call is just over. */
  leaveUnit(isBehind: boolean): void {
    if (isBehind && this.nextStatement() === undefined) {
      this.state.fibers.write(this.task, FIBER_STANDS, STANDS_UNASKED);
    }
  }

  /** The store has gone back to a mark. False if calls were open there that have to be made again to be open now. */
  rewound(): boolean {
    this.machine.rewound();
    return this.interpreter.tasks
      .all()
      .every((task) => !this.state.isInside(task) || this.machine.openEntry(this.state.lpOf(task)) !== undefined);
  }

  /** The call of the module that a task's innermost frame stands at, in the middle of its statement. */
  private atCall(task: number) {
    const { state } = this;
    if (state.fibers.read(task, FIBER_STATE) !== STATE_READY) return undefined;
    if (state.fibers.readValue(task, VALUE_RETURNED) !== undefined) return undefined;
    const fiber = state.active(task);
    if (state.fibers.read(fiber, FIBER_DEPTH) === 0) return undefined;
    const frame = state.topFrame(fiber);
    const fn = state.functionOf(frame);
    const pc = this.store.read(frame + FRAME_PC);
    const guest = state.isGuest(fiber);
    const isCall = fn.code[pc] === OP_LEAF || (fn.code[pc] === OP_BUILTIN && guest);
    if (!isCall || (guest && state.fibers.read(fiber, FIBER_COMPLETES) === 1)) return undefined;
    if (state.fibers.read(task, FIBER_STANDS) === STANDS_UNASKED) return undefined;
    const call: LeafCall | undefined =
      fn.code[pc] === OP_LEAF ? this.program.leafCalls[fn.code[pc + 1] as number] : undefined;
    const count = call?.operands.length ?? (fn.code[pc + 2] as number);
    const first = state.fibers.baseSlot(fiber, frame) + fn.locals + this.store.read(frame + FRAME_SPILLED) - count;
    const values = Array.from({ length: count }, (_, index) => this.store.readValue(first + index));
    const lp = guest ? state.lpOf(task) : this.store.read(frame + FRAME_LP);
    const instruction = guest ? instructionAt(this.program, state.heap, fn.code, pc, values, 0) : undefined;
    const builtin = call === undefined ? builtins[fn.code[pc + 1] as number] : undefined;
    return { call, builtin, values, lp, guest, instruction };
  }

  // ---- looking ----

  /** Number of the task that runs. */
  get task(): number {
    return this.state.task;
  }

  /** Chooses the task that goes on. */
  set task(task: number) {
    this.state.task = task;
  }

  tasks(): TaskInfo[] {
    const { fibers } = this.state;
    return this.interpreter.tasks.all().map((task) => {
      const state = fibers.read(task, FIBER_STATE);
      return {
        id: task,
        name: this.interpreter.tasks.name(task),
        lp: fibers.read(task, FIBER_DEPTH) > 0 ? this.state.lpOf(task) : 0,
        state:
          state === STATE_READY
            ? "ready"
            : state === STATE_DONE
              ? "done"
              : state === STATE_FAILED
                ? "failed"
                : "waiting",
        inside: this.state.isInside(task) ? (this.pendingLeafOf(task)?.name ?? "the TDX module") : undefined,
        isGuest: this.state.active(task) !== task,
        current: task === this.state.task,
      };
    });
  }

  /** Frames of a task, innermost first; those of the guest that it has entered come before its own. */
  frames(task = this.task): FlowFrame[] {
    return framesOf(this.state, task);
  }

  /** Number of frames, guest frames included. */
  depth(task = this.task): number {
    return this.interpreter.tasks.depth(task);
  }

  /** Why a task cannot run just now, if it cannot: it waits, it is over, or another one holds its LP. */
  blocked(task: number): string | undefined {
    return this.interpreter.tasks.blocked(task);
  }

  taskName(task: number): string {
    return this.interpreter.tasks.name(task);
  }

  /** Whether a task's code has come to its end. */
  isDone(task: number): boolean {
    return this.state.fibers.read(task, FIBER_STATE) === STATE_DONE;
  }

  /** The statement that the task's next unit begins with; undefined when it goes on in the middle of one, or has ended. */
  nextStatement(task = this.task): number | undefined {
    const fiber = this.state.active(task);
    if (this.state.fibers.read(fiber, FIBER_DEPTH) === 0) return undefined;
    const frame = this.state.topFrame(fiber);
    const fn = this.state.functionOf(frame);
    const pc = this.store.read(frame + FRAME_PC);
    return fn.code[pc] === OP_STATEMENT ? fn.code[pc + 1] : undefined;
  }

  /** The flow's global variables. */
  globals(): Variable[] {
    return globalsOf(this.state);
  }

  format(value: unknown): string {
    return formatValue(value, this.state.heap, 1);
  }

  /** Value of an expression in a frame, or the message that says why it has none. Changes nothing. */
  evaluate(text: string, frame: FlowFrame): { readonly value: unknown } | { readonly error: string } {
    const compiled = compileWatch(text, this.program, frame.fn, frame.pc);
    if (typeof compiled === "string") return { error: compiled };
    return evaluateWatch(this.state, compiled, frame.slots);
  }

  /** Changes a variable; the caller makes it a step of its own with the store's mark. */
  setVariable(variable: Variable, value: unknown): void {
    this.store.writeValue(variable.slot, value);
  }
}
