/**
 * Flow code: what a flow is compiled to. A function is an array of numbers for a stack machine; the stack is empty where a
 * statement begins. What has to survive a call lies in the slots of the function's frame: first its locals, then one
 * slot for each level of its stack.
 */
import type { LeafOperand } from "../arch/leaf-operands.ts";
import type { SourceFile, Span } from "./diagnostics.ts";
import type { PlatformDescription } from "./platform-block.ts";
import type { ModuleNames } from "./scope.ts";
import type { Constant } from "./values.ts";

// Each operation with its operands (in the cells after it) and what it does to the stack. The interpreter tests them in
// this order, so those of a plain loop come first.
/** statement: the statement with this number begins; the stack is empty. */
export const OP_STATEMENT = 0;
/** slot: → value of a local. */
export const OP_LOAD = 1;
/** constant: → value. */
export const OP_CONSTANT = 2;
/** operator: a, b → result of a binary operator (OPERATORS). */
export const OP_BINARY = 3;
/** slot: value → */
export const OP_STORE = 4;
/** target: condition → ; goes on there if it is false. */
export const OP_JUMP_IF_FALSE = 5;
/** target */
export const OP_JUMP = 6;
/** target, slot: goes on there if the range in slots slot (next), slot+1 (end), slot+2 (step) is used up; → next value. */
export const OP_NEXT_IN_RANGE = 7;
/** global: → value. */
export const OP_LOAD_GLOBAL = 8;
/** global: value → */
export const OP_STORE_GLOBAL = 9;
/** value → */
export const OP_POP = 10;
/** function, arguments: arguments → result. */
export const OP_CALL = 11;
/** value → ; leaves the function with it. */
export const OP_RETURN = 12;
/** builtin, arguments: arguments → result. */
export const OP_BUILTIN = 13;
/** leaf call, checked: operands → result; if checked is 1, a failure ends the flow and there is no result. */
export const OP_LEAF = 14;
/** name: record → field. */
export const OP_FIELD = 15;
/** name: record, value → */
export const OP_SET_FIELD = 16;
/** list, index → element. */
export const OP_INDEX = 17;
/** list, index, value → */
export const OP_SET_INDEX = 18;
/** shape: values → record. */
export const OP_RECORD = 19;
/** count: values → list. */
export const OP_LIST = 20;
/** target: condition → condition if false, and goes on there; else nothing. */
export const OP_AND = 21;
/** target: condition → condition if true, and goes on there; else nothing. */
export const OP_OR = 22;
/** a → !a */
export const OP_NOT = 23;
/** a → -a */
export const OP_NEGATE = 24;
/** a → ~a */
export const OP_COMPLEMENT = 25;
/** count: values → text of all. */
export const OP_CONCATENATE = 26;
/** arguments: function, arguments → result. */
export const OP_CALL_VALUE = 27;
/** target, slot: goes on there if the list in slot has no element number slot+1; → the element. */
export const OP_NEXT_IN_LIST = 28;
/** slot: lp → ; runs on it from here on, the LP before goes to slot. */
export const OP_ENTER_LP = 29;
/** slot: back to the LP in slot. */
export const OP_LEAVE_LP = 30;
/** expectation: value → */
export const OP_EXPECT = 31;
/** expectation: a, b → */
export const OP_EXPECT_COMPARE = 32;
/** value → */
export const OP_LOG = 33;
/** value → */
export const OP_FAIL = 34;
/** slot: from, to, step → ; checks them and stores them in slot, slot+1, slot+2. */
export const OP_RANGE = 35;
/** function, handler or -1, arguments: tdvpr, arguments → */
export const OP_GUEST = 36;
/** function, name, arguments, with LP: lp if with LP, arguments → task. */
export const OP_SPAWN = 37;
/** task → */
export const OP_JOIN = 38;
/** Lets other tasks run. */
export const OP_YIELD = 39;
/** slot: lock → ; acquires it and keeps it in slot. */
export const OP_ACQUIRE = 40;
/** slot: releases the lock in slot. */
export const OP_RELEASE = 41;
/** a, b → a, b, a, b */
export const OP_DUPLICATE_TWO = 42;
/** a → a, a */
export const OP_DUPLICATE = 43;
/** place → ; where the next call of the module lets other tasks run. */
export const OP_PAUSE = 44;
/** Interrupts the LP: a guest that runs on it exits, and a call of the module there comes to its end before. */
export const OP_INTERRUPT = 45;

/** How many operands those operations have that have not one. */
const OPERANDS: Readonly<Record<number, number>> = {
  [OP_NEXT_IN_RANGE]: 2,
  [OP_POP]: 0,
  [OP_CALL]: 2,
  [OP_RETURN]: 0,
  [OP_BUILTIN]: 2,
  [OP_LEAF]: 2,
  [OP_INDEX]: 0,
  [OP_SET_INDEX]: 0,
  [OP_NOT]: 0,
  [OP_NEGATE]: 0,
  [OP_COMPLEMENT]: 0,
  [OP_NEXT_IN_LIST]: 2,
  [OP_LOG]: 0,
  [OP_FAIL]: 0,
  [OP_GUEST]: 3,
  [OP_SPAWN]: 4,
  [OP_JOIN]: 0,
  [OP_YIELD]: 0,
  [OP_DUPLICATE_TWO]: 0,
  [OP_DUPLICATE]: 0,
  [OP_PAUSE]: 0,
  [OP_INTERRUPT]: 0,
};
const LENGTHS = Uint8Array.from({ length: OP_INTERRUPT + 1 }, (_, operation) => 1 + (OPERANDS[operation] ?? 1));

/** Cells of the operation at `pc`, with its operands. */
export function lengthAt(code: Int32Array, pc: number): number {
  return LENGTHS[code[pc] as number] as number;
}

/** Binary operators by their number in OP_BINARY. */
export const OPERATORS = [
  "+",
  "-",
  "*",
  "/",
  "%",
  "<<",
  ">>",
  "&",
  "^",
  "|",
  "==",
  "!=",
  "<",
  "<=",
  ">",
  ">=",
] as const;
export type Operator = (typeof OPERATORS)[number];

export function isComparison(operator: string): operator is Operator {
  return ["==", "!=", "<", "<=", ">", ">="].includes(operator);
}

/** A local variable, and from where to where in the code it is in scope. */
export interface LocalVariable {
  readonly name: string;
  readonly slot: number;
  readonly from: number;
  readonly to: number;
}

export type FunctionKind = "main" | "function" | "guest" | "handler" | "task" | "test";

export interface FlowFunction {
  readonly index: number;
  readonly name: string;
  readonly kind: FunctionKind;
  readonly source: SourceFile;
  readonly span: Span;
  readonly parameters: readonly string[];
  /** Slots that its arguments go to: those of the parameters, or of the values that a block copies from around it. */
  readonly argumentSlots: readonly number[];
  readonly code: Int32Array;
  /** Slots of its locals, and of the deepest stack. */
  readonly locals: number;
  readonly depth: number;
  readonly variables: readonly LocalVariable[];
  /** Places of what can fail or be stopped in: code positions, ascending, and the text from which the code comes. */
  readonly positions: readonly CodePosition[];
}

export interface CodePosition extends Span {
  readonly pc: number;
}

/** A place where a flow can stop: the start of a statement. */
export interface FlowStatement extends Span {
  readonly id: number;
  readonly fn: number;
  readonly pc: number;
  readonly source: SourceFile;
  readonly line: number;
  readonly column: number;
}

/** A SEAMCALL or TDCALL: which number, and where its operands go, in the order in which they lie on the stack. */
export interface LeafCall {
  /** TDH.* or TDG.*; undefined for seamcall() and tdcall(), where RAX is an operand. */
  readonly name: string | undefined;
  readonly number: number;
  readonly guest: boolean;
  readonly operands: readonly LeafOperand[];
}

/** An expectation's text, and how to compare. */
export interface Expectation {
  readonly text: string;
  readonly operator: Operator | undefined;
  readonly fails: boolean;
  /** The value is what has the field "ok" that is meant. */
  readonly ok: boolean;
}

export interface GlobalVariable {
  readonly name: string;
  readonly source: SourceFile;
}

/** A `test` block: to run it, begin at its function instead of the program's entry. */
export interface FlowTest extends Span {
  readonly name: string;
  readonly fn: number;
  /** Line, from 1. */
  readonly line: number;
}

export interface FlowProgram {
  readonly sources: readonly SourceFile[];
  readonly functions: readonly FlowFunction[];
  readonly statements: readonly FlowStatement[];
  readonly constants: readonly Constant[];
  /** Field names and shapes (lists of field names) that code refers to by number. */
  readonly names: readonly string[];
  readonly shapes: readonly (readonly string[])[];
  readonly leafCalls: readonly LeafCall[];
  readonly expectations: readonly Expectation[];
  readonly globals: readonly GlobalVariable[];
  /** What each source offers by name, by its path. */
  readonly modules: ReadonlyMap<string, ModuleNames>;
  readonly platform: PlatformDescription;
  /** The `test` blocks of the flow's own file, in order. */
  readonly tests: readonly FlowTest[];
  /** The function where the flow begins. */
  readonly entry: number;
}
