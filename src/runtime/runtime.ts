/**
 * Runs a flow on a machine, unit by unit: a unit goes from one statement's start to the next. Whoever drives it decides how
 * many, and can stop before a leaf function and go through it step by step. Everything that changes is in the store, and each unit
 * ends with a mark there: going back is the store's `undo` and then `rewound()`.
 */
import { compileWatch } from "../language/compile.ts";
import { type FlowFunction, type FlowProgram, OP_STATEMENT } from "../language/flow-code.ts";
import type { Store } from "../state/store.ts";
import { evaluateWatch } from "./evaluate.ts";
import {
  FIBER_DEPTH,
  FIBER_STANDS,
  FIBER_STATE,
  FRAME_PC,
  STANDS_NOWHERE,
  STANDS_UNASKED,
  STATE_DONE,
  STATE_FAILED,
  STATE_READY,
  VALUE_FAILURE,
} from "./fibers.ts";
import type { FlowFailure } from "./flow-error.ts";
import { type FlowFrame, framesOf, globalsOf, type Variable } from "./frames.ts";
import type { RunLimits, RuntimeHooks, StopReason } from "./hooks.ts";
import { Interpreter } from "./interpreter.ts";
import { loadRegisters } from "./leaf-call.ts";
import type { MachinePort, ModuleEntry } from "./machine-port.ts";
import { type PendingInstruction, type PendingLeaf, pendingCall, pendingInstruction, pendingLeaf } from "./pending.ts";
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
      const failure = this.state.fibers.readValue(task, VALUE_FAILURE);
      if (failure !== undefined) return failure as FlowFailure;
    }
    return undefined;
  }

  // ---- leaf functions, step by step ----

  /** The leaf that the current task stands before, if it does: after a stop before a leaf, or while it is stepped. */
  get pendingLeaf(): PendingLeaf | undefined {
    return this.pendingLeafOf(this.task);
  }

  pendingLeafOf(task: number): PendingLeaf | undefined {
    return pendingLeaf(this.state, task);
  }

  /** The guest's instruction, other than TDCALL, that the task stands before, if it does: name and arguments of the builtin. */
  get pendingInstruction(): PendingInstruction | undefined {
    return pendingInstruction(this.state, this.task);
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
    const pending = pendingCall(this.state, task);
    if (pending === undefined || this.state.fibers.read(task, FIBER_STANDS) !== STANDS_NOWHERE) return false;
    const { lp, call, values, instruction } = pending;
    if (machine.openEntry(lp) !== undefined) return false;
    if (instruction !== undefined) {
      instruction.prepare?.(machine.platform, lp);
      this.interpreter.stepped.begin(task, machine.beginGuest(lp, instruction.action));
    } else if (call !== undefined) {
      loadRegisters(machine.platform, lp, call, values, 0);
      this.interpreter.stepped.begin(task, machine.beginSeamcall(lp));
    }
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

  /** Between units: another task is to go on instead of the current one. */
  passOver(): void {
    if (this.nextStatement() !== undefined) this.interpreter.tasks.passOver();
  }

  /** Whether the current task stands at a statement before which it had its turn already. */
  get isPassedOver(): boolean {
    return this.interpreter.tasks.isPassedOver(this.task);
  }

  /** The store has gone back to a mark. False if calls were open there that have to be made again to be open now. */
  rewound(): boolean {
    this.machine.rewound();
    return this.interpreter.tasks
      .all()
      .every((task) => !this.state.isInside(task) || this.machine.openEntry(this.state.lpOf(task)) !== undefined);
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
