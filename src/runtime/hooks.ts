/** What drives the runtime can listen here, and have it stop. Nothing here changes what a flow does. */

/** A leaf that is about to be called or has just returned. */
export interface LeafEvent {
  /** Number of the task's fiber. */
  readonly task: number;
  readonly lp: number;
  readonly name: string;
  readonly guest: boolean;
  /** Number of the leaf, TDCALLs from GUEST_LEAF on. */
  readonly callee: number;
}

/** An instruction of a guest, other than TDCALL, that the machine is about to execute: it may fault, or exit. */
export interface GuestEvent {
  readonly task: number;
  readonly lp: number;
  /** Name of the builtin function: write64, cpuid, … */
  readonly name: string;
}

/** Callees from here on are TDCALLs. */
export const GUEST_LEAF = 0x1_0000;

export interface RuntimeHooks {
  /** Its operands are in the LP's registers. True: stop before the call is made. */
  leafEntry?: ((event: LeafEvent) => boolean) | undefined;
  /** A byte for each callee: `leafEntry` is called for those with a 1 only. Undefined: for all. */
  leaves?: Readonly<Uint8Array> | undefined;
  /**
   * Gets bits 63:32 and 31:0 of the status. True: stop as soon as it has returned. Guests' own instructions that exit are no leaf
   * of the host: they end its TDH.VP.ENTER.
   */
  leafReturn?: ((event: LeafEvent, hi: number, lo: number) => boolean) | undefined;
  /**
   * A byte for each callee: without a 1 `leafReturn` is called for what is no plain success only: failures, and TDH.VP.ENTER,
   * whose status says why the guest left. Undefined: for all calls.
   */
  returnedLeaves?: Readonly<Uint8Array> | undefined;
  /** From where `leafEntry` stops the store goes back at once: what one needs to go on from there is left out. */
  isProbe?: boolean;
  /** True: stop before the instruction is executed, as before a leaf. */
  guestEntry?: (event: GuestEvent) => boolean;
  /** Text of a `log` statement. */
  output?: (text: string, task: number) => void;
}

// Why the runtime stopped.
/** As many units as were asked for have run. */
export const STOP_BUDGET = 0;
/** The next statement is one to stop at. */
export const STOP_STATEMENT = 1;
/** A leaf is about to be called. */
export const STOP_LEAF = 2;
/** A leaf has returned and somebody wants to look. */
export const STOP_RETURNED = 3;
/** The frame depth is at most the wanted one. */
export const STOP_DEPTH = 4;
/** Another task than the wanted one goes on, or one stands inside the module. */
export const STOP_TASK = 5;
/** All tasks have ended. */
export const STOP_DONE = 6;
/** A task has failed: the flow is over. */
export const STOP_FAILED = 7;
export type StopReason = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

export interface RunLimits {
  /** A byte for each statement of the program (by id): not 0 to stop before it. */
  readonly statements?: Readonly<Uint8Array>;
  /** The last stop was behind a call: a leaf right there has not been asked about yet. */
  readonly asksAgain?: boolean;
  /** Stop where another task than this one goes on. */
  readonly task?: number | undefined;
  /** Stop where a task lets others run and stands inside the module. */
  readonly pauses?: boolean;
  /** Stop when the current task has at most so many frames, guest frames included. */
  readonly depth?: number;
}
