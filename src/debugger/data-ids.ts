/**
 * Data ids: texts that name what a data breakpoint watches. Bytes of memory are named by address, as they lie in other cells when the
 * run starts over; cells outside of it and value slots by number. Several are joined by "+".
 */
import type { Machine } from "../module/machine.ts";
import type { CellRange } from "./inspect/item.ts";

const WORD = 4;
const PART = /^(?:m:(0x[0-9a-f]+):(\d+)|c:(\d+):(\d+)|s:(\d+))$/;
const BETWEEN = "+";

/** What an id names, in a machine. */
export interface WatchedData {
  readonly cells: ReadonlySet<number>;
  readonly slots: ReadonlySet<number>;
}

export function memoryDataId(hpa: number, bytes: number): string {
  return `m:0x${hpa.toString(16)}:${bytes}`;
}

export function cellsDataId(machine: Machine, ranges: readonly CellRange[]): string {
  return ranges
    .map(([first, count]) => {
      const hpa = machine.platform.memory.hpaOf(first);
      return hpa === undefined ? `c:${first}:${count}` : memoryDataId(hpa, count * WORD);
    })
    .join(BETWEEN);
}

export function slotDataId(slot: number): string {
  return `s:${slot}`;
}

/** Whether it means the same in another run: an address does, and nothing else. */
export function outlastsRun(dataId: string): boolean {
  return PART.exec(dataId)?.[1] !== undefined;
}

/** Undefined where it names no data. */
export function resolveDataId(machine: Machine, dataId: string): WatchedData | undefined {
  const cells = new Set<number>();
  const slots = new Set<number>();
  for (const part of dataId.split(BETWEEN)) {
    const match = PART.exec(part);
    if (match === null) return undefined;
    const [, hpa, bytes, first, count, slot] = match;
    if (slot !== undefined) slots.add(Number(slot));
    for (let i = 0; i < Number(count ?? 0); i++) cells.add(Number(first) + i);
    if (hpa === undefined) continue;
    const start = Number(hpa) - (Number(hpa) % WORD);
    if (start + Number(bytes) > 2 ** machine.platform.addressBits) return undefined;
    for (let at = start; at < Number(hpa) + Number(bytes); at += WORD) cells.add(machine.platform.memory.cell(at));
  }
  return { cells, slots };
}
