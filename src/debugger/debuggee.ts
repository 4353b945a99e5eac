/**
 * What run control asks of the thing that it controls: a flow that runs on a machine. Time moves in *units*, from one
 * place where a flow can be looked at to the next; the smallest is a module step, and a SEAMCALL can be run as one unit or
 * be entered and stepped. Equal states move equally: the same unit from the same state gives the same next state.
 */
import type { Store } from "../state/store.ts";

/** Before a statement of a flow. */
export const AT_STATEMENT = 0;
/** A leaf function's operands are in the registers; the next unit is the call. */
export const AT_CALL = 1;
/** Inside a statement, behind a call or a function that has returned. */
export const IN_STATEMENT = 2;
/** Inside a leaf function, before a module step. */
export const IN_LEAF = 3;
/** Nothing is left to run, or what is left cannot run. */
export const ENDED = 4;
export type PlaceKind = typeof AT_STATEMENT | typeof AT_CALL | typeof IN_STATEMENT | typeof IN_LEAF | typeof ENDED;

/** How an entry to the module ended, if the last unit ended one: the status as the LP sees it. */
export interface Outcome {
  readonly lp: number;
  /** Number of the leaf, TDCALLs from GUEST_LEAF on; undefined for a TD exit that the guest did not ask for by a TDCALL. */
  readonly callee: number | undefined;
  /** Bits 63:32 and 31:0 of RAX. */
  readonly hi: number;
  readonly lo: number;
  /** A TD exit: TDH.VP.ENTER has returned to the host. */
  readonly isTdExit: boolean;
}

/** Why a flow cannot go on. */
export interface Failure {
  /** A failed `expect`, or any other error that nothing in the flow took care of. */
  readonly kind: "expect" | "error";
  readonly message: string;
  /** What usually helps, where that is known. */
  readonly hint?: string;
}

/** The value of an expression of the flow language, or why it has none. */
export type Evaluation = { readonly value: unknown } | { readonly error: string };

export interface Debuggee {
  readonly store: Store;
  readonly place: PlaceKind;
  /** The task that moves next. */
  readonly task: number;
  /** Frames of that task's flow, guest code included; inside a leaf also those of the leaf. */
  readonly depth: number;
  /** AT_STATEMENT: number of the statement in the program. Else -1. */
  readonly statement: number;
  /** AT_CALL: number of the leaf, TDCALLs from GUEST_LEAF on. Else -1. */
  readonly callee: number;
  /** IN_LEAF: trace of the step that comes next (module/step.ts). */
  readonly trace: string;
  /** How the last unit that was run ended an entry to the module. Not known after going back. */
  readonly outcome: Outcome | undefined;
  /** Cheap and rough: whether the last unit, known or not, may have ended an entry to the module with something else than success. */
  readonly maybeFailed: boolean;
  /** ENDED: why, if not because the flow came to its end. */
  readonly failure: Failure | undefined;
  /** A value of the flow language as text. */
  show(value: unknown): string;
  /** Evaluates an expression at the present place, without side effects. `frame`: how many frames below the top one. */
  evaluate(expression: string, frame?: number): Evaluation;
  /** Runs to the next place outside the module: a SEAMCALL as a whole, the rest of one that was entered. Ends a step of the store. */
  unit(): void;
  /**
   * AT_CALL: enters the leaf and stands before its first step. IN_LEAF: one module step. At the leaf's end the unit ends.
   * Returns whether it still stands inside the leaf.
   */
  moduleStep(): boolean;
  /** The store has gone back to a mark: whatever was kept beside it has to go. */
  rewound(): void;
}
