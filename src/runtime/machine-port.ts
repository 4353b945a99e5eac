/** What the runtime needs of the machine (module/machine.ts is one). */
import type { GuestAction, GuestResult } from "../module/guest/actions.ts";
import type { Platform } from "../platform/platform.ts";
import type { Store } from "../state/store.ts";

/** A call of the module that is run step by step. */
export interface ModuleEntry {
  /** Trace of the step that comes next (module/step.ts); undefined when the call has ended. */
  readonly next: string | undefined;
  /** Runs the next step; gives the trace of the one after it. */
  step(): string | undefined;
}

/** A guest action that is run step by step. */
export interface GuestEntry extends ModuleEntry {
  /** How it ended; undefined before. */
  readonly result: GuestResult | undefined;
}

export interface MachinePort {
  readonly store: Store;
  readonly platform: Platform;
  inGuest(lp: number): boolean;
  /** Runs a SEAMCALL from the LP's general registers to its end. */
  seamcall(lp: number): void;
  beginSeamcall(lp: number): ModuleEntry;
  /** The guest on the LP does something; its registers are the LP's. */
  guest(lp: number, action: GuestAction): GuestResult;
  beginGuest?(lp: number, action: GuestAction): GuestEntry;
  /** Drops calls that were being stepped: the store has gone back to before them. */
  forgetEntries(): void;
}
