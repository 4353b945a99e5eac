/** Tasks: which one runs, what they wait for, how they end. Deterministic: a seed of 0 switches only where a task waits or yields. */
import { placeOf } from "../language/diagnostics.ts";
import { type FlowFunction, OP_ACQUIRE, OP_INTERRUPT, OP_JOIN, OP_YIELD } from "../language/flow-code.ts";
import {
  FIBER_DEPTH,
  FIBER_KIND,
  FIBER_STANDS,
  FIBER_STATE,
  FIBER_WAITS_FOR,
  FRAME_PC,
  KIND_HOST,
  STANDS_NOWHERE,
  STANDS_PASSED_OVER,
  STANDS_UNASKED,
  STATE_DONE,
  STATE_FAILED,
  STATE_READY,
  STATE_WAITS_FOR_LOCK,
  STATE_WAITS_FOR_TASK,
  VALUE_FAILURE,
  VALUE_LOCK,
  VALUE_NAME,
} from "./fibers.ts";
import { FlowError, type FlowFailure } from "./flow-error.ts";
import { STOP_DONE, STOP_FAILED } from "./hooks.ts";
import { acquire, describeHolders, isHeldBy, release } from "./locks.ts";
import { placeInFunction } from "./places.ts";
import { SCHEDULE_RANDOM, type SessionState } from "./session-state.ts";
import { aType, LockValue, TaskValue } from "./values.ts";

export class Tasks {
  private readonly state: SessionState;

  constructor(state: SessionState) {
    this.state = state;
  }

  /** Starts a task, with `count` arguments on the stack from `first` on. Returns its fiber. */
  start(fn: FlowFunction, name: string, lp: number, stack: readonly unknown[] = [], first = 0, count = 0): number {
    const { fibers } = this.state;
    const fiber = this.state.newFiber();
    fibers.write(fiber, FIBER_KIND, KIND_HOST);
    fibers.write(fiber, FIBER_STATE, STATE_READY);
    fibers.writeValue(fiber, VALUE_NAME, name);
    fibers.passArguments(fiber, fibers.push(fiber, fn, undefined, lp), fn, stack, first, count);
    return fiber;
  }

  /** Makes sure that the current task can run: -1, or why none can. */
  choose(): number {
    const { state } = this;
    const current = state.fibers.read(state.task, FIBER_STATE);
    if (current === STATE_READY && !this.isHeldUp(state.task)) return -1;
    if (current === STATE_FAILED) return STOP_FAILED;
    if (this.next()) return -1;
    const waiting = this.all().filter((task) => state.fibers.read(task, FIBER_STATE) !== STATE_DONE);
    if (waiting.length === 0) return STOP_DONE;
    state.task = waiting[0] as number;
    const reasons = waiting.map((task) => `${this.name(task)} ${this.reason(task)}`);
    this.fail(
      state.task,
      state.task,
      new FlowError(`deadlock: ${reasons.join("; ")}`, "every task waits for another one"),
    );
    state.store.mark();
    return STOP_FAILED;
  }

  /** Whether all tasks have ended. */
  isOver(): boolean {
    return this.all().every((task) => this.state.fibers.read(task, FIBER_STATE) === STATE_DONE);
  }

  /** The fibers of all tasks, in the order in which they were made. */
  all(): number[] {
    const tasks: number[] = [];
    for (let fiber = 0; fiber < this.state.fiberCount; fiber++) if (!this.state.isGuest(fiber)) tasks.push(fiber);
    return tasks;
  }

  /** Goes on with the next task that can run, in a round; false if none can. */
  next(): boolean {
    const { state } = this;
    const count = state.fiberCount;
    for (let i = 1; i <= count; i++) {
      const fiber = (state.task + i) % count;
      if (!state.isGuest(fiber) && state.fibers.read(fiber, FIBER_STATE) === STATE_READY && !this.isHeldUp(fiber)) {
        state.task = fiber;
        return true;
      }
    }
    return false;
  }

  /** Whether the task's LP is inside the module for another task: until that has left it, no code runs there. */
  isHeldUp(task: number): boolean {
    const { fibers, machine } = this.state;
    if (fibers.read(task, FIBER_DEPTH) === 0 || this.state.isInside(task)) return false;
    return machine.openEntry(this.state.lpOf(task)) !== undefined;
  }

  /** Whether the task goes on at a call about which nobody was asked yet; it is not so any more. */
  isUnasked(task: number): boolean {
    return this.leaves(task, STANDS_UNASKED);
  }

  /** Whoever drives the run takes the turn from the task that has it, at a statement. */
  passOver(): void {
    this.state.fibers.write(this.state.task, FIBER_STANDS, STANDS_PASSED_OVER);
  }

  isPassedOver(task: number): boolean {
    return this.state.fibers.read(task, FIBER_STANDS) === STANDS_PASSED_OVER;
  }

  /** The task goes on. */
  takesTurn(task: number): void {
    this.leaves(task, STANDS_PASSED_OVER);
  }

  private leaves(task: number, place: number): boolean {
    if (this.state.fibers.read(task, FIBER_STANDS) !== place) return false;
    this.state.fibers.write(task, FIBER_STANDS, STANDS_NOWHERE);
    return true;
  }

  /** With a seed: now and then another task goes on. Returns whether one does. */
  preempt(): boolean {
    if (!this.draw()) return false;
    const before = this.state.task;
    this.next();
    return this.state.task !== before;
  }

  /** With a seed: whether another task goes on now. */
  draw(): boolean {
    const random = this.state.read(SCHEDULE_RANDOM);
    if (random === 0 || this.state.fiberCount === 1) return false;
    const next = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0 || 1;
    this.state.write(SCHEDULE_RANDOM, next);
    return next >>> 29 === 0;
  }

  /** Frames of a task, with those of the guest on top of it. */
  depth(task: number): number {
    const { fibers } = this.state;
    const own = fibers.read(task, FIBER_DEPTH);
    const active = this.state.active(task);
    return active === task ? own : own + fibers.read(active, FIBER_DEPTH);
  }

  name(task: number): string {
    return String(this.state.fibers.readValue(task, VALUE_NAME));
  }

  /** `join`, `with`, `yield`, or an interrupt for another LP: true if the task has to wait. */
  wait(task: number, operation: number, value: unknown): boolean {
    const { fibers } = this.state;
    if (operation === OP_YIELD) return false;
    if (operation === OP_INTERRUPT) return this.isHeldUp(task);
    if (operation === OP_JOIN) {
      if (!(value instanceof TaskValue))
        throw new FlowError(`join waits for a task, not ${aType(value)}`, "spawn name { … } makes one");
      if (fibers.read(value.fiber, FIBER_STATE) === STATE_DONE) return false;
      fibers.write(task, FIBER_WAITS_FOR, value.fiber + 1);
      fibers.write(task, FIBER_STATE, STATE_WAITS_FOR_TASK);
      return true;
    }
    if (operation !== OP_ACQUIRE || !(value instanceof LockValue))
      throw new FlowError(`with takes a lock, not ${aType(value)}`, "mutex() and rwlock() make one");
    if (value.kind === "rwlock")
      throw new FlowError("say how to take the lock", "with lock.read { … } or with lock.write { … }");
    if (acquire(this.state.heap, value, task)) {
      fibers.writeValue(task, VALUE_LOCK, undefined);
      return false;
    }
    if (isHeldBy(this.state.heap, value, task))
      throw new FlowError(
        "this task holds the lock already",
        "a lock is not taken twice: the task would wait for itself",
      );
    fibers.writeValue(task, VALUE_LOCK, value);
    fibers.write(task, FIBER_STATE, STATE_WAITS_FOR_LOCK);
    return true;
  }

  /** Gives a lock back; tasks that wait for one of its sides try again. */
  release(task: number, lock: unknown): void {
    if (!(lock instanceof LockValue)) return;
    const { fibers, heap } = this.state;
    release(heap, lock, task);
    for (const other of this.all()) {
      const wanted = fibers.readValue(other, VALUE_LOCK);
      if (fibers.read(other, FIBER_STATE) !== STATE_WAITS_FOR_LOCK || !(wanted instanceof LockValue)) continue;
      if (wanted.state.address === lock.state.address) fibers.write(other, FIBER_STATE, STATE_READY);
    }
  }

  /** The task's code has ended. */
  end(task: number): void {
    const { fibers } = this.state;
    fibers.write(task, FIBER_STATE, STATE_DONE);
    for (const other of this.all()) {
      if (
        fibers.read(other, FIBER_STATE) === STATE_WAITS_FOR_TASK &&
        fibers.read(other, FIBER_WAITS_FOR) === task + 1
      ) {
        fibers.write(other, FIBER_WAITS_FOR, 0);
        fibers.write(other, FIBER_STATE, STATE_READY);
      }
    }
  }

  /** Something went wrong in the task, in the innermost frame of `fiber`. */
  fail(task: number, fiber: number, error: unknown): void {
    const { fibers } = this.state;
    const message = error instanceof Error ? error.message : String(error);
    const hint = error instanceof FlowError ? error.hint : "";
    const stack = this.stack(task, fiber);
    const { file, line, column } = stack[0] ?? { file: "", line: 1, column: 1 };
    const failure: FlowFailure = {
      message: error instanceof FlowError ? message : `internal error: ${message}`,
      hint,
      file,
      line,
      column,
      stack: stack.map((place) => `${place.name} (${place.file}:${place.line}:${place.column})`),
    };
    fibers.writeValue(task, VALUE_FAILURE, failure);
    fibers.write(task, FIBER_STATE, STATE_FAILED);
  }

  private stack(task: number, fiber: number): { name: string; file: string; line: number; column: number }[] {
    const { fibers, store } = this.state;
    const places: { name: string; file: string; line: number; column: number }[] = [];
    for (const each of fiber === task ? [task] : [fiber, task]) {
      const depth = fibers.read(each, FIBER_DEPTH);
      for (let level = depth - 1; level >= 0; level--) {
        if (level < depth - INNERMOST) level = Math.min(level, OUTERMOST - 1);
        const frame = fibers.frame(each, level);
        const fn = this.state.functionOf(frame);
        const span = placeInFunction(
          this.state.program,
          fn,
          store.read(frame + FRAME_PC),
          level === depth - 1 && each === fiber,
        );
        places.push({ name: fn.name, file: fn.source.path, ...placeOf(fn.source, span.start) });
      }
    }
    return places;
  }

  /** Why a task cannot run just now, if it cannot. */
  blocked(task: number): string | undefined {
    const { state } = this;
    const own = state.fibers.read(task, FIBER_STATE);
    if (own === STATE_DONE) return "has ended";
    if (own === STATE_FAILED) return "has failed";
    if (own !== STATE_READY) return this.reason(task);
    if (!this.isHeldUp(task)) return undefined;
    const lp = state.lpOf(task);
    const holder = this.all().find((other) => state.isInside(other) && state.lpOf(other) === lp);
    return `waits for LP ${lp}, which is inside the TDX module for ${holder === undefined ? "nobody" : this.name(holder)}`;
  }

  private reason(task: number): string {
    const { fibers, heap } = this.state;
    const lock = fibers.readValue(task, VALUE_LOCK);
    if (fibers.read(task, FIBER_STATE) === STATE_WAITS_FOR_LOCK && lock instanceof LockValue) {
      return `waits for ${describeHolders(heap, lock, (holder) => this.name(holder))}`;
    }
    return `waits for the end of ${this.name(fibers.read(task, FIBER_WAITS_FOR) - 1)}`;
  }
}

/** Frames of each fiber that a failure tells: where it happened, and where what led there began. */
const INNERMOST = 40;
const OUTERMOST = 10;
