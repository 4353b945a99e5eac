/** What the runtime needs of the machine (module/machine.ts is one). */
import type { GuestAction, GuestResult, InjectedEvent } from "../module/guest/actions.ts";
import type { Platform } from "../platform/platform.ts";
import type { Store } from "../state/store.ts";

/** A call of the module that is run step by step. */
export interface ModuleEntry {
  /** Trace of the step that comes next (module/step.ts); undefined when the call has ended. */
  readonly next: string | undefined;
  /** Successful lock acquisitions so far. */
  readonly call: { readonly acquisitions: number };
  /** Runs the next step; gives the trace of the one after it. */
  step(): string | undefined;
}

export interface MachinePort {
  readonly store: Store;
  readonly platform: Platform;
  /** Whether no LP stands inside the module. */
  readonly quiescent: boolean;
  inGuest(lp: number): boolean;
  /** Runs a SEAMCALL to its end: from the LP's general registers, or with `operands` in them (low and high half of each). */
  seamcall(lp: number, operands?: Readonly<Uint32Array>): void;
  beginSeamcall(lp: number): ModuleEntry;
  /** The guest on the LP does something; its registers are the LP's. */
  guest(lp: number, action: GuestAction): GuestResult;
  /** As `guest`, stepped. */
  beginGuest(lp: number, action: GuestAction): ModuleEntry;
  /** How the LP's last guest action ended. */
  guestResult(lp: number): GuestResult;
  /** The event that the last entry to the guest on the LP delivers. */
  injectedEvent(lp: number): InjectedEvent | undefined;
  /** The call in which the LP stands, between two of its steps. */
  openEntry(lp: number): ModuleEntry | undefined;
  /** The store has gone back: calls that have moved since are no longer open. */
  rewound(): void;
}
