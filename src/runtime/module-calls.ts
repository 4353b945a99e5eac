/**
 * What the calls of the module have in common, whoever makes them: what the interpreter does next, and where operands and result lie
 * on its stack. The host's are made in host-calls.ts, those of guests in guest-calls.ts.
 */
import { statusText } from "../arch/status.ts";
import { type FlowProgram, type LeafCall, OP_LEAF } from "../language/flow-code.ts";
import { adviceText } from "./expectations.ts";
import { FlowError } from "./flow-error.ts";
import type { LeafResult } from "./leaf-result.ts";

// What the interpreter does next.
/** The call is over; its result is on the stack. */
export const NEXT_RETURNED = 0;
/** A guest, or an exception handler of one, runs before the operation goes on. */
export const NEXT_SWITCH = 1;
/** The guest has exited: the task's TDH.VP.ENTER returns. */
export const NEXT_EXITED = 2;
/** Stop here: the call was not made yet. */
export const NEXT_STOP_BEFORE = 3;
/** Stop here: the call is over, as for NEXT_RETURNED. */
export const NEXT_STOP_BEHIND = 4;
/** The task stands in the call, or before it, and others go on. */
export const NEXT_WAIT = 5;
export type Next = 0 | 1 | 2 | 3 | 4 | 5;

/** How many values on the stack are the operands of the call at `pc`, a leaf's or that of a builtin. */
export function operandCount(program: FlowProgram, code: Int32Array, pc: number): number {
  const count = code[pc + 2] as number;
  return code[pc] === OP_LEAF ? (program.leafCalls[code[pc + 1] as number] as LeafCall).operands.length : count;
}

/** Whether the flow takes the result of the call at `pc`. */
export function takesResult(code: Int32Array, pc: number): boolean {
  return code[pc] !== OP_LEAF || code[pc + 2] !== 1;
}

/** Where the stack ends behind the call at `pc`, if it ends at `sp` before: its result, if the flow takes it, has replaced the operands. */
export function stackBehind(program: FlowProgram, code: Int32Array, pc: number, sp: number): number {
  return sp - operandCount(program, code, pc) + (takesResult(code, pc) ? 1 : 0);
}

/** A failed call at whose result nobody looks ends the flow. */
export function checkStatus(result: LeafResult): void {
  if (!result.status.failed) return;
  throw new FlowError(
    `${result.leaf} failed: ${statusText(result.status.hi, result.status.lo)}`,
    `${adviceText(result.status)} To go on after a failure, look at the result: let r = …`,
  );
}
