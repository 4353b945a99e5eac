/**
 * A machine that writes down everything that happens to it: each call of the module with its outputs, what guests do, and what
 * the host writes into memory in between. The log replays to the same outputs.
 */
import type { GuestAction, GuestResult } from "../../module/guest/actions.ts";
import { EXCEPTION_OR_NMI } from "../../module/guest/reasons.ts";
import { VMCS_EXIT_REASON, VMCS_VM_EXIT_INTERRUPTION_INFORMATION } from "../../module/layout.ts";
import { type Entry, Machine, type StepListener } from "../../module/machine.ts";
import type { PlatformConfig } from "../../platform/config.ts";
import type { HostChange } from "../../platform/platform.ts";
import type { Store } from "../../state/store.ts";
import { FlowError } from "../flow-error.ts";
import { type LpRegisters, registersOf } from "./lp-registers.ts";
import { type RegisterFile, registerFile } from "./outcome.ts";
import { LogWriter } from "./writer.ts";

const WORD_BYTES = 4;

/** A call that is made step by step. */
interface SteppedCall {
  readonly before: RegisterFile;
  /** What a guest does; undefined: a SEAMCALL. */
  readonly action: GuestAction | undefined;
  /** Locks that it had when something else happened meanwhile. */
  suspendedAt: number | undefined;
}

export class LoggedMachine extends Machine implements StepListener {
  private readonly writer: LogWriter;
  private readonly registers: readonly LpRegisters[];
  private readonly before = registerFile();
  private readonly after = registerFile();
  /** Mark of the store since which the host alone has written. */
  private since: number;
  /** By LP. */
  private readonly stepped: (SteppedCall | undefined)[] = [];
  /** A call is made that is written down as a whole. */
  private isWhole = false;

  /**
   * @param store has to record: the host's writes are read off its journal
   * @param name of the log
   * @param sink takes the log's lines, without their ends
   */
  constructor(store: Store, config: PlatformConfig, name: string, sink: (line: string) => void) {
    if (!store.recording) throw new RangeError("a store without a journal cannot tell what the host wrote");
    super(store, config);
    this.registers = registersOf(this);
    this.writer = new LogWriter(sink, config, name);
    this.since = store.mark();
  }

  override seamcall(lp: number, operands?: Readonly<Uint32Array>): void {
    if (operands !== undefined) this.platform.writeGprs(lp, operands);
    this.enterFrom(lp);
    this.whole(() => super.seamcall(lp));
    this.wroteSeamcall(lp, this.before, "seamcall");
  }

  override guest(lp: number, action: GuestAction): GuestResult {
    this.enterFrom(lp);
    const result = this.whole(() => super.guest(lp, action));
    this.wroteGuest(lp, this.before, action, "guest");
    return result;
  }

  private whole<T>(call: () => T): T {
    this.isWhole = true;
    try {
      return call();
    } finally {
      this.isWhole = false;
    }
  }

  // ---- calls that are made step by step: others may come between ----

  override beginSeamcall(lp: number): Entry {
    if (this.isWhole) return super.beginSeamcall(lp);
    this.enterFrom(lp);
    const before = this.before.slice();
    return this.follow(super.beginSeamcall(lp), { before, action: undefined, suspendedAt: undefined });
  }

  override beginGuest(lp: number, action: GuestAction): Entry {
    if (this.isWhole) return super.beginGuest(lp, action);
    this.enterFrom(lp);
    const before = this.before.slice();
    return this.follow(super.beginGuest(lp, action), { before, action, suspendedAt: undefined });
  }

  private follow(entry: Entry, call: SteppedCall): Entry {
    this.stepped[entry.call.lp] = call;
    entry.listener = this;
    this.moved(entry);
    return entry;
  }

  moves(): void {
    this.writeHost();
  }

  moved({ next, call: { lp } }: Entry): void {
    this.since = this.store.mark();
    const call = this.stepped[lp];
    if (next !== undefined || call === undefined) return;
    this.stepped[lp] = undefined;
    const isSuspended = call.suspendedAt !== undefined;
    if (call.action === undefined) this.wroteSeamcall(lp, call.before, isSuspended ? "finish" : "seamcall");
    else this.wroteGuest(lp, call.before, call.action, isSuspended ? "finish" : "guest");
  }

  /** Something else happens now: the calls that are under way stand where they are, behind their last lock. */
  private writeSuspended(): void {
    for (const [lp, call] of this.stepped.entries()) {
      const acquisitions = this.openEntry(lp)?.call.acquisitions;
      if (call === undefined || acquisitions === undefined || call.suspendedAt === acquisitions) continue;
      if (call.suspendedAt !== undefined) {
        throw new FlowError(
          `a SEAMCALL log cannot tell of a call that lets others run behind its lock ${call.suspendedAt} and again behind ${acquisitions}`,
          "run the flow without --log, or with another schedule",
        );
      }
      call.suspendedAt = acquisitions;
      this.writer.begin(lp, call.before, call.action && this.seen(lp, call.action), acquisitions);
    }
  }

  // ---- lines ----

  private wroteSeamcall(lp: number, before: RegisterFile, op: "seamcall" | "finish"): void {
    this.registers[lp]?.save(this.after);
    if (this.inGuest(lp)) this.writer.enter(op, lp, before, this.after, this.injectedEvent(lp));
    else this.writer.seamcall(op, lp, before, this.after);
    this.since = this.store.mark();
  }

  private wroteGuest(lp: number, before: RegisterFile, action: GuestAction, op: "guest" | "finish"): void {
    const result = this.guestResult(lp);
    this.registers[lp]?.save(this.after);
    this.writer.guest(op, lp, result.kind === "ok" ? action : this.seen(lp, action), before, result, this.after);
    this.since = this.store.mark();
  }

  /** An action that has led to a VM exit, as the log can tell it: poison is in no log, the machine check that it leads to is. */
  private seen(lp: number, action: GuestAction): GuestAction {
    const vmcs = this.calls[lp]?.vmcs;
    if (action.action !== "access" || vmcs === undefined) return action;
    const reason = this.store.read(vmcs + VMCS_EXIT_REASON);
    if (reason !== EXCEPTION_OR_NMI) return action;
    return { action: "vmexit", reason, interruption: this.store.read(vmcs + VMCS_VM_EXIT_INTERRUPTION_INFORMATION) };
  }

  /** Writes down what the host did since the last entry, and keeps the registers. */
  private enterFrom(lp: number): void {
    this.writeSuspended();
    this.writeHost();
    this.registers[lp]?.save(this.before);
  }

  private writeHost(): void {
    const addresses: number[] = [];
    /** By its text: a change of two words is one. */
    const changes = new Map<string, HostChange>();
    for (const cell of this.store.changedSince(this.since)) {
      const hpa = this.platform.memory.hpaOf(cell);
      if (hpa !== undefined) addresses.push(hpa);
      else {
        const change = this.platform.hostChange(cell);
        if (change !== undefined) changes.set(JSON.stringify(change), change);
      }
    }
    if (addresses.length > 0 || changes.size > 0) this.writeSuspended();
    for (const change of changes.values()) this.writer.change(change);
    addresses.sort((a, b) => a - b);
    for (let first = 0, next = 1; first < addresses.length; first = next++) {
      const start = addresses[first] as number;
      while (addresses[next] === start + (next - first) * WORD_BYTES) next++;
      this.writer.write(start, this.platform.memory.readBytes(start, (next - first) * WORD_BYTES));
    }
  }
}
