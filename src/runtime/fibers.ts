/**
 * Fibers: what runs code with frames of its own. A host task is one; so is the guest of each VCPU, which runs on top of the
 * task that entered it. Everything is in the store: a block of words for each fiber with its state and its frames, more blocks
 * when calls nest deep, and value slots for the frames' locals.
 */
import type { FlowFunction } from "../language/flow-code.ts";
import { BLOCK_TAG_RUNTIME } from "../platform/blocks.ts";
import { BLOCK_WORDS, type Store } from "../state/store.ts";
import { FlowError } from "./flow-error.ts";
import { SlotSpace } from "./heap.ts";

// Words of a fiber's first block, and what a fresh one's 0 means.
/** Task: STATE_*. */
export const FIBER_STATE = 0;
/** Number of frames. */
export const FIBER_DEPTH = 1;
export const FIBER_KIND = 2;
/** Host: the guest fiber that runs on top of it, plus 1. Guest: the task on top of which it runs, plus 1. */
export const FIBER_PARTNER = 3;
/** Guest: what its exception handler returns is the result of the instruction that got the exception. */
export const FIBER_REPLACES = 4;
/** Guest: HPA of its VCPU's TDVPR (number). */
export const FIBER_TDVPR = 6;
/** Guest: an instruction exited to the host and completes with the registers of the next entry. */
export const FIBER_COMPLETES = 8;
/** Guest: function of its exception handler, plus 1. */
export const FIBER_HANDLER = 9;
/** Guest: it has told the machine that it runs in 64-bit mode. */
export const FIBER_LONG_MODE = 10;
/** Task: number of the fiber whose end it waits for, plus 1. */
export const FIBER_WAITS_FOR = 11;
/** Task: where it stands in the middle of a statement, STANDS_* or 1 + the steps that it has done in an open call of the module. */
export const FIBER_STANDS = 12;
/** Task: before the next step of its open call another task goes on. */
export const FIBER_SWITCHES = 13;

// Values of a fiber.
export const VALUE_NAME = 0;
export const VALUE_FAILURE = 1;
/** The lock that the task waits for. */
export const VALUE_LOCK = 2;
/** Where its next call of the module is to let the others run (stepped-calls.ts). */
export const VALUE_PAUSE = 3;
/** Task: the registers with which its TDH.VP.ENTER has returned while others ran (interrupts.ts). */
export const VALUE_RETURNED = 4;
const FIBER_VALUES = 5;
/** Store tag of the first fiber's values: above those of any space of slots. */
const FIBER_VALUES_TAG = 2 ** 31;

export const STATE_READY = 1;
export const STATE_DONE = 2;
export const STATE_FAILED = 3;
export const STATE_WAITS_FOR_TASK = 4;
export const STATE_WAITS_FOR_LOCK = 5;

/** Nowhere special: at a statement, or before a call about which whoever drives the run was asked. */
export const STANDS_NOWHERE = 0;
/** At a statement before which it had its turn already: another task was chosen there. */
export const STANDS_PASSED_OVER = 0xffff_fffd;
/** Nobody was asked yet about a call that comes right here. */
export const STANDS_UNASKED = 0xffff_fffe;
/** Its call of the module has ended, and the flow has not taken the result yet. */
export const STANDS_BEHIND = 0xffff_ffff;

export const KIND_HOST = 0;
export const KIND_GUEST = 1;

// Words of a frame.
export const FRAME_FUNCTION = 0;
export const FRAME_PC = 1;
/** Address of its first slot. */
export const FRAME_BASE = 2;
/** Values of its stack that lie in its slots, behind the locals. */
export const FRAME_SPILLED = 3;
export const FRAME_LP = 4;
const FRAME_WORDS = 8;

const CONTROL_WORDS = 32;
const FRAMES_IN_FIRST = (BLOCK_WORDS - CONTROL_WORDS) / FRAME_WORDS;
const FRAMES_PER_BLOCK = BLOCK_WORDS / FRAME_WORDS;
/** Frames that a fiber can have; deeper is taken for endless recursion. */
export const MAX_FRAMES = 10_000;
const TAGS_PER_FIBER = 4096;

/** What a fiber has in the store; which blocks those are is not state. */
interface Place {
  readonly blocks: number[];
  readonly slots: SlotSpace;
  readonly values: number;
}

export class Fibers {
  private readonly store: Store;
  private readonly places: Place[] = [];

  constructor(store: Store) {
    this.store = store;
  }

  private place(fiber: number): Place {
    for (let n = this.places.length; n <= fiber; n++) {
      const first = this.store.allocate(BLOCK_TAG_RUNTIME + 1 + n * TAGS_PER_FIBER);
      this.places.push({
        blocks: [first],
        slots: new SlotSpace(this.store, n + 1),
        values: this.store.allocateValues(FIBER_VALUES, FIBER_VALUES_TAG + n),
      });
    }
    return this.places[fiber] as Place;
  }

  read(fiber: number, word: number): number {
    return this.store.read((this.place(fiber).blocks[0] as number) + word);
  }

  write(fiber: number, word: number, value: number): void {
    this.store.write((this.place(fiber).blocks[0] as number) + word, value);
  }

  readNumber(fiber: number, word: number): number {
    return this.store.readNumber((this.place(fiber).blocks[0] as number) + word);
  }

  writeNumber(fiber: number, word: number, value: number): void {
    this.store.writeNumber((this.place(fiber).blocks[0] as number) + word, value);
  }

  readValue(fiber: number, value: number): unknown {
    return this.store.readValue(this.place(fiber).values + value);
  }

  writeValue(fiber: number, value: number, to: unknown): void {
    this.store.writeValue(this.place(fiber).values + value, to);
  }

  /** First cell of frame number `depth`, 0 being the outermost. */
  frame(fiber: number, depth: number): number {
    const { blocks } = this.place(fiber);
    if (depth < FRAMES_IN_FIRST) return (blocks[0] as number) + CONTROL_WORDS + depth * FRAME_WORDS;
    const index = depth - FRAMES_IN_FIRST;
    const block = 1 + Math.floor(index / FRAMES_PER_BLOCK);
    while (blocks.length <= block) {
      blocks.push(this.store.allocate(BLOCK_TAG_RUNTIME + 1 + fiber * TAGS_PER_FIBER + blocks.length));
    }
    return (blocks[block] as number) + (index % FRAMES_PER_BLOCK) * FRAME_WORDS;
  }

  /** The store's slot of the first local of a frame. */
  baseSlot(fiber: number, frame: number): number {
    return this.place(fiber).slots.slot(this.store.read(frame + FRAME_BASE));
  }

  /** The store's slot of an address among a fiber's locals. */
  slotAt(fiber: number, address: number): number {
    return this.place(fiber).slots.slot(address);
  }

  /** Pushes a frame for `fn` that starts on `lp`. Returns its cell. */
  push(fiber: number, fn: FlowFunction, below: FlowFunction | undefined, lp: number): number {
    const depth = this.read(fiber, FIBER_DEPTH);
    if (depth >= MAX_FRAMES) {
      throw new FlowError(`calls nest ${MAX_FRAMES} deep`, `"${fn.name}" calls itself without end`);
    }
    const size = fn.locals + fn.depth;
    if (size > SlotSpace.largest) throw new FlowError(`"${fn.name}" has more than ${SlotSpace.largest} variables`);
    let base = 0;
    if (depth > 0 && below !== undefined) {
      base = this.store.read(this.frame(fiber, depth - 1) + FRAME_BASE) + below.locals + below.depth;
    }
    const frame = this.frame(fiber, depth);
    this.store.write(frame + FRAME_FUNCTION, fn.index);
    this.store.write(frame + FRAME_PC, 0);
    this.store.write(frame + FRAME_BASE, SlotSpace.fit(base, size));
    this.store.write(frame + FRAME_SPILLED, 0);
    this.store.write(frame + FRAME_LP, lp);
    this.write(fiber, FIBER_DEPTH, depth + 1);
    return frame;
  }

  /** Gives a new frame its arguments: `count` values from `first` on. */
  passArguments(
    fiber: number,
    frame: number,
    fn: FlowFunction,
    values: readonly unknown[],
    first: number,
    count: number,
  ): void {
    const slots = this.baseSlot(fiber, frame);
    for (let i = 0; i < count; i++) this.store.writeValue(slots + (fn.argumentSlots[i] as number), values[first + i]);
  }

  /** Drops all frames. */
  clear(fiber: number, functionOf: (frame: number) => FlowFunction): void {
    for (let depth = this.read(fiber, FIBER_DEPTH) - 1; depth >= 0; depth--) {
      const frame = this.frame(fiber, depth);
      const fn = functionOf(frame);
      const base = this.baseSlot(fiber, frame);
      this.store.write(frame + FRAME_PC, 0);
      this.store.write(frame + FRAME_SPILLED, 0);
      for (let slot = base; slot < base + fn.locals + fn.depth; slot++) this.store.writeValue(slot, undefined);
    }
    this.write(fiber, FIBER_DEPTH, 0);
  }
}
