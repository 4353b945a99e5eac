/**
 * Executes flow code. The loop keeps the current frame in local variables and writes it to the store at the end of each
 * unit: where the next statement begins. Values on the stack live in a scratch array that never outlives a unit; what has
 * to outlive one (a call inside an expression, a stop before a leaf) is spilled to the frame's slots and taken from there.
 */
import {
  type FlowFunction,
  lengthAt,
  OP_ACQUIRE,
  OP_AND,
  OP_BINARY,
  OP_BUILTIN,
  OP_CALL,
  OP_CALL_VALUE,
  OP_CONSTANT,
  OP_FIELD,
  OP_INTERRUPT,
  OP_JOIN,
  OP_JUMP,
  OP_JUMP_IF_FALSE,
  OP_LEAF,
  OP_LOAD,
  OP_LOAD_GLOBAL,
  OP_NEXT_IN_LIST,
  OP_NEXT_IN_RANGE,
  OP_OR,
  OP_POP,
  OP_RETURN,
  OP_STATEMENT,
  OP_STORE,
  OP_STORE_GLOBAL,
  OP_YIELD,
  OPERATORS,
} from "../language/flow-code.ts";
import { add, FunctionValue, type Integer } from "../language/values.ts";
import type { Store } from "../state/store.ts";
import { callBuiltin } from "./builtins.ts";
import { CallStops } from "./call-stops.ts";
import { FIBER_DEPTH, FIBER_REPLACES, FRAME_LP, FRAME_PC, FRAME_SPILLED } from "./fibers.ts";
import { getField } from "./fields.ts";
import { FlowError } from "./flow-error.ts";
import { GuestCalls } from "./guest-calls.ts";
import { isInstruction } from "./guest-instructions.ts";
import { haltGuest } from "./guests.ts";
import { ListValue, RecordValue } from "./heap.ts";
import {
  type RunLimits,
  STOP_BUDGET,
  STOP_DEPTH,
  STOP_DONE,
  STOP_LEAF,
  STOP_RETURNED,
  STOP_STATEMENT,
  STOP_TASK,
  type StopReason,
} from "./hooks.ts";
import { HostCalls } from "./host-calls.ts";
import { interruptGuest, takeReturned } from "./interrupts.ts";
import { LeafResult } from "./leaf-result.ts";
import {
  checkStatus,
  NEXT_EXITED,
  NEXT_RETURNED,
  NEXT_STOP_BEFORE,
  NEXT_STOP_BEHIND,
  NEXT_WAIT,
  type Next,
  stackBehind,
  takesResult,
} from "./module-calls.ts";
import { execute } from "./operations.ts";
import { binary, condition } from "./operators.ts";
import type { SessionState } from "./session-state.ts";
import { SteppedCalls } from "./stepped-calls.ts";
import { Tasks } from "./tasks.ts";
import { unitNote } from "./unit-note.ts";
import { aType } from "./values.ts";

const ADD = OPERATORS.indexOf("+");
const SUBTRACT = OPERATORS.indexOf("-");
const MULTIPLY = OPERATORS.indexOf("*");
const LESS = OPERATORS.indexOf("<");

/** No statement is one to stop at. */
const NOWHERE = new Uint8Array(0);

export class Interpreter {
  readonly state: SessionState;
  readonly tasks: Tasks;
  readonly stepped: SteppedCalls;
  readonly stops: CallStops;
  /** The stack of the function that runs; empty between units. */
  private readonly stack: unknown[] = [];
  private readonly hostCalls: HostCalls;
  private readonly guestCalls: GuestCalls;

  constructor(state: SessionState) {
    this.state = state;
    this.tasks = new Tasks(state);
    this.stepped = new SteppedCalls(state, this.tasks);
    this.stops = new CallStops(state);
    this.hostCalls = new HostCalls(state, this.stepped, this.stops);
    this.guestCalls = new GuestCalls(state, this.stepped, this.stops);
  }

  /** Runs up to `budget` units of the tasks. */
  run(budget: number, limits: RunLimits = {}): StopReason {
    const { state, stack, tasks, stops, hostCalls, guestCalls } = this;
    const { store, fibers, globals, heap } = state;
    const { program } = state;
    const { functions, constants, names } = program;
    const { machine } = state;
    const statements = limits.statements ?? NOWHERE;
    const depthLimit = limits.depth ?? -1;
    let units = 0;
    let leafDone = false;
    stops.beginUnit();
    for (;;) {
      // ---- the task that runs, and its innermost frame ----
      const ended = tasks.choose();
      if (ended >= 0) return ended as StopReason;
      const task = state.task;
      if (limits.task !== undefined && task !== limits.task) return STOP_TASK;
      tasks.takesTurn(task);
      let fiber = state.active(task);
      let frame = state.topFrame(fiber);
      let fn = state.functionOf(frame);
      let { code } = fn;
      let pc = store.read(frame + FRAME_PC);
      let base = 0;
      let sp = 0;
      /** A statement has begun in this unit: the next one ends it. */
      let begun = false;
      /** Where this unit goes on in the middle of a statement. */
      let resumedAt = -1;
      try {
        if (takeReturned(state, task)) leafDone = true;
        frames: for (;;) {
          frame = state.topFrame(fiber);
          fn = state.functionOf(frame);
          code = fn.code;
          pc = store.read(frame + FRAME_PC);
          base = fibers.baseSlot(fiber, frame);
          sp = store.read(frame + FRAME_SPILLED);
          if (sp > 0) unspill(store, stack, base + fn.locals, sp, frame);
          if (!begun && code[pc] !== OP_STATEMENT) {
            if (!tasks.isUnasked(task) && limits.asksAgain !== true) resumedAt = pc;
            begun = true;
          }
          for (;;) {
            const operation = code[pc] as number;
            if (operation === OP_STATEMENT) {
              if (begun) {
                store.write(frame + FRAME_PC, pc);
                const preempted = tasks.preempt();
                // Who stands inside the module can hold others up: then another task's statement may come next.
                const isNext = !preempted && machine.quiescent;
                this.endUnit(isNext ? unitNote(code[pc + 1] as number, stops.isNotable) : 0);
                units++;
                if (statements[code[pc + 1] as number] === 1) return STOP_STATEMENT;
                if (depthLimit >= 0 && tasks.depth(task) <= depthLimit) return STOP_DEPTH;
                if (units >= budget) return STOP_BUDGET;
                if (preempted) break frames;
              }
              begun = true;
              pc += 2;
            } else if (operation === OP_LOAD) {
              stack[sp++] = store.readValue(base + (code[pc + 1] as number));
              pc += 2;
            } else if (operation === OP_CONSTANT) {
              stack[sp++] = constants[code[pc + 1] as number];
              pc += 2;
            } else if (operation === OP_BINARY) {
              const b = stack[--sp];
              const a = stack[sp - 1];
              const operator = code[pc + 1] as number;
              if (typeof a === "number" && typeof b === "number") {
                if (operator === ADD && a + b < 2 ** 53) stack[sp - 1] = a + b;
                else if (operator === LESS) stack[sp - 1] = a < b;
                else if (operator === SUBTRACT && a >= b) stack[sp - 1] = a - b;
                else if (operator === MULTIPLY && a * b < 2 ** 53) stack[sp - 1] = a * b;
                else stack[sp - 1] = binary(operator, a, b, heap);
              } else stack[sp - 1] = binary(operator, a, b, heap);
              pc += 2;
            } else if (operation === OP_STORE) {
              store.writeValue(base + (code[pc + 1] as number), stack[--sp]);
              pc += 2;
            } else if (
              operation === OP_LEAF ||
              (operation === OP_BUILTIN && state.isGuest(fiber) && isInstruction(code[pc + 1] as number))
            ) {
              // The module runs: for the host, or for an instruction of the guest.
              const next: Next = state.isGuest(fiber)
                ? guestCalls.call(task, fiber, code, pc, stack, sp, pc === resumedAt)
                : hostCalls.call(task, frame, code, pc, stack, sp, leafDone, pc === resumedAt);
              resumedAt = -1;
              leafDone = next === NEXT_EXITED;
              // Unless the call is over, its operands stay on the stack.
              if (next === NEXT_RETURNED || next === NEXT_STOP_BEHIND) {
                sp = stackBehind(program, code, pc, sp);
                pc += 3;
              }
              if (next !== NEXT_RETURNED) {
                const stopReason =
                  next === NEXT_STOP_BEFORE ? STOP_LEAF : next === NEXT_STOP_BEHIND ? STOP_RETURNED : undefined;
                if (stopReason !== undefined && state.hooks.isProbe === true) return stopReason;
                store.write(frame + FRAME_PC, pc);
                if (sp > 0) spill(store, stack, base + fn.locals, sp, frame);
                if (stopReason !== undefined) {
                  store.mark();
                  return stopReason;
                }
                if (next === NEXT_WAIT) {
                  tasks.next();
                  this.endUnit();
                  units++;
                  if (limits.pauses === true) return STOP_TASK;
                  if (units >= budget) return STOP_BUDGET;
                  break frames;
                }
                fiber = state.active(task);
                continue frames;
              }
            } else if (operation === OP_JUMP_IF_FALSE) {
              const value = stack[--sp];
              pc = value === true || (value !== false && condition(value)) ? pc + 2 : (code[pc + 1] as number);
            } else if (operation === OP_JUMP) {
              pc = code[pc + 1] as number;
            } else if (operation === OP_NEXT_IN_RANGE) {
              const slot = base + (code[pc + 2] as number);
              const value = store.readValue(slot) as Integer;
              const end = store.readValue(slot + 1) as Integer;
              if (value < end) {
                const next = add(value, store.readValue(slot + 2) as Integer);
                store.writeValue(slot, next > value ? next : end); // behind 2^64 comes nothing
                stack[sp++] = value;
                pc += 3;
              } else pc = code[pc + 1] as number;
            } else if (operation === OP_FIELD) {
              stack[sp - 1] = getField(state, stack[sp - 1], names[code[pc + 1] as number] as string);
              pc += 2;
            } else if (operation === OP_LOAD_GLOBAL) {
              const value = store.readValue(globals + (code[pc + 1] as number));
              if (value === undefined) throw notSet(state, code[pc + 1] as number);
              stack[sp++] = value;
              pc += 2;
            } else if (operation === OP_STORE_GLOBAL) {
              store.writeValue(globals + (code[pc + 1] as number), stack[--sp]);
              pc += 2;
            } else if (operation === OP_POP) {
              sp--;
              checkUnused(stack[sp]);
              pc += 1;
            } else if (operation === OP_CALL || operation === OP_CALL_VALUE) {
              let count = code[pc + 1] as number;
              let callee: FlowFunction;
              if (operation === OP_CALL) {
                callee = functions[count] as FlowFunction;
                count = code[pc + 2] as number;
                sp -= count;
                store.write(frame + FRAME_PC, pc + 3);
              } else {
                sp -= count + 1;
                callee = calledValue(functions, stack[sp], count);
                store.write(frame + FRAME_PC, pc + 2);
              }
              const first = operation === OP_CALL ? sp : sp + 1;
              const inner = fibers.push(fiber, callee, fn, store.read(frame + FRAME_LP));
              if (sp > 0) spill(store, stack, base + fn.locals, sp, frame);
              fibers.passArguments(fiber, inner, callee, stack, first, count);
              continue frames;
            } else if (operation === OP_RETURN) {
              const result = stack[--sp];
              const depth = fibers.read(fiber, FIBER_DEPTH) - 1;
              const handled = fn.kind === "handler";
              fibers.write(fiber, FIBER_DEPTH, depth);
              // What no frame uses is empty, so that a state does not tell what was there before.
              store.write(frame + FRAME_PC, 0);
              for (let slot = base + fn.locals - 1; slot >= base; slot--) store.writeValue(slot, undefined);
              if (depth > 0) {
                // The result joins what the caller had on its stack.
                frame = fibers.frame(fiber, depth - 1);
                fn = state.functionOf(frame);
                code = fn.code;
                pc = store.read(frame + FRAME_PC);
                base = fibers.baseSlot(fiber, frame);
                sp = store.read(frame + FRAME_SPILLED);
                if (sp > 0) unspill(store, stack, base + fn.locals, sp, frame);
                if (!handled) stack[sp++] = result;
                else if (fibers.read(fiber, FIBER_REPLACES) === 1) {
                  fibers.write(fiber, FIBER_REPLACES, 0);
                  sp = stackBehind(program, code, pc, sp);
                  if (takesResult(code, pc)) stack[sp - 1] = result;
                  pc += 3;
                }
              } else if (state.isGuest(fiber)) {
                this.stepped.dropPause(fiber);
                haltGuest(state, task, fiber);
                fiber = task;
                leafDone = true;
                continue frames;
              } else {
                this.stepped.dropPause(task);
                tasks.end(task);
                if (!tasks.next() && tasks.isOver()) this.stepped.dropPauses();
                this.endUnit();
                units++;
                if (units >= budget) return tasks.isOver() ? STOP_DONE : STOP_BUDGET;
                break frames;
              }
            } else if (operation === OP_BUILTIN) {
              const count = code[pc + 2] as number;
              sp -= count;
              stack[sp] = callBuiltin(state, fiber, code[pc + 1] as number, stack, sp, count);
              sp++;
              pc += 3;
            } else if (operation === OP_AND || operation === OP_OR) {
              if (condition(stack[sp - 1]) === (operation === OP_AND)) {
                sp--;
                pc += 2;
              } else pc = code[pc + 1] as number;
            } else if (
              operation === OP_JOIN ||
              operation === OP_ACQUIRE ||
              operation === OP_YIELD ||
              operation === OP_INTERRUPT
            ) {
              const waits = tasks.wait(task, operation, stack[sp - 1]);
              if (waits) {
                store.write(frame + FRAME_PC, pc);
                if (sp > 0) spill(store, stack, base + fn.locals, sp, frame);
                tasks.next();
              } else {
                if (operation === OP_JOIN) sp--;
                if (operation === OP_INTERRUPT) interruptGuest(state, state.lpOf(task));
                if (operation === OP_ACQUIRE) store.writeValue(base + (code[pc + 1] as number), stack[--sp]);
                pc += operation === OP_ACQUIRE ? 2 : 1;
                if (operation !== OP_YIELD) continue;
                store.write(frame + FRAME_PC, pc);
                tasks.next();
              }
              this.endUnit();
              units++;
              if (units >= budget) return STOP_BUDGET;
              break frames;
            } else if (operation === OP_NEXT_IN_LIST) {
              const slot = base + (code[pc + 2] as number);
              const item = nextInList(state, slot);
              if (item !== undefined) stack[sp++] = item;
              pc = item !== undefined ? pc + 3 : (code[pc + 1] as number);
            } else {
              sp = execute(this, task, code, pc, stack, sp, base, frame);
              pc += lengthAt(code, pc);
            }
          }
        }
      } catch (error) {
        store.write(frame + FRAME_PC, pc);
        tasks.fail(task, fiber, error);
        store.mark();
      }
    }
  }

  /** What has happened belongs to the unit that ends here; `note` says what of it the mark tells (unit-note.ts). */
  private endUnit(note = 0): void {
    this.state.store.mark(note);
    this.stops.beginUnit();
  }
}

/** Takes spilled values back onto the stack; their slots are cleared so that a state does not tell whether it was stopped in. */
function unspill(store: Store, stack: unknown[], slot: number, count: number, frame: number): void {
  for (let i = 0; i < count; i++) {
    stack[i] = store.readValue(slot + i);
    store.writeValue(slot + i, undefined);
  }
  store.write(frame + FRAME_SPILLED, 0);
}

function spill(store: Store, stack: readonly unknown[], slot: number, count: number, frame: number): void {
  for (let i = 0; i < count; i++) store.writeValue(slot + i, stack[i]);
  store.write(frame + FRAME_SPILLED, count);
}

/** The list is in the slot, the number of its next element in the one behind. */
function nextInList(state: SessionState, slot: number): unknown {
  const list = state.store.readValue(slot);
  const index = state.store.readValue(slot + 1) as number;
  if (!(list instanceof ListValue)) {
    const hint = list instanceof RecordValue ? "for name in keys(record) { … }" : "a range is 0 .. n";
    throw new FlowError(`for goes over a list or a range, not ${aType(list)}`, hint);
  }
  if (index >= state.heap.length(list)) return undefined;
  state.store.writeValue(slot + 1, index + 1);
  return state.heap.element(list, index);
}

function notSet(state: SessionState, global: number): FlowError {
  const name = state.program.globals[global]?.name;
  return new FlowError(`"${name}" has no value yet`, `its "let" has not run`);
}

function calledValue(functions: readonly FlowFunction[], value: unknown, count: number): FlowFunction {
  if (!(value instanceof FunctionValue))
    throw new FlowError(`only a function can be called, not ${aType(value)}`, "fn name(…) { … } makes one");
  const callee = functions[value.index] as FlowFunction;
  if (callee.parameters.length !== count) {
    throw new FlowError(
      `${callee.name}(${callee.parameters.join(", ")}) takes ${callee.parameters.length} ${callee.parameters.length === 1 ? "argument" : "arguments"}, not ${count}`,
      `it is declared in ${callee.source.path}`,
    );
  }
  return callee;
}

/** A failed result that nobody looks at ends the flow. */
function checkUnused(value: unknown): void {
  if (value instanceof LeafResult) checkStatus(value);
}
