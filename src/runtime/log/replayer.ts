/**
 * Runs a SEAMCALL log on a machine and compares every output that is not masked. A register that the log does not name as
 * an output must keep its value, so each call is a check of all 16 registers.
 */
import { type Entry, Machine } from "../../module/machine.ts";
import type { PlatformConfig } from "../../platform/config.ts";
import { Store } from "../../state/store.ts";
import { Checks } from "./checks.ts";
import { LogFormatError } from "./fields.ts";
import type { BeginOp, FinishOp, GuestOp, LogHeader, LogOp, ReadOp, Registers, SeamcallOp } from "./format.ts";
import { guestAction } from "./guest-action.ts";
import { parseHeader } from "./header.ts";
import { type LpRegisters, registersOf } from "./lp-registers.ts";
import { GUEST_MEMORY } from "./masked-memory.ts";
import type { Mismatch } from "./mismatch.ts";
import { type RegisterFile, registerFile, setRegisters } from "./outcome.ts";
import { parseOp } from "./parse.ts";
import { applyToPlatform } from "./platform-op.ts";
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

const DEFAULT_LIMIT = 100;
const ALL_LPS = -1;
const NO_BYTES = new Uint8Array();

interface NamedLeaf {
  readonly leaf: string;
  readonly tally: Tally;
}

/** A call that stands in the middle. */
interface Suspended {
  readonly entry: Entry;
  readonly input: RegisterFile;
  readonly leaf: string;
  readonly guest: boolean;
  /** It stands where the log says. */
  readonly fine: boolean;
}

/** A log on its way: runs the line that its scanner stands at. */
export class Replayer {
  readonly header: LogHeader;
  readonly machine: Machine;
  readonly byLeaf = new Map<string, Tally>();
  readonly scanner: LogScanner;
  readonly reads: Tally = { calls: 0, matches: 0 };
  calls = 0;
  matches = 0;
  seamcalls = 0;

  private readonly checks: Checks;
  /** By LP; undefined where the platform has none of that number. */
  private readonly lpRegisters: readonly (LpRegisters | undefined)[];
  private readonly tallies = new ByteKeys<NamedLeaf>((leaf) => ({ leaf, tally: this.tally(leaf) }));
  private readonly input = registerFile();
  private readonly expected = registerFile();
  private readonly kept = registerFile();
  /** What `begin` left for `finish`, by LP; undefined where it could not begin, which was counted. */
  private readonly suspended = new Map<number, Suspended | undefined>();

  /** @throws LogFormatError if the scanner does not stand at the header of a log */
  constructor(
    scanner: LogScanner,
    { mismatchLimit = DEFAULT_LIMIT, recording = false, createMachine }: ReplayOptions = {},
  ) {
    this.scanner = scanner;
    this.header = parseHeader(scanner.text());
    const { platform } = this.header;
    this.machine = createMachine?.(platform) ?? new Machine(new Store({ recording }), platform);
    const all = registersOf(this.machine);
    const { packageOf } = this.machine.platform;
    this.lpRegisters = all.map((registers, lp) => (packageOf[lp] === -1 ? undefined : registers));
    this.checks = new Checks(this.machine, all, mismatchLimit);
  }

  get mismatches(): readonly Mismatch[] {
    return this.checks.mismatches;
  }

  /**
   * Runs the line.
   *
   * @throws LogFormatError if the line is not what the format says; any other error is a defect of the machine
   */
  run(): void {
    const { scanner, input, expected } = this;
    this.checks.line = scanner.line;
    if (scanner.seamcall(input, expected)) this.call(scanner.call.lp, this.namedLeaf(), input, expected);
    else {
      const text = scanner.text();
      if (text !== "") this.perform(parseOp(text, scanner.line));
    }
  }

  /** Parses the line; the function that it returns runs it. For measuring the machine without the parsing. @throws LogFormatError */
  prepare(): () => void {
    const { scanner, checks } = this;
    const { line } = scanner;
    const input = registerFile();
    const expected = registerFile();
    if (scanner.seamcall(input, expected)) {
      const { lp } = scanner.call;
      const named = this.namedLeaf();
      return () => {
        checks.line = line;
        this.call(lp, named, input, expected);
      };
    }
    const op = parseOp(scanner.text(), line);
    return () => {
      checks.line = line;
      this.perform(op);
    };
  }

  private namedLeaf(): NamedLeaf {
    const { leafStart, leafEnd } = this.scanner.call;
    return this.tallies.get(this.scanner.bytes, leafStart, leafEnd);
  }

  /** A SEAMCALL that returns. */
  private call(lp: number, { leaf, tally }: NamedLeaf, input: RegisterFile, expected: RegisterFile): void {
    this.checks.leaf = leaf;
    this.entering(lp);
    this.machine.seamcall(lp, input);
    this.calls++;
    this.seamcalls++;
    tally.calls++;
    if (this.checks.returned(lp, expected, 0)) {
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
    switch (op.op) {
      case "seamcall":
        return this.seamcall(op);
      case "guest":
        return this.guest(op);
      case "begin":
        return this.begin(op);
      case "finish":
        return this.finish(op);
      case "read":
        return this.read(op);
      case "msr":
      case "cpuid":
        if (op.lp !== ALL_LPS) this.registers(op.lp);
        return applyToPlatform(this.machine, op);
      default:
        return applyToPlatform(this.machine, op);
    }
  }

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

  /** @throws LogFormatError if the platform has no such LP */
  private registers(lp: number): LpRegisters {
    const registers = this.lpRegisters[lp];
    if (registers !== undefined) return registers;
    const { packages } = this.header.platform;
    throw new LogFormatError(
      this.scanner.line,
      `the platform has no LP ${lp}; the header's packages list ${packages.flat().join(", ")}`,
    );
  }

  /** The registers of an LP that enters the module now. @throws LogFormatError if it stands in a call */
  private entering(lp: number): LpRegisters {
    if (this.suspended.size !== 0 && this.suspended.has(lp)) {
      throw new LogFormatError(this.scanner.line, `LP ${lp} stands in a call that was begun; its finish comes first`);
    }
    return this.registers(lp);
  }

  private seamcall(op: SeamcallOp): void {
    const { machine, input } = this;
    const { lp } = op;
    this.entering(lp);
    this.checks.leaf = op.fn;
    input.fill(0);
    setRegisters(input, op.in, this.scanner.line);
    const calls = op.repeat ?? 1;
    let matches = 0;
    for (let i = 0; i < calls; i++) {
      machine.seamcall(lp, input);
      if (this.checks.host(lp, op, input, op.mask)) matches++;
    }
    this.count(op.fn, calls, matches, true);
  }

  private read({ hpa, len, hex, mask }: ReadOp): void {
    this.checks.leaf = "read";
    const bytes = this.machine.platform.memory.readBytes(Number(hpa), len);
    this.reads.calls++;
    if (this.checks.memory(Number(hpa), hex, bytes, mask)) this.reads.matches++;
  }

  private guest(op: GuestOp): void {
    const { checks, input } = this;
    const { lp, mask } = op;
    checks.leaf = op.fn ?? `guest ${op.action}`;
    const registers = this.entering(lp);
    registers.save(this.kept);
    this.loadGuest(lp, op.in, input);
    const action = guestAction(op, this.scanner.line);
    const same = checks.unlessImpossible(() => {
      const result = this.machine.guest(lp, action);
      const read = op.ok && op.kind === "r" && result.kind === "ok";
      const isRead = !read || checks.memory(Number(op.gpa) + GUEST_MEMORY, op.hex ?? "", result.data ?? NO_BYTES, mask);
      const isSame = checks.guest(lp, op, result, input, mask) && isRead;
      // Registers that the log gives to an instruction without an exit are its own: the guest goes on with those it had.
      if (result.kind === "native") registers.load(this.kept, true);
      return isSame;
    });
    this.count(checks.leaf, 1, same ? 1 : 0, false);
  }

  /** Loads the guest's registers, if the log gives them, and keeps them in `file`. */
  private loadGuest(lp: number, given: Registers | undefined, file: RegisterFile): void {
    const registers = this.registers(lp);
    if (given !== undefined) {
      file.fill(0);
      setRegisters(file, given, this.scanner.line);
      registers.load(file, true);
    }
    registers.save(file);
  }

  private begin(op: BeginOp): void {
    const { lp, fn, hold } = op;
    this.checks.leaf = fn;
    this.entering(lp);
    const input = registerFile();
    const entry = this.open(op, input);
    if (entry === undefined) {
      this.count(fn, 1, 0, false);
      this.suspended.set(lp, undefined);
      return;
    }
    while (entry.next !== undefined && entry.call.acquisitions < hold.n) entry.step();
    const fine = entry.next !== undefined && entry.call.acquisitions === hold.n;
    if (!fine) {
      const got = `${entry.next === undefined ? "ended" : "stands"} after ${entry.call.acquisitions}`;
      this.checks.report("acquisitions", `${hold.n} (${hold.lock} ${hold.id ?? ""})`, got);
    }
    this.suspended.set(lp, { entry, input, leaf: fn, guest: op.action !== undefined, fine });
  }

  /** Starts what `begin` says; undefined if no guest runs that could. */
  private open(op: BeginOp, input: RegisterFile): Entry | undefined {
    const { machine } = this;
    const { lp, action } = op;
    if (action === undefined) {
      setRegisters(input, op.in ?? {}, this.scanner.line);
      this.registers(lp).load(input, false);
      return machine.beginSeamcall(lp);
    }
    this.loadGuest(lp, op.in, input);
    const guest = guestAction(op, this.scanner.line);
    let entry: Entry | undefined;
    this.checks.unlessImpossible(() => {
      entry = machine.beginGuest(lp, guest);
      return true;
    });
    return entry;
  }

  private finish(op: FinishOp): void {
    const { machine, checks } = this;
    const { lp, mask } = op;
    if (!this.suspended.has(lp)) throw new LogFormatError(this.scanner.line, `nothing was begun on LP ${lp}`);
    const begun = this.suspended.get(lp);
    this.suspended.delete(lp);
    if (begun === undefined) return;
    const { entry, input, leaf, guest, fine } = begun;
    checks.leaf = leaf;
    while (entry.next !== undefined) entry.step();
    const same = guest ? checks.guest(lp, op, machine.guestResult(lp), input, mask) : checks.host(lp, op, input, mask);
    this.count(leaf, 1, same && fine ? 1 : 0, !guest);
  }
}
