/**
 * Calls of the module that are made step by step, because somebody looks, or because other tasks run while they are under way:
 * the task stands inside then, with the locks that the leaf has taken. Where it stands is in the store; the machine's open
 * entry belongs to it.
 */
import { parseTrace } from "../module/step.ts";
import { FIBER_STANDS, FIBER_SWITCHES, STANDS_BEHIND, STANDS_NOWHERE, VALUE_PAUSE } from "./fibers.ts";
import { FlowError } from "./flow-error.ts";
import type { ModuleEntry } from "./machine-port.ts";
import { type SessionState, STEPPED_CALLS, STEPPED_INTERLEAVE, STEPPED_PAUSE } from "./session-state.ts";
import type { Tasks } from "./tasks.ts";

export class SteppedCalls {
  private readonly state: SessionState;
  private readonly tasks: Tasks;

  constructor(state: SessionState, tasks: Tasks) {
    this.state = state;
    this.tasks = tasks;
  }

  /** Whether the fiber's next call is made step by step. */
  isWanted(_fiber: number): boolean {
    return this.state.read(STEPPED_CALLS) !== 0;
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

  /** Goes on to the end of the call. True: it lets others run before that, and stands inside. */
  run(task: number, fiber: number, lp: number): boolean {
    const { fibers, machine } = this.state;
    for (let entry = machine.openEntry(lp); entry?.next !== undefined && this.state.isInside(task); ) {
      if (this.pausesAt(task, fiber, entry)) {
        // It goes on from here when it is its turn.
        if (this.comesToPause(fiber, entry)) this.pause(fiber, undefined);
        fibers.write(task, FIBER_SWITCHES, 0);
        return true;
      }
      this.step(task, entry);
    }
    fibers.write(task, FIBER_STANDS, STANDS_NOWHERE);
    const pause = fibers.readValue(fiber, VALUE_PAUSE);
    if (pause === undefined) return false;
    this.pause(fiber, undefined);
    throw new FlowError(
      typeof pause === "number"
        ? `the call ended before it had taken ${pause} locks`
        : `the call ended without coming to a step "${String(pause)}"`,
      "the debugger shows the steps of a call: step into it",
    );
  }

  /** Whether others are to go on before the next step of the task's open call. */
  pausesAt(task: number, fiber: number, entry: ModuleEntry): boolean {
    return this.state.fibers.read(task, FIBER_SWITCHES) !== 0 || this.comesToPause(fiber, entry);
  }

  private comesToPause(fiber: number, entry: ModuleEntry): boolean {
    const pause = this.state.fibers.readValue(fiber, VALUE_PAUSE);
    if (pause === undefined) return false;
    if (typeof pause === "number") return entry.call.acquisitions >= pause;
    return parseTrace(entry.next ?? "").label.includes(String(pause));
  }

  /** The fiber's next call of the module pauses there; undefined: it does not. */
  pause(fiber: number, at: number | string | undefined): void {
    const { state } = this;
    const before = state.fibers.readValue(fiber, VALUE_PAUSE);
    state.fibers.writeValue(fiber, VALUE_PAUSE, at);
    const change = (at === undefined ? 0 : STEPPED_PAUSE) - (before === undefined ? 0 : STEPPED_PAUSE);
    if (change !== 0) state.write(STEPPED_CALLS, state.read(STEPPED_CALLS) + change);
  }
}
