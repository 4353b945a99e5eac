/**
 * A machine that writes down everything that happens to it: each call of the module with its outputs, what guests do, and what
 * the host writes into memory in between. The log replays to the same outputs.
 */
import { RAX, RCX, RDX } from "../../arch/registers.ts";
import type { GuestAction, GuestResult } from "../../module/guest/actions.ts";
import { Machine } from "../../module/machine.ts";
import type { PlatformConfig } from "../../platform/config.ts";
import type { Store } from "../../state/store.ts";
import { type LpRegisters, registersOf } from "./lp-registers.ts";
import { registerFile } from "./outcome.ts";
import { LogWriter } from "./writer.ts";

const WORD_BYTES = 4;

export class LoggedMachine extends Machine {
  private readonly writer: LogWriter;
  private readonly registers: readonly LpRegisters[];
  private readonly before = registerFile();
  private readonly after = registerFile();
  /** Mark of the store since which the host alone has written. */
  private since: number;

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
    super.seamcall(lp);
    this.registers[lp]?.save(this.after);
    if (this.inGuest(lp)) this.writer.enter(lp, this.before, this.after, this.injectedEvent(lp));
    else this.writer.seamcall(lp, this.before, this.after);
    this.since = this.store.mark();
  }

  override guest(lp: number, action: GuestAction): GuestResult {
    this.enterFrom(lp);
    const result = super.guest(lp, action);
    this.registers[lp]?.save(this.after);
    this.writer.guest(lp, action, this.before, result, this.after);
    if (result.kind === "native" && action.action === "wrmsr") {
      const low = (register: number): number => this.before[2 * register] as number;
      this.writer.msr(lp, low(RCX), low(RAX), low(RDX));
    }
    this.since = this.store.mark();
    return result;
  }

  /** Writes down what the host did since the last entry, and keeps the registers. */
  private enterFrom(lp: number): void {
    const addresses: number[] = [];
    for (const cell of this.store.changedSince(this.since)) {
      const hpa = this.platform.memory.hpaOf(cell);
      if (hpa !== undefined) addresses.push(hpa);
    }
    addresses.sort((a, b) => a - b);
    for (let first = 0, next = 1; first < addresses.length; first = next++) {
      const start = addresses[first] as number;
      while (addresses[next] === start + (next - first) * WORD_BYTES) next++;
      this.writer.write(start, this.platform.memory.readBytes(start, (next - first) * WORD_BYTES));
    }
    this.registers[lp]?.save(this.before);
  }
}
