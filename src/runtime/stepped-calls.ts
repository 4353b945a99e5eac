/**
 * Calls of the module that are made step by step, because somebody looks, or because other tasks run while they are under way:
 * the task stands inside then, with the locks that the leaf has taken. Where it stands is in the store; the machine's open
 * entry belongs to it.
 */
import { placeOf } from "../language/diagnostics.ts";
import type { FlowFunction } from "../language/flow-code.ts";
import { parseTrace } from "../module/step.ts";
import { FIBER_STANDS, FIBER_SWITCHES, STANDS_BEHIND, STANDS_NOWHERE, VALUE_PAUSE } from "./fibers.ts";
import { FlowError } from "./flow-error.ts";
import type { ModuleEntry } from "./machine-port.ts";
import { placeInFunction } from "./places.ts";
import { type SessionState, STEPPED_CALLS, STEPPED_INTERLEAVE, STEPPED_PAUSE } from "./session-state.ts";
import type { Tasks } from "./tasks.ts";
import { remark } from "./warnings.ts";

/** What `pause at` asks of a fiber's next call of the module. */
interface Pause {
  /** Number of locks that the call has taken, or part of a step's text. */
  readonly at: number | string;
  /** Where it says so: number of the function, and code position. */
  readonly fn: number;
  readonly pc: number;
}

export class SteppedCalls {
  private readonly state: SessionState;
  private readonly tasks: Tasks;

  constructor(state: SessionState, tasks: Tasks) {
    this.state = state;
    this.tasks = tasks;
  }

  /** Whether the fiber's next call is made step by step. */
  isWanted(fiber: number): boolean {
    const wanted = this.state.read(STEPPED_CALLS);
    return wanted !== 0 && ((wanted & STEPPED_INTERLEAVE) !== 0 || this.pauseOf(fiber) !== undefined);
  }

  /** The task has opened a call; it stands before its first step, or behind it if it has none. */
  begin(task: number, entry: ModuleEntry): void {
    this.state.fibers.write(task, FIBER_STANDS, entry.next === undefined ? STANDS_BEHIND : 1);
  }

  /** One step of the task's open call. False when it has ended. */
  step(task: number, entry: ModuleEntry): boolean {
    const { fibers } = this.state;
    const locks = entry.call.acquisitions;
    const isOpen = entry.step() !== undefined;
    fibers.write(task, FIBER_STANDS, isOpen ? fibers.read(task, FIBER_STANDS) + 1 : STANDS_BEHIND);
    const isInterleaved = (this.state.read(STEPPED_CALLS) & STEPPED_INTERLEAVE) !== 0;
    if (isOpen && isInterleaved && entry.call.acquisitions > locks && this.tasks.draw()) {
      fibers.write(task, FIBER_SWITCHES, 1);
    }
    return isOpen;
  }

  /** Goes on to the end of the call, or of an action of a guest. True: it lets others run before that, and stands inside. */
  run(task: number, fiber: number, lp: number): boolean {
    const { fibers, machine } = this.state;
    for (let entry = machine.openEntry(lp); entry?.next !== undefined && this.state.isInside(task); ) {
      if (this.pausesAt(task, fiber, entry)) {
        // It goes on from here when it is its turn.
        if (this.comesToPause(fiber, entry)) this.setPause(fiber, undefined);
        fibers.write(task, FIBER_SWITCHES, 0);
        return true;
      }
      this.step(task, entry);
    }
    fibers.write(task, FIBER_STANDS, STANDS_NOWHERE);
    return false;
  }

  /** A call of the module is over. @throws FlowError if it was to pause where it never came */
  ended(fiber: number): void {
    const pause = this.pauseOf(fiber);
    if (pause === undefined) return;
    this.setPause(fiber, undefined);
    throw new FlowError(
      typeof pause.at === "number"
        ? `the call ended before it had taken ${pause.at} ${pause.at === 1 ? "lock" : "locks"}`
        : `the call ended without coming to a step "${pause.at}"`,
      "the debugger shows the steps of a call: step into it",
    );
  }

  /** Whether others are to go on before the next step of the task's open call. */
  pausesAt(task: number, fiber: number, entry: ModuleEntry): boolean {
    return this.state.fibers.read(task, FIBER_SWITCHES) !== 0 || this.comesToPause(fiber, entry);
  }

  private comesToPause(fiber: number, entry: ModuleEntry): boolean {
    const at = this.pauseOf(fiber)?.at;
    if (at === undefined) return false;
    if (typeof at === "number") return entry.call.acquisitions >= at;
    return parseTrace(entry.next ?? "").label.includes(at);
  }

  /** `pause at`, at `pc` of a function: the fiber's next call of the module pauses there. */
  pause(fiber: number, at: number | string, fn: FlowFunction, pc: number): void {
    this.dropPause(fiber);
    this.setPause(fiber, { at, fn: fn.index, pc });
  }

  /** The fiber makes no call any more for which it was to pause: whoever wrote that hears of it. */
  dropPause(fiber: number): void {
    const { state } = this;
    const pause = this.pauseOf(fiber);
    if (pause === undefined) return;
    this.setPause(fiber, undefined);
    const fn = state.program.functions[pause.fn] as FlowFunction;
    const { line } = placeOf(fn.source, placeInFunction(state.program, fn, pause.pc, true).start);
    const what = typeof pause.at === "number" ? pause.at : `"${pause.at}"`;
    remark(
      state,
      `pause at ${what} (${fn.source.path}:${line}) was never reached: ${this.tasks.name(fiber)} has made no call of the module since; write it right before the call that is to pause`,
    );
  }

  /** The flow is over: no fiber makes a call any more. */
  dropPauses(): void {
    for (let fiber = 0; fiber < this.state.fiberCount; fiber++) this.dropPause(fiber);
  }

  private pauseOf(fiber: number): Pause | undefined {
    return this.state.fibers.readValue(fiber, VALUE_PAUSE) as Pause | undefined;
  }

  private setPause(fiber: number, pause: Pause | undefined): void {
    const { state } = this;
    const count = (pause === undefined ? 0 : 1) - (this.pauseOf(fiber) === undefined ? 0 : 1);
    state.fibers.writeValue(fiber, VALUE_PAUSE, pause);
    state.write(STEPPED_CALLS, state.read(STEPPED_CALLS) + count * STEPPED_PAUSE);
  }
}
