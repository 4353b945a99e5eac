/**
 * Data ids: texts that name what a data breakpoint watches. What lies in other cells when the run starts over is named as the flow
 * knows it: bytes of memory by address, a local variable by its function and place in the fiber, a field or element by its object.
 * Cells outside of memory and globals have numbers that stay. Several are joined by "+".
 */
import type { Machine } from "../module/machine.ts";
import { FIBER_DEPTH, FRAME_BASE } from "../runtime/fibers.ts";
import type { FlowFrame, Variable } from "../runtime/frames.ts";
import { type HeapPart, ListValue, RecordValue } from "../runtime/heap.ts";
import { MAX_FIBERS, type SessionState } from "../runtime/session-state.ts";
import type { Debuggee } from "./debuggee.ts";
import type { CellRange } from "./inspect/item.ts";

const WORD = 4;
const ALL_BITS = 0xffff_ffff;
const PART =
  /^(?:m:(0x[0-9a-f]{1,13}):(\d{1,9})|c:(\d{1,10}):(\d{1,9})|s:(\d{1,10})|v:(\d{1,4}):(\d{1,6}):(\d{1,8})|h:(\d{1,8}):(.+))$/;
const BETWEEN = "+";
/** Cells that one id can name: each of them is looked for in each step's journal. */
const MAX_CELLS = 1 << 20;

/** What an id names, in a machine. */
export interface WatchedData {
  /** Cells, with the bits of each that belong to it. */
  readonly cells: ReadonlyMap<number, number>;
  readonly slots: ReadonlySet<number>;
  /** Whether a local variable is there: its slot is another one's when its function is not at work. */
  readonly isThere?: () => boolean;
  /** A field or element, whose slots hold other things too. */
  readonly part?: (read: (slot: number) => unknown) => HeapPart;
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

/** Of a global, whose slot is the same in each run. */
export function slotDataId(slot: number): string {
  return `s:${slot}`;
}

export function localDataId({ fiber, fn, base }: FlowFrame, { index }: Variable): string {
  return `v:${fiber}:${fn.index}:${base + index}`;
}

/** Of a field or element; undefined where the value has no parts of its own. */
export function partDataId(value: unknown, key: string): string | undefined {
  const hasParts = value instanceof RecordValue || value instanceof ListValue;
  return hasParts ? `h:${value.address}:${encodeURIComponent(key)}` : undefined;
}

/** Whether it is a field or element, of which only changes are known. */
export function isPart(dataId: string): boolean {
  return dataId.startsWith("h:");
}

/** Whether it means the same in another run: an address does, and nothing else. */
export function outlastsRun(dataId: string): boolean {
  return PART.exec(dataId)?.[1] !== undefined;
}

/** Undefined where it names no data. */
export function resolveDataId({ machine, runtime }: Debuggee, dataId: string): WatchedData | undefined {
  const { state } = runtime;
  const cells = new Map<number, number>();
  const slots = new Set<number>();
  for (const part of dataId.split(BETWEEN)) {
    const match = PART.exec(part);
    if (match === null) return undefined;
    const [, hpa, bytes, first, count, slot, fiber, fn, address, object, key] = match;
    if (object !== undefined) return part === dataId ? heapPart(state, Number(object), key as string) : undefined;
    if (address !== undefined) {
      return part === dataId ? local(state, Number(fiber), Number(fn), Number(address)) : undefined;
    }
    if (slot !== undefined) slots.add(Number(slot));
    if (cells.size + Number(count ?? 0) + Number(bytes ?? 0) / WORD > MAX_CELLS) return undefined;
    for (let i = 0; i < Number(count ?? 0); i++) cells.set(Number(first) + i, ALL_BITS);
    if (hpa === undefined) continue;
    const end = Number(hpa) + Number(bytes);
    if (end > 2 ** machine.platform.addressBits) return undefined;
    for (let at = Number(hpa) - (Number(hpa) % WORD); at < end; at += WORD) {
      const cell = machine.platform.memory.cell(at);
      cells.set(cell, (cells.get(cell) ?? 0) | bitsOf(Number(hpa) - at, end - at));
    }
  }
  return { cells, slots };
}

/** The bits of a little-endian word that lie from one byte to before another. */
function bitsOf(from: number, to: number): number {
  const below = (byte: number): number => 2 ** (8 * Math.min(Math.max(byte, 0), WORD)) - 1;
  return below(to) - below(from);
}

function local(state: SessionState, fiber: number, fn: number, address: number): WatchedData | undefined {
  const { fibers, store, program } = state;
  if (program.functions[fn] === undefined || fiber >= MAX_FIBERS) return undefined;
  const isThere = (): boolean => {
    if (fiber >= state.fiberCount) return false;
    for (let level = fibers.read(fiber, FIBER_DEPTH) - 1; level >= 0; level--) {
      const frame = fibers.frame(fiber, level);
      if (store.read(frame + FRAME_BASE) <= address) return state.functionOf(frame).index === fn;
    }
    return false;
  };
  return { cells: new Map(), slots: new Set([fibers.slotAt(fiber, address)]), isThere };
}

function heapPart(state: SessionState, address: number, key: string): WatchedData | undefined {
  try {
    const name = decodeURIComponent(key);
    return { cells: new Map(), slots: new Set(), part: (read) => state.heap.part(address, name, read) };
  } catch {
    return undefined;
  }
}
