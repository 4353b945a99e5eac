/**
 * Runs a SEAMCALL log on a machine and compares every output that is not masked. A register that the log does not name as
 * an output must keep its value, so each call is a check of all 16 registers.
 */
import { RAX, RSP } from "../../arch/registers.ts";
import { GuestActionError, type GuestResult } from "../../module/guest/actions.ts";
import type { Entry } from "../../module/machine.ts";
import { Machine } from "../../module/machine.ts";
import type { PlatformConfig } from "../../platform/config.ts";
import { Store } from "../../state/store.ts";
import {
  type BeginOp,
  type FinishOp,
  type GuestOp,
  LogFormatError,
  type LogHeader,
  type LogOp,
  type Mask,
  type Outcome,
  parseHeader,
  parseOp,
  type SeamcallOp,
} from "./format.ts";
import { guestAction } from "./guest-action.ts";
import type { Mismatch } from "./mismatch.ts";
import {
  bytesOf,
  compareBytes,
  compareRegisters,
  compareResult,
  eventText,
  loadRegisters,
  maskedRegisters,
  type RegisterFile,
  registerFile,
  saveRegisters,
  setRegisters,
} from "./outcome.ts";
import { ByteKeys, type LogScanner } from "./scan.ts";

/** Calls of one leaf, or of one kind of guest action. */
export interface Tally {
  calls: number;
  matches: number;
}

export interface ReplayOptions {
  /** Differences to keep; the rest is only counted. Default 100. */
  readonly mismatchLimit?: number;
  /** False: no history is kept, which is faster. Results do not depend on it. Default false. */
  readonly recording?: boolean;
  /** Makes the machine to replay on; default: a fresh one that records as `recording` says. */
  readonly createMachine?: (platform: PlatformConfig) => Machine;
}

const NO_REGISTERS = {};

/** A log on its way: runs the line that its scanner stands at. */
export class Replayer {
  readonly header: LogHeader;
  readonly machine: Machine;
  readonly mismatches: Mismatch[] = [];
  readonly byLeaf = new Map<string, Tally>();
  readonly scanner: LogScanner;
  readonly reads: Tally = { calls: 0, matches: 0 };
  calls = 0;
  matches = 0;
  seamcalls = 0;

  private readonly limit: number;
  private leaf = "";
  private readonly tallies = new ByteKeys((leaf) => Object.assign(this.tally(leaf), { leaf }));
  private readonly input = registerFile();
  private readonly expected = registerFile();
  /** What `begin` left for `finish`, by LP. */
  private readonly suspended = new Map<
    number,
    { entry: Entry; input: RegisterFile; leaf: string; guest: boolean; fine: boolean }
  >();

  /** @throws LogFormatError if the scanner does not stand at the header of a log */
  constructor(scanner: LogScanner, { mismatchLimit = 100, recording = false, createMachine }: ReplayOptions = {}) {
    this.scanner = scanner;
    this.header = parseHeader(scanner.text());
    this.limit = mismatchLimit;
    const { platform } = this.header;
    this.machine = createMachine?.(platform) ?? new Machine(new Store({ recording }), platform);
  }

  /**
   * Runs the line.
   *
   * @throws LogFormatError if the line is not what the format says; any other error is a defect of the machine
   */
  run(): void {
    const { scanner, machine, input, expected } = this;
    if (!scanner.seamcall(input, expected)) {
      const text = scanner.text();
      if (text !== "") this.perform(parseOp(text, scanner.line));
      return;
    }
    const { lp, leafStart, leafEnd } = scanner.call;
    const tally = this.tallies.get(scanner.bytes, leafStart, leafEnd);
    this.leaf = tally.leaf;
    const lpCell = this.lpCell(lp);
    loadRegisters(machine.store, lpCell, input, false);
    machine.seamcall(lp);
    this.calls++;
    this.seamcalls++;
    tally.calls++;
    if (machine.inGuest(lp)) this.report("result", "returns", "entered the guest");
    else if (compareRegisters(machine.store, lpCell, expected, 0, this.report)) {
      this.matches++;
      tally.matches++;
    }
  }

  /** Counts what the line would have run, after a crash. */
  skip(): void {
    const text = this.scanner.text();
    if (text === "") return;
    const op = parseOp(text, this.scanner.line);
    if (op.op === "seamcall") this.count(op.fn, op.repeat ?? 1, 0, true);
    else if (op.op === "guest") this.count(op.fn ?? `guest ${op.action}`, 1, 0, false);
    else if (op.op === "begin") this.count(op.fn, 1, 0, op.action === undefined);
  }

  private perform(op: LogOp): void {
    const { platform } = this.machine;
    switch (op.op) {
      case "seamcall":
        this.seamcall(op);
        break;
      case "write":
        platform.memory.writeBytes(Number(op.hpa), bytesOf(op.hex, this.scanner.line));
        break;
      case "fill":
        platform.memory.fill(Number(op.hpa), op.byte, op.len);
        break;
      case "read":
        this.leaf = "read";
        this.reads.calls++;
        if (compareBytes(op.hex, platform.memory.readBytes(Number(op.hpa), op.len), op.mask, this.report))
          this.reads.matches++;
        break;
      case "intr":
        platform.setInterrupt(op.after, op.pending);
        break;
      case "inject":
        platform.inject(op.what, op.value);
        break;
      case "msr":
        for (const lp of this.lps(op.lp)) platform.wrmsr(lp, Number(op.msr), BigInt(op.value));
        break;
      case "cpuid":
        for (const lp of this.lps(op.lp)) {
          const { eax, ebx, ecx, edx } = op;
          platform.setCpuid(lp, Number(op.leaf), Number(op.subleaf), [
            Number(eax),
            Number(ebx),
            Number(ecx),
            Number(edx),
          ]);
        }
        break;
      case "tsc":
        platform.addTsc(Number(op.add));
        break;
      case "reload":
        this.machine.reload();
        break;
      case "guest":
        this.guest(op);
        break;
      case "begin":
        this.begin(op);
        break;
      case "finish":
        this.finish(op);
        break;
    }
  }

  private lps(lp: number): readonly number[] {
    return lp >= 0 ? [lp] : Array.from({ length: this.machine.platform.lps }, (_, i) => i);
  }

  private readonly report = (what: string, expected: string, got: string): void => {
    if (this.mismatches.length < this.limit)
      this.mismatches.push({ line: this.scanner.line, leaf: this.leaf, what, expected, got });
  };

  private count(leaf: string, calls: number, matches: number, isSeamcall: boolean): void {
    this.calls += calls;
    this.matches += matches;
    if (isSeamcall) this.seamcalls += calls;
    const tally = this.tally(leaf);
    tally.calls += calls;
    tally.matches += matches;
  }

  private tally(leaf: string): Tally {
    let tally = this.byLeaf.get(leaf);
    if (tally === undefined) {
      tally = { calls: 0, matches: 0 };
      this.byLeaf.set(leaf, tally);
    }
    return tally;
  }

  /** First cell of an LP's block. @throws LogFormatError if the platform has no such LP */
  private lpCell(lp: number): number {
    const { platform } = this.machine;
    if (!(lp >= 0 && lp < platform.lps)) throw new LogFormatError(this.scanner.line, `the platform has no LP ${lp}`);
    return platform.lpCell(lp);
  }

  private seamcall(op: SeamcallOp): void {
    const { machine, input } = this;
    const { lp } = op;
    const lpCell = this.lpCell(lp);
    this.leaf = op.fn;
    input.fill(0);
    setRegisters(input, op.in, this.scanner.line);
    const calls = op.repeat ?? 1;
    let matches = 0;
    for (let i = 0; i < calls; i++) {
      loadRegisters(machine.store, lpCell, input, false);
      machine.seamcall(lp);
      if (this.compareHost(lp, op, input, op.mask)) matches++;
    }
    this.count(op.fn, calls, matches, true);
  }

  /** After a SEAMCALL: it has returned (`out`), or a guest runs (`enter`). */
  private compareHost(lp: number, outcome: Outcome, input: RegisterFile, mask: Mask | undefined): boolean {
    const { machine, expected } = this;
    const lpCell = this.lpCell(lp);
    const entered = machine.inGuest(lp);
    if (entered !== (outcome.enter !== undefined)) {
      const status = machine.platform.readGpr(lp, RAX).toString(16);
      if (entered) this.report("result", `rax ${outcome.out?.rax}`, "entered the guest");
      else this.report("result", "enters the guest", `rax 0x${status}`);
      return false;
    }
    if (outcome.enter === undefined) {
      expected.set(input);
      setRegisters(expected, outcome.out ?? NO_REGISTERS, this.scanner.line);
      return compareRegisters(machine.store, lpCell, expected, maskedRegisters(mask), this.report);
    }
    const { inject = "", ...registers } = outcome.enter;
    expected.fill(0);
    setRegisters(expected, registers, this.scanner.line);
    let same = compareRegisters(machine.store, lpCell, expected, maskedRegisters(mask) | (1 << RSP), this.report);
    const event = eventText(machine.injectedEvent(lp));
    if (event !== inject) {
      this.report("inject", inject || "none", event || "none");
      same = false;
    }
    return same;
  }

  private guest(op: GuestOp): void {
    const { lp } = op;
    this.leaf = op.fn ?? `guest ${op.action}`;
    this.loadGuest(lp, op.in, this.input);
    const action = guestAction(op, this.scanner.line);
    const same = this.unlessImpossible(() =>
      this.compareGuest(lp, op, this.machine.guest(lp, action), this.input, op.mask),
    );
    this.count(this.leaf, 1, same ? 1 : 0, false);
  }

  /** After a difference the log may have a guest act that does not run here: another difference, and no defect. */
  private unlessImpossible(act: () => boolean): boolean {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof GuestActionError)) throw error;
      this.report("result", "a guest action", error.message);
      return false;
    }
  }

  /** Loads the guest's registers, if the log gives them, and keeps them in `file`. */
  private loadGuest(lp: number, registers: GuestOp["in"], file: RegisterFile): void {
    const { machine } = this;
    const lpCell = this.lpCell(lp);
    if (registers !== undefined) {
      file.fill(0);
      setRegisters(file, registers, this.scanner.line);
      loadRegisters(machine.store, lpCell, file, true);
    }
    saveRegisters(machine.store, lpCell, file);
  }

  private compareGuest(
    lp: number,
    outcome: Outcome,
    result: GuestResult,
    input: RegisterFile,
    mask: Mask | undefined,
  ): boolean {
    const { machine, expected } = this;
    const isMemory = outcome.ok !== undefined;
    if (!compareResult(outcome, result, mask, this.report)) return false;
    if (outcome.exit !== undefined) {
      expected.fill(0);
      setRegisters(expected, outcome.exit, this.scanner.line);
    } else {
      expected.set(input);
      setRegisters(expected, outcome.resume ?? NO_REGISTERS, this.scanner.line);
    }
    const skip = isMemory ? 0 : maskedRegisters(mask);
    // RDMSR and RDTSC that the processor does by itself change registers in a way that the log does not tell.
    return outcome.native === true || compareRegisters(machine.store, this.lpCell(lp), expected, skip, this.report);
  }

  private begin(op: BeginOp): void {
    const { machine } = this;
    const { lp, action } = op;
    this.leaf = op.fn;
    const input = registerFile();
    let entry: Entry | undefined;
    if (action === undefined) {
      setRegisters(input, op.in ?? NO_REGISTERS, this.scanner.line);
      loadRegisters(machine.store, this.lpCell(lp), input, false);
      entry = machine.beginSeamcall(lp);
    } else {
      this.loadGuest(lp, op.in, input);
      const guest = guestAction(op, this.scanner.line);
      this.unlessImpossible(() => {
        entry = machine.beginGuest(lp, guest);
        return true;
      });
      if (entry === undefined) {
        this.count(op.fn, 1, 0, false);
        return;
      }
    }
    while (entry.next !== undefined && entry.call.acquisitions < op.hold.n) entry.step();
    let fine = true;
    if (entry.next === undefined || entry.call.acquisitions !== op.hold.n) {
      fine = false;
      const got = `${entry.next === undefined ? "ended" : "stands"} after ${entry.call.acquisitions} acquisitions`;
      this.report("suspension", `acquisition ${op.hold.n} (${op.hold.lock} ${op.hold.id ?? ""})`, got);
    }
    this.suspended.set(lp, { entry, input, leaf: op.fn, guest: action !== undefined, fine });
  }

  private finish(op: FinishOp): void {
    const { lp } = op;
    const begun = this.suspended.get(lp);
    if (begun === undefined) return; // its guest could not begin, which was counted
    this.suspended.delete(lp);
    const { entry, input, guest } = begun;
    this.leaf = begun.leaf;
    while (entry.next !== undefined) entry.step();
    const same = guest
      ? this.compareGuest(lp, op, this.machine.guestResult(lp), input, op.mask)
      : this.compareHost(lp, op, input, op.mask);
    this.count(this.leaf, 1, same && begun.fine ? 1 : 0, !guest);
  }
}
