/** MSRs of all LPs, as plain storage: each has a cell of the store from when it is first written. */
import { msrTable } from "../arch/generated/platform-cpu.ts";
import { BLOCK_WORDS, type Store } from "../state/store.ts";
import { BLOCK_TAG_LP } from "./blocks.ts";
import type { PlatformConfig } from "./config.ts";
import { msrsOfPlatform } from "./topology.ts";

/** Where an LP's next MSR gets its cell. */
interface Room {
  block: number;
  /** Words. */
  used: number;
  /** Blocks before this one. */
  number: number;
}

/** LPs have numbers below it, in the tags of their blocks. */
const LP_TAGS = 0x1000;

export class Msrs {
  private readonly store: Store;
  /** Cell of each MSR that has one, per LP; where a cell is, is not state. */
  private readonly cells: Map<number, number>[] = [];
  private readonly rooms: Room[] = [];
  /** The LP by the first cell of each block. */
  private readonly lps = new Map<number, number>();

  constructor(store: Store) {
    this.store = store;
  }

  /** Adds the next LP, with the values of its processor. */
  addLp(config: PlatformConfig): void {
    const lp = this.cells.length;
    this.cells.push(new Map());
    this.rooms.push({ block: this.allocate(lp, 0), used: 0, number: 0 });
    for (const { msr, value } of msrTable) {
      const [lo, hi] = value[lp] ?? value[0] ?? [0, 0];
      this.poke(lp, msr, lo, hi);
    }
    for (const [msr, lo, hi] of msrsOfPlatform(config)) this.poke(lp, msr, lo, hi);
  }

  /** 0 if it was never written. */
  read(lp: number, msr: number): bigint {
    const cell = this.cells[lp]?.get(msr);
    return cell === undefined ? 0n : this.store.readBig(cell);
  }

  write(lp: number, msr: number, value: bigint): void {
    this.store.writeBig(this.cell(lp, msr), value);
  }

  /** The MSR that a cell belongs to, and its value by halves. */
  at(
    cell: number,
  ): { readonly lp: number; readonly msr: number; readonly lo: number; readonly hi: number } | undefined {
    const lp = this.lps.get(cell - (cell % BLOCK_WORDS));
    if (lp === undefined) return undefined;
    for (const [msr, first] of this.cells[lp] as Map<number, number>) {
      if (cell !== first && cell !== first + 1) continue;
      return { lp, msr, lo: this.store.read(first), hi: this.store.read(first + 1) };
    }
    return undefined;
  }

  private poke(lp: number, msr: number, lo: number, hi: number): void {
    const cell = this.cell(lp, msr);
    this.store.poke(cell, lo);
    this.store.poke(cell + 1, hi);
  }

  private cell(lp: number, msr: number): number {
    const cells = this.cells[lp] as Map<number, number>;
    const known = cells.get(msr);
    if (known !== undefined) return known;
    const room = this.rooms[lp] as Room;
    if (room.used === BLOCK_WORDS) {
      room.number++;
      room.block = this.allocate(lp, room.number);
      room.used = 0;
    }
    const cell = room.block + room.used;
    room.used += 2;
    cells.set(msr, cell);
    return cell;
  }

  private allocate(lp: number, number: number): number {
    const block = this.store.allocate(BLOCK_TAG_LP + (number + 1) * LP_TAGS + lp);
    this.lps.set(block, lp);
    return block;
  }
}
