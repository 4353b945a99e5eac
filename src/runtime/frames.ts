/** Frames and variables as a debugger shows them. */
import { placeOf, type SourceFile, type Span } from "../language/diagnostics.ts";
import type { FlowFunction } from "../language/flow-code.ts";
import { FIBER_DEPTH, FRAME_BASE, FRAME_LP, FRAME_PC } from "./fibers.ts";
import { placeInFunction, statementAt } from "./places.ts";
import type { SessionState } from "./session-state.ts";

export interface Variable {
  readonly name: string;
  /** Number among its frame's locals, or among the flow's globals. */
  readonly index: number;
  /** Slot of the store: what changes when the variable is assigned to. */
  readonly slot: number;
  readonly value: unknown;
}

export interface FlowFrame {
  /** Fiber and number of the frame in it, 0 being the outermost: the same frame has the same ones at each stop. */
  readonly fiber: number;
  readonly level: number;
  /** Guest code, on top of the TDH.VP.ENTER that entered it. */
  readonly guest: boolean;
  readonly fn: FlowFunction;
  readonly pc: number;
  readonly source: SourceFile;
  /** The statement that it is in, or that comes next. */
  readonly span: Span;
  readonly line: number;
  readonly column: number;
  readonly lp: number;
  /** The statement's id, if it is in or before one. */
  readonly statement: number | undefined;
  /** Slot of its first local. */
  readonly slots: number;
  /** The same among its fiber's locals, whatever slots those have in the store. */
  readonly base: number;
  /** The variables in scope, outer blocks first. */
  variables(): Variable[];
}

export function framesOf(state: SessionState, task: number): FlowFrame[] {
  const active = state.active(task);
  const frames: FlowFrame[] = [];
  for (const fiber of active === task ? [task] : [active, task]) {
    for (let level = state.fibers.read(fiber, FIBER_DEPTH) - 1; level >= 0; level--)
      frames.push(frameAt(state, task, fiber, level));
  }
  return frames;
}

function frameAt(state: SessionState, task: number, fiber: number, level: number): FlowFrame {
  const { store, program, fibers } = state;
  const frame = fibers.frame(fiber, level);
  const fn = state.functionOf(frame);
  const pc = store.read(frame + FRAME_PC);
  const span = placeInFunction(program, fn, pc, false);
  const slots = fibers.baseSlot(fiber, frame);
  const guest = state.isGuest(fiber);
  return {
    fiber,
    level,
    guest,
    fn,
    pc,
    source: fn.source,
    span,
    ...placeOf(fn.source, span.start),
    lp: guest ? state.lpOf(task) : store.read(frame + FRAME_LP),
    statement: statementAt(program, fn, pc)?.id,
    slots,
    base: store.read(frame + FRAME_BASE),
    variables: () =>
      fn.variables
        .filter((variable) => pc >= variable.from && pc < variable.to)
        .toSorted((a, b) => a.slot - b.slot)
        .map(({ name, slot }) => ({ name, index: slot, slot: slots + slot, value: store.readValue(slots + slot) })),
  };
}

/** Behind the last statement of a function, where none of its variables is in scope: where a flow stands that has ended. */
export function endFrame({ program }: SessionState, fn: number): FlowFrame {
  const ended = program.functions[fn] as FlowFunction;
  const { source, span, code } = ended;
  const end = span.start + source.text.slice(span.start, span.end).trimEnd().length;
  return {
    fiber: 0,
    level: 0,
    guest: false,
    fn: ended,
    pc: code.length,
    source,
    span: { start: end, end },
    ...placeOf(source, end),
    lp: 0,
    statement: undefined,
    slots: 0,
    base: 0,
    variables: () => [],
  };
}

export function globalsOf(state: SessionState): Variable[] {
  return state.program.globals.map(({ name }, index) => ({
    name,
    index,
    slot: state.globals + index,
    value: state.store.readValue(state.globals + index),
  }));
}
