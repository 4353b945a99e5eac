/**
 * What run control asks of the thing that it controls: a flow that runs on a machine. Time moves in *units*, from where one
 * statement of a flow begins to where the next one does; each ends with a mark of the store. Inside a unit there are finer
 * places: before and after each call of the TDX module, and before each step inside it. Equal states move equally: the same
 * unit from the same state goes through the same places to the same next state.
 */
import type { Machine } from "../module/machine.ts";
import type { SessionState } from "../runtime/session-state.ts";
import type { Store } from "../state/store.ts";
import type { NextUnit } from "./next-unit.ts";

/** Before a statement of a flow. */
export const AT_STATEMENT = 0;
/** A leaf function's operands are in the registers, and the call comes next. */
export const AT_CALL = 1;
/** Inside a statement: behind a call, or where a task waits. */
export const IN_STATEMENT = 2;
/** Inside a leaf function, before a module step. */
export const IN_LEAF = 3;
/** Nothing is left to run, or what is left cannot run. */
export const ENDED = 4;
export type PlaceKind = typeof AT_STATEMENT | typeof AT_CALL | typeof IN_STATEMENT | typeof IN_LEAF | typeof ENDED;

/** How a call of the module ended: the status as the LP sees it. */
export interface Outcome {
  readonly lp: number;
  /** Number of the leaf, TDCALLs from GUEST_LEAF on. */
  readonly callee: number;
  /** Bits 63:32 and 31:0 of RAX. */
  readonly hi: number;
  readonly lo: number;
  /** TDH.VP.ENTER has returned from a guest that ran. */
  readonly isTdExit: boolean;
}

/** Why a flow cannot go on. */
export interface Failure {
  /** A failed `expect`, tasks that wait for each other, `bug(…)`, or any other error that nothing in the flow took care of. */
  readonly kind: "expect" | "deadlock" | "bug" | "error";
  readonly message: string;
  /** What usually helps, where that is known. */
  readonly hint: string;
  /** Path of the source; line and column from 1. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The value of an expression of the flow language, or why it has none. */
export type Evaluation = { readonly value: unknown } | { readonly error: string };

/** What is to stop a run on its way. */
export interface Watch {
  /** A byte for each statement: 1 stops before it. */
  readonly statements: Readonly<Uint8Array>;
  /** The run stops where a task has at most so many frames; -1: nowhere. */
  readonly depth: number;
  /** The run stops where another task goes on. */
  readonly task?: number | undefined;
  /** A byte for each leaf: only about calls of those with a 1 `entry` is asked. Undefined: about all. */
  readonly leaves?: Readonly<Uint8Array> | undefined;
  /** Asked before each call of the module; the operands are in the registers. True stops. */
  readonly entry: ((callee: number) => boolean) | undefined;
  /** Whoever runs so goes back at once from where `entry` stops it. */
  readonly isProbe?: boolean;
  /** Asked after each call of the module. True stops. */
  readonly returned: ((outcome: Outcome) => boolean) | undefined;
  /** A byte for each leaf: without a 1 `returned` is asked about what is no plain success, and TD exits, only. Undefined: about all calls. */
  readonly returnedLeaves?: Readonly<Uint8Array> | undefined;
}

/** Why a run stopped: its units are done, a statement or depth that was watched for, inside a unit (`inside`), all is over. */
export type RunEnd = "done" | "watched" | "inside" | "ended";

export interface Debuggee {
  readonly store: Store;
  readonly machine: Machine;
  readonly runtime: { readonly state: SessionState };
  /** Mark of the store at which nothing has run yet. */
  readonly start: number;
  readonly place: PlaceKind;
  /** The task that moves next. */
  readonly task: number;
  /** Frames of that task's flow, guest code included; inside a leaf also those of the leaf. */
  readonly depth: number;
  /** As `depth`, of any task, leaves not counted. */
  depthOf(task: number): number;
  /** Frames below a depth, and where each goes on: the same for as long as nothing returns to them. */
  callers(task: number, depth: number): string;
  /** Where a task stands. */
  placeOf(task: number): PlaceKind;
  /** Code position of a task's frame; `level`: how many frames below the innermost one. */
  pcOf(task: number, level: number): number;
  nameOf(task: number): string;
  /** Why a task cannot go on just now, if it cannot: `waits for …`, `has ended`. */
  blocked(task: number): string | undefined;
  /** Whether a task's code has come to its end. */
  isDone(task: number): boolean;
  /** Another task is the one that moves next; the unit that is under way ends here. */
  choose(task: number): void;
  /** AT_STATEMENT: the task had its turn here already, and another one was chosen. */
  readonly isPassedOver: boolean;
  /** Before or behind a call: number of the statement that makes it; -1 if there is none. */
  readonly callStatement: number;
  /** AT_STATEMENT: number of the statement in the program. Else -1. */
  readonly statement: number;
  /** AT_CALL, IN_LEAF: number of the leaf, TDCALLs from GUEST_LEAF on. Else -1. */
  readonly callee: number;
  /** IN_LEAF: trace of the step that comes next (module/step.ts). Else empty. */
  readonly trace: string;
  /** IN_STATEMENT behind a call: how it ended. */
  readonly outcome: Outcome | undefined;
  /** ENDED: why, if not because the flow came to its end. */
  readonly failure: Failure | undefined;

  /** Cell that counts the warnings of the host's own checks, and what the latest said. */
  readonly warningCell: number;
  readonly warning: string;

  /** Runs up to so many units from a place between units. After "inside" the store stands in the middle of a unit, with a mark. */
  run(units: number, watch: Watch): RunEnd;
  /** After "inside": how many places before and behind calls were passed in that unit, the last one included. */
  readonly asked: number;
  /** Moves to the next finer place. Returns false where that is the end of the unit. */
  fineStep(): boolean;
  /** As `asked`, by fine steps. */
  readonly passed: number;
  /** What the unit that comes next may do: rough and cheap. */
  readonly nextUnit: NextUnit;
  /**
   * The store has gone back to a place between units: whatever was kept beside it has to go. False if calls of the module
   * were open there that are not any more: to have them back, run again from where none was.
   */
  rewound(): boolean;
  /** Whether any task stands inside the module. */
  readonly isAnyInside: boolean;

  /**
   * Evaluates an expression at the present place, without side effects. `frame`: how many frames below the innermost one of the
   * task, which is the one that moves next if none is named.
   */
  evaluate(expression: string, frame?: number, task?: number): Evaluation;
  /** A value of the flow language as text. */
  show(value: unknown): string;
}
