/**
 * Two calls at the same time: LP A stops at a step of one leaf, LP B runs the other as a whole, LP A goes on. What comes out must
 * be what one of the two orders gives, or one of them (or both) was busy and changed nothing.
 */
import { BLOCK_TAG_LP, BLOCK_TAG_PLATFORM } from "../../src/platform/blocks.ts";
import type { Host, Operands } from "./host.ts";
import { PAMT, PAMT_END } from "./host.ts";

export interface PlacedCall {
  readonly leaf: string;
  readonly operands: Operands;
  readonly lp: number;
}

interface Outcome {
  readonly status: readonly bigint[];
  /** Words that changed, with what they hold now. */
  readonly effects: string;
}

const OPERAND_BUSY = 0x8000_0200n;
const SYS_BUSY = 0x8000_0202n;

const isBusy = (status: bigint | undefined): boolean => {
  const code = (status ?? 0n) >> 32n;
  return code === OPERAND_BUSY || code === SYS_BUSY;
};

export class Interleaver {
  private readonly host: Host;
  private readonly start: number;

  /** From now on every run begins at the host's present state. */
  constructor(host: Host) {
    this.host = host;
    this.start = host.machine.store.mark();
  }

  /** What is wrong with the pair, one line for each step of `a` at which `b` gave something that neither order explains. */
  violations(a: PlacedCall, b: PlacedCall): string[] {
    const alone = { a: this.outcome(() => [this.run(a)]), b: this.outcome(() => [this.run(b)]) };
    const orders = [
      this.outcome(() => [this.run(a), this.run(b)]),
      this.outcome(() => [this.run(b), this.run(a)].reverse()),
    ];
    const lines: string[] = [];
    const { host } = this;
    for (let stop = 1; ; stop++) {
      let label: string | undefined;
      const { status, effects } = this.outcome(() => {
        const entry = host.begin(a.leaf, a.operands, a.lp);
        for (let i = 0; i < stop && entry.next !== undefined; i++) entry.step();
        label = entry.next;
        const other = this.run(b);
        while (entry.next !== undefined) entry.step();
        return [host.register("rax", a.lp), other];
      });
      if (label === undefined) return lines;
      const explained =
        orders.some((order) => String(order.status) === String(status) && order.effects === effects) ||
        (isBusy(status[0]) && isBusy(status[1]) && effects === "") ||
        (isBusy(status[0]) && status[1] === alone.b.status[0] && effects === alone.b.effects) ||
        (isBusy(status[1]) && status[0] === alone.a.status[0] && effects === alone.a.effects);
      if (!explained) lines.push(`before "${label}": ${status.map((rax) => rax.toString(16))}: ${effects}`);
    }
  }

  private run({ leaf, operands, lp }: PlacedCall): bigint {
    return this.host.call(leaf, operands, lp);
  }

  private outcome(work: () => readonly bigint[]): Outcome {
    const { machine } = this.host;
    machine.forgetEntries();
    machine.store.undo(this.start);
    return { status: work(), effects: this.effects() };
  }

  /** Without LPs and clock, which every call changes, and without the host-priority flags of the PAMT, which a busy call sets. */
  private effects(): string {
    const { store, platform } = this.host.machine;
    const before = new Map<number, number>();
    for (const change of store.changes(this.start)) {
      if ("cell" in change && !before.has(change.cell)) before.set(change.cell, change.old);
    }
    const words: string[] = [];
    for (const [cell, old] of [...before].sort(([a], [b]) => a - b)) {
      const tag = store.tagOf(cell);
      if (tag === BLOCK_TAG_PLATFORM || (tag >= BLOCK_TAG_LP && tag < BLOCK_TAG_LP + platform.lps)) continue;
      const hpa = platform.memory.hpaOf(cell);
      const isPamtLock = hpa !== undefined && hpa >= PAMT && hpa < PAMT_END && hpa % 16 === 12;
      const mask = isPamtLock ? ~2 : ~0;
      if ((store.read(cell) & mask) !== (old & mask)) words.push(`${(hpa ?? cell).toString(16)}=${store.read(cell)}`);
    }
    return words.join(" ");
  }
}
