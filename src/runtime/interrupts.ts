/**
 * What the host's other code does to an LP that runs a guest: it interrupts it. The guest exits for an external interrupt, the host's
 * code runs there, and the task that had entered the guest finds its TDH.VP.ENTER returned when it is its turn again.
 */
import { exitReasons } from "../arch/linux-constants.ts";
import { registerNames } from "../arch/registers.ts";
import { LP_GPR, LP_GUEST_TDVPR } from "../platform/lp.ts";
import { FIBER_PARTNER, FIBER_STATE, FIBER_WAITS_FOR, STATE_READY, VALUE_LOCK, VALUE_RETURNED } from "./fibers.ts";
import { FlowError } from "./flow-error.ts";
import { findGuest, leaveGuest } from "./guests.ts";
import type { SessionState } from "./session-state.ts";

/** The registers with which a TDH.VP.ENTER has returned, until its task takes them: the LP's own are others' by then. */
export class Returned {
  readonly words: Readonly<Uint32Array>;

  constructor(words: Readonly<Uint32Array>) {
    this.words = words;
  }

  stateKey(): string {
    return `returned:${this.words.join(",")}`;
  }
}

/** An interrupt arrives at the LP: the guest on it, if there is one, exits. */
export function interruptGuest(state: SessionState, lp: number): void {
  const { machine, store, fibers } = state;
  if (!machine.inGuest(lp)) return;
  const cell = machine.platform.lpCell(lp);
  const guest = findGuest(state, store.readNumber(cell + LP_GUEST_TDVPR));
  const task = guest < 0 ? -1 : fibers.read(guest, FIBER_PARTNER) - 1;
  if (task < 0) throw new FlowError(`LP ${lp} runs a guest that no task has entered`);
  const outcome = machine.guest(lp, { action: "vmexit", reason: exitReasons.EXIT_REASON_EXTERNAL_INTERRUPT });
  if (outcome.kind !== "exit") throw new FlowError(`the guest on LP ${lp} did not exit for an interrupt`);
  const words = new Uint32Array(registerNames.length * 2);
  store.load(cell + LP_GPR, words);
  fibers.writeValue(task, VALUE_RETURNED, new Returned(words));
  leaveGuest(state, task, guest);
  // What the guest waited for it asks for again when it is entered again.
  fibers.writeValue(task, VALUE_LOCK, undefined);
  fibers.write(task, FIBER_WAITS_FOR, 0);
  fibers.write(task, FIBER_STATE, STATE_READY);
}

/**
 * The task goes on behind a TDH.VP.ENTER that an interrupt has ended: its registers are the LP's again, and a guest that was entered
 * there meanwhile exits. False if there is none.
 */
export function takeReturned(state: SessionState, task: number): boolean {
  const returned = state.fibers.readValue(task, VALUE_RETURNED);
  if (!(returned instanceof Returned)) return false;
  interruptGuest(state, state.lpOf(task));
  state.machine.platform.writeGprs(state.lpOf(task), returned.words);
  state.fibers.writeValue(task, VALUE_RETURNED, undefined);
  return true;
}
