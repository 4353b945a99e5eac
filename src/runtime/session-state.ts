/** What all parts of the runtime share: the program, the machine, and the flow's state in the store. */
import type { FlowFunction, FlowProgram } from "../language/flow-code.ts";
import { BLOCK_TAG_RUNTIME } from "../platform/blocks.ts";
import type { Store } from "../state/store.ts";
import {
  FIBER_DEPTH,
  FIBER_KIND,
  FIBER_PARTNER,
  FIBER_STANDS,
  Fibers,
  FRAME_FUNCTION,
  FRAME_LP,
  KIND_GUEST,
  STANDS_NOWHERE,
  STANDS_PASSED_OVER,
} from "./fibers.ts";
import { FlowError } from "./flow-error.ts";
import { FreePages } from "./free-pages.ts";
import { Heap } from "./heap.ts";
import type { RuntimeHooks } from "./hooks.ts";
import type { MachinePort } from "./machine-port.ts";

// Words of the runtime's own block.
const CURRENT_TASK = 0;
const FIBER_COUNT = 1;
const HEAP_TOP = 2; // number
/** State of the pseudo-random choice of tasks. */
export const SCHEDULE_RANDOM = 4;
/** Not 0: calls of the module are made step by step. Bit 0: tasks switch inside them; above it: pauses that wait for a call. */
export const STEPPED_CALLS = 5;
export const STEPPED_INTERLEAVE = 1;
export const STEPPED_PAUSE = 2;
/** The list of free pages (free-pages.ts). */
const FREE_PAGES = 6; // number
/** How often the host's own checks have warned. */
export const RUNTIME_WARNINGS = 8;
/** For each range that pages come from the next one that was never given out (numbers): the last words of the block. */
export const ALLOCATED = 16;

/** Tasks and guests that a flow can have had. */
export const MAX_FIBERS = 4096;

// Values of the runtime.
/** Text of the latest warning. */
export const VALUE_WARNING = 0;
const RUNTIME_VALUES = 1;

export class SessionState {
  readonly program: FlowProgram;
  readonly machine: MachinePort;
  readonly store: Store;
  readonly fibers: Fibers;
  readonly heap: Heap;
  readonly freePages: FreePages;
  readonly hooks: RuntimeHooks;
  /** First slot of the flow's global variables. */
  readonly globals: number;
  private readonly block: number;
  private readonly values: number;

  constructor(program: FlowProgram, machine: MachinePort, hooks: RuntimeHooks) {
    this.program = program;
    this.machine = machine;
    this.store = machine.store;
    this.hooks = hooks;
    this.block = this.store.allocate(BLOCK_TAG_RUNTIME);
    this.values = this.store.allocateValues(RUNTIME_VALUES);
    this.globals = this.store.allocateValues(program.globals.length);
    this.fibers = new Fibers(this.store);
    this.heap = new Heap(this.store, this.block + HEAP_TOP);
    this.freePages = new FreePages(this.store, this.block + FREE_PAGES);
  }

  /** The store's cell of a word of the runtime's own block. */
  cell(word: number): number {
    return this.block + word;
  }

  read(word: number): number {
    return this.store.read(this.block + word);
  }

  write(word: number, value: number): void {
    this.store.write(this.block + word, value);
  }

  readNumber(word: number): number {
    return this.store.readNumber(this.block + word);
  }

  writeNumber(word: number, value: number): void {
    this.store.writeNumber(this.block + word, value);
  }

  readValue(value: number): unknown {
    return this.store.readValue(this.values + value);
  }

  writeValue(value: number, to: unknown): void {
    this.store.writeValue(this.values + value, to);
  }

  /** Number of the task that runs, or ran last. */
  get task(): number {
    return this.read(CURRENT_TASK);
  }

  set task(fiber: number) {
    this.write(CURRENT_TASK, fiber);
  }

  get fiberCount(): number {
    return this.read(FIBER_COUNT);
  }

  /** A new fiber: its words are 0, its values undefined. */
  newFiber(): number {
    const fiber = this.fiberCount;
    if (fiber >= MAX_FIBERS)
      throw new FlowError(
        `there are ${MAX_FIBERS} tasks and guests already`,
        "a loop that goes on spawning never ends",
      );
    this.write(FIBER_COUNT, fiber + 1);
    return fiber;
  }

  /** The fiber whose code runs for a task: its own, or that of the guest that it has entered. */
  active(task: number): number {
    const partner = this.fibers.read(task, FIBER_PARTNER);
    return partner === 0 ? task : partner - 1;
  }

  isGuest(fiber: number): boolean {
    return this.fibers.read(fiber, FIBER_KIND) === KIND_GUEST;
  }

  /** The innermost frame of a fiber; it must have one. */
  topFrame(fiber: number): number {
    return this.fibers.frame(fiber, this.fibers.read(fiber, FIBER_DEPTH) - 1);
  }

  functionOf(frame: number): FlowFunction {
    return this.program.functions[this.store.read(frame + FRAME_FUNCTION)] as FlowFunction;
  }

  /** Whether a task stands inside the module, between two steps of a call. */
  isInside(task: number): boolean {
    const stands = this.fibers.read(task, FIBER_STANDS);
    return stands !== STANDS_NOWHERE && stands < STANDS_PASSED_OVER;
  }

  /** The LP on which a task runs now. */
  lpOf(task: number): number {
    return this.store.read(this.topFrame(task) + FRAME_LP);
  }
}
