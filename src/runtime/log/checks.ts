/** Compares a machine with a log, entry by entry, and keeps the differences. */
import { RAX, RSP } from "../../arch/registers.ts";
import { formatU64 } from "../../arch/u64.ts";
import { GuestActionError, type GuestResult } from "../../module/guest/actions.ts";
import type { Machine } from "../../module/machine.ts";
import type { Mask, Outcome } from "./format.ts";
import type { LpRegisters } from "./lp-registers.ts";
import { MaskedMemory } from "./masked-memory.ts";
import type { Mismatch } from "./mismatch.ts";
import { compareResult, eventText, maskedRegisters, type RegisterFile, registerFile, setRegisters } from "./outcome.ts";
import { bringOut, exitAsSeen } from "./unseen-guest.ts";

const NO_REGISTERS = {};

export class Checks {
  readonly mismatches: Mismatch[] = [];
  /** Where differences are found now. */
  line = 1;
  leaf = "";
  private readonly machine: Machine;
  private readonly registers: readonly LpRegisters[];
  private readonly limit: number;
  private readonly masked = new MaskedMemory();
  private readonly expected = registerFile();
  /** The log has told of a guest: it is no capture that only a host could make (unseen-guest.ts). */
  private seesGuests = false;

  /** @param limit differences to keep */
  constructor(machine: Machine, registers: readonly LpRegisters[], limit: number) {
    this.machine = machine;
    this.registers = registers;
    this.limit = limit;
  }

  readonly report = (what: string, expected: string, got: string): void => {
    if (this.mismatches.length < this.limit)
      this.mismatches.push({ line: this.line, leaf: this.leaf, what, expected, got });
  };

  /** After a SEAMCALL that the log lets return: the LP's registers are `expected`. */
  returned(lp: number, expected: RegisterFile, skip: number): boolean {
    if (!this.machine.inGuest(lp)) return this.compare(lp, expected, skip);
    return this.left(lp, expected, skip);
  }

  /** A guest was entered, but the log goes on with the host: it never sees guests, or this should not have been. */
  private left(lp: number, expected: RegisterFile, skip: number): boolean {
    const { machine } = this;
    const registers = this.registers[lp] as LpRegisters;
    if (!this.seesGuests && exitAsSeen(machine, lp, registers, expected)) return this.compare(lp, expected, skip);
    const rax = formatU64(expected[2 * RAX] as number, expected[2 * RAX + 1] as number);
    this.report("result", `rax ${rax}`, "the guest was entered");
    if (machine.inGuest(lp)) bringOut(machine, lp);
    return false;
  }

  /** After a SEAMCALL: it has returned (`out`), or a guest runs (`enter`). */
  host(lp: number, outcome: Outcome, input: RegisterFile, mask: Mask | undefined): boolean {
    const { machine, expected } = this;
    if (outcome.enter === undefined) {
      expected.set(input);
      setRegisters(expected, outcome.out ?? NO_REGISTERS, this.line);
      return this.returned(lp, expected, maskedRegisters(mask));
    }
    this.seesGuests = true;
    if (!machine.inGuest(lp)) {
      this.report("result", "the guest is entered", `rax 0x${machine.platform.readGpr(lp, RAX).toString(16)}`);
      return false;
    }
    const { inject = "", ...registers } = outcome.enter;
    expected.fill(0);
    setRegisters(expected, registers, this.line);
    // The guest's stack pointer is in no log.
    const same = this.compare(lp, expected, maskedRegisters(mask) | (1 << RSP));
    const event = eventText(machine.injectedEvent(lp));
    if (event === inject) return same;
    this.report("inject", inject || "none", event || "none");
    return false;
  }

  /** After a guest action: its result, and the registers of whoever runs on the LP now. */
  guest(lp: number, outcome: Outcome, result: GuestResult, input: RegisterFile, mask: Mask | undefined): boolean {
    const { expected } = this;
    this.seesGuests = true;
    if (!compareResult(outcome, result, this.report)) {
      if (outcome.exit !== undefined && this.machine.inGuest(lp)) bringOut(this.machine, lp);
      return false;
    }
    if (outcome.exit !== undefined) {
      expected.fill(0);
      setRegisters(expected, outcome.exit, this.line);
    } else {
      expected.set(input);
      setRegisters(expected, outcome.resume ?? NO_REGISTERS, this.line);
    }
    return this.compare(lp, expected, outcome.ok ? 0 : maskedRegisters(mask));
  }

  /** What was read at an HPA, or at a GPA plus GUEST_MEMORY, is what the log has. */
  memory(address: number, hex: string, got: Uint8Array, mask: Mask | undefined): boolean {
    return this.masked.compare(address, hex, got, mask, this.report);
  }

  /** After a difference the log may have a guest act that does not run here: another difference, and no defect. */
  unlessImpossible(act: () => boolean): boolean {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof GuestActionError)) throw error;
      this.report("result", "a guest action", error.message);
      return false;
    }
  }

  private compare(lp: number, expected: RegisterFile, skip: number): boolean {
    return (this.registers[lp] as LpRegisters).compare(expected, skip, this.report);
  }
}
