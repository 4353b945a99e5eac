/** The call of the module at which a task stands in the middle of its statement, as its frame in the store tells. */
import { type Builtin, builtins, parameterNames } from "../language/builtins.ts";
import { type FlowFunction, type LeafCall, OP_BUILTIN, OP_LEAF } from "../language/flow-code.ts";
import {
  FIBER_COMPLETES,
  FIBER_DEPTH,
  FIBER_STANDS,
  FIBER_STATE,
  FRAME_PC,
  FRAME_SPILLED,
  STANDS_UNASKED,
  STATE_READY,
  VALUE_RETURNED,
} from "./fibers.ts";
import { type GuestInstruction, instructionAt } from "./guest-instructions.ts";
import { GUEST_LEAF } from "./hooks.ts";
import { calleeOf, nameOfCall } from "./leaf-call.ts";
import { operandCount } from "./module-calls.ts";
import type { SessionState } from "./session-state.ts";

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

/** Where a task's innermost frame stands. */
export interface InnermostFrame {
  readonly fiber: number;
  readonly fn: FlowFunction;
  readonly pc: number;
  /** Values of its stack, and the slot behind the last of them. */
  readonly spilled: number;
  readonly end: number;
}

export interface PendingCall {
  /** A SEAMCALL or TDCALL; or else the builtin of a guest's instruction. */
  readonly call: LeafCall | undefined;
  readonly builtin: Builtin | undefined;
  readonly values: readonly unknown[];
  readonly lp: number;
  /** Set in a guest. */
  readonly instruction: GuestInstruction | undefined;
}

export function innermostFrame(state: SessionState, task: number): InnermostFrame | undefined {
  const { fibers, store } = state;
  const fiber = state.active(task);
  if (fibers.read(fiber, FIBER_DEPTH) === 0) return undefined;
  const frame = state.topFrame(fiber);
  const fn = state.functionOf(frame);
  const spilled = store.read(frame + FRAME_SPILLED);
  return {
    fiber,
    fn,
    pc: store.read(frame + FRAME_PC),
    spilled,
    end: fibers.baseSlot(fiber, frame) + fn.locals + spilled,
  };
}

/** Undefined where the task stands at none, or where nobody was asked about it yet. */
export function pendingCall(state: SessionState, task: number): PendingCall | undefined {
  const { fibers, store, program } = state;
  if (fibers.read(task, FIBER_STATE) !== STATE_READY || fibers.readValue(task, VALUE_RETURNED) !== undefined)
    return undefined;
  if (fibers.read(task, FIBER_STANDS) === STANDS_UNASKED) return undefined;
  const place = innermostFrame(state, task);
  if (place === undefined) return undefined;
  const { fiber, pc } = place;
  const { code } = place.fn;
  const isGuest = state.isGuest(fiber);
  if (code[pc] !== OP_LEAF && !(isGuest && code[pc] === OP_BUILTIN)) return undefined;
  if (isGuest && fibers.read(fiber, FIBER_COMPLETES) === 1) return undefined;
  const count = operandCount(program, code, pc);
  const values = Array.from({ length: count }, (_, index) => store.readValue(place.end - count + index));
  const number = code[pc + 1] as number;
  return {
    call: code[pc] === OP_LEAF ? program.leafCalls[number] : undefined,
    builtin: code[pc] === OP_LEAF ? undefined : builtins[number],
    values,
    lp: state.lpOf(task),
    instruction: isGuest ? instructionAt(program, state.heap, code, pc, values, 0) : undefined,
  };
}

export function pendingLeaf(state: SessionState, task: number): PendingLeaf | undefined {
  const pending = pendingCall(state, task);
  if (pending?.call === undefined) return undefined;
  const { call, values, lp } = pending;
  return {
    name: nameOfCall(call, values, 0),
    number: calleeOf(call, values, 0) % GUEST_LEAF,
    lp,
    guest: call.guest,
    operands: call.operands.map(({ name, register }, index) => ({ name, register, value: values[index] })),
  };
}

/** An instruction other than TDCALL: name and arguments of the builtin. */
export function pendingInstruction(state: SessionState, task: number): PendingInstruction | undefined {
  const pending = pendingCall(state, task);
  if (pending?.builtin === undefined) return undefined;
  const { builtin, values, lp } = pending;
  const names = parameterNames(builtin);
  const operands = values.map((value, index) => ({ name: names[index] ?? "", value }));
  return { name: builtin.name, lp, operands };
}
