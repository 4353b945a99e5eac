/** What replay needs of a machine besides SEAMCALLs. */
import type { GuestAction, GuestResult, InjectedEvent } from "../../module/guest/actions.ts";
import type { Entry, Machine } from "../../module/machine.ts";

export interface GuestSide {
  guest(lp: number, action: GuestAction): GuestResult;
  beginGuest(lp: number, action: GuestAction): Entry;
  /** How the LP's last guest action ended. */
  guestResult(lp: number): GuestResult;
  /** The event that the LP's last entry to the guest delivers. */
  injectedEvent(lp: number): InjectedEvent | undefined;
  reload(): void;
}

export type ReplayMachine = Machine & Partial<GuestSide>;
