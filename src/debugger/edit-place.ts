/**
 * Where a value lies that a person can change. A place is told by what the flow knows it as, not by cells of the store: an edit
 * is done again whenever the run comes by, also after it has started over, when the same things lie in other cells.
 */
import { registerNames } from "../arch/registers.ts";
import { fromBig, highHalf, type Integer, lowHalf, Status } from "../language/values.ts";
import { LP_GPR } from "../platform/lp.ts";
import { FIBER_DEPTH, FRAME_PC } from "../runtime/fibers.ts";
import { FlowError } from "../runtime/flow-error.ts";
import type { ListValue, RecordValue } from "../runtime/heap.ts";
import { LeafResult } from "../runtime/leaf-result.ts";
import { returnedSlot, setOperandRegister, setOperands } from "../runtime/operands.ts";
import { AT_CALL, IN_LEAF } from "./debuggee.ts";
import type { FlowDebuggee } from "./flow-debuggee.ts";

/** An edit that cannot be: its message is for a person. */
export class EditError extends Error {}

export interface EditPlace {
  /** What a person calls it. */
  readonly name: string;
  /** What it holds. Throws an EditError where there is no such place now. */
  read(debuggee: FlowDebuggee): unknown;
  /** Throws an EditError, and changes nothing, for a value that does not fit. */
  write(debuggee: FlowDebuggee, value: unknown): void;
  /** How its values are written where that is not as expressions: states by name, byte strings. */
  readonly form?: {
    /** Undefined: the text is an expression. Throws an EditError for what can be neither. */
    parse(text: string): unknown;
    show(value: unknown): string;
  };
}

/** A place that is one value slot of the store. */
function slotPlace(name: string, slotOf: (debuggee: FlowDebuggee) => number): EditPlace {
  return {
    name,
    read: (debuggee) => debuggee.store.readValue(slotOf(debuggee)),
    write: (debuggee, value) => debuggee.store.writeValue(slotOf(debuggee), value),
  };
}

/** A local variable: of which frame, and number `nth` of that name in scope there, outer ones first. */
export function localPlace(name: string, fiber: number, level: number, nth: number): EditPlace {
  return slotPlace(name, ({ runtime: { state }, store }) => {
    const exists = fiber < state.fiberCount && level < state.fibers.read(fiber, FIBER_DEPTH);
    const frame = exists ? state.fibers.frame(fiber, level) : 0;
    const pc = exists ? store.read(frame + FRAME_PC) : 0;
    const variables = exists ? state.functionOf(frame).variables : [];
    const inScope = variables.filter((variable) => variable.name === name && pc >= variable.from && pc < variable.to);
    const slot = inScope.toSorted((a, b) => a.slot - b.slot)[nth]?.slot;
    if (slot === undefined) throw new EditError(`there is no variable "${name}" here`);
    return state.fibers.baseSlot(fiber, frame) + slot;
  });
}

export function globalPlace(name: string, path: string): EditPlace {
  return slotPlace(name, ({ runtime: { state }, program }) => {
    const index = program.globals.findIndex((global) => global.name === name && global.source.path === path);
    if (index < 0) throw new EditError(`there is no variable "${name}" here`);
    return state.globals + index;
  });
}

export function fieldPlace(name: string, record: RecordValue, field: string): EditPlace {
  return {
    name,
    read: ({ runtime }) => runtime.state.heap.fields(record).get(field),
    write: ({ runtime }, value) => runtime.state.heap.setField(record, field, value),
  };
}

export function elementPlace(name: string, list: ListValue, index: number): EditPlace {
  const check = ({ runtime }: FlowDebuggee): void => {
    const length = runtime.state.heap.length(list);
    if (index >= length) throw new EditError(`index ${index} is past the end of a list of ${length}`);
  };
  return {
    name,
    read: (debuggee) => {
      check(debuggee);
      return debuggee.runtime.state.heap.element(list, index);
    },
    write: (debuggee, value) => {
      check(debuggee);
      debuggee.runtime.state.heap.setElement(list, index, value);
    },
  };
}

/** A part of a leaf's result, which is replaced as a whole: the status, an output or a register. */
export function resultFieldPlace(name: string, result: EditPlace, field: string): EditPlace {
  const resultOf = (debuggee: FlowDebuggee): LeafResult => {
    const value = result.read(debuggee);
    if (value instanceof LeafResult) return value;
    throw new EditError(`"${result.name}" is no result of a leaf function here`);
  };
  return {
    name,
    read: (debuggee) => resultOf(debuggee).field(field),
    write: (debuggee, value) => {
      const integer = integerOf(value);
      const changed = integer === undefined ? undefined : resultOf(debuggee).with(field, integer);
      if (changed === undefined)
        throw new EditError(`"${name}" follows from the registers: change the status or a register`);
      result.write(debuggee, changed);
    },
  };
}

/** The result of the call behind which the session stands, and the registers that it was taken from. */
export function returnedPlace(name: string): EditPlace {
  const slotOf = ({ runtime, outcome }: FlowDebuggee): number => {
    const slot = outcome === undefined ? undefined : returnedSlot(runtime);
    if (slot === undefined) throw new EditError("the flow takes no result from this call");
    return slot;
  };
  return {
    name,
    read: (debuggee) => debuggee.store.readValue(slotOf(debuggee)),
    write: (debuggee, value) => {
      debuggee.store.writeValue(slotOf(debuggee), value);
      const { outcome } = debuggee;
      if (!(value instanceof LeafResult) || outcome === undefined) return;
      registerNames.forEach((_, register) => {
        writeRegister(debuggee, outcome.lp, register, value.register(register));
      });
    },
  };
}

/** An operand of the call that comes next in a task. */
export function operandPlace(name: string, task: number, index: number): EditPlace {
  const operandOf = (debuggee: FlowDebuggee) => {
    const isBefore = debuggee.placeOf(task) === AT_CALL;
    const operand = isBefore ? debuggee.runtime.pendingLeafOf(task)?.operands[index] : undefined;
    if (operand === undefined) throw new EditError(`"${name}" can be changed before the call only`);
    return operand;
  };
  return {
    name,
    read: (debuggee) => operandOf(debuggee).value,
    write: (debuggee, value) => {
      operandOf(debuggee);
      try {
        setOperands(debuggee.runtime, task, new Map([[index, value]]));
      } catch (error) {
        if (error instanceof FlowError) throw new EditError(error.message);
        throw error;
      }
    },
  };
}

/** A register of an LP. Before a call it is made from the call's operands, so it is those that change. */
export function registerPlace(lp: number, register: number): EditPlace {
  const name = registerNames[register] as string;
  return {
    name,
    read: ({ machine }) => fromBig(machine.platform.readGpr(lp, register)),
    write: (debuggee, value) => {
      const integer = integerOf(value);
      if (integer === undefined) throw new EditError(`"${name}" takes an integer`);
      const call = callOn(debuggee, lp);
      if (call === undefined) {
        writeRegister(debuggee, lp, register, integer);
      } else if (call.place === IN_LEAF) {
        throw new EditError(`${call.name} has taken its operands: change "${name}" before the call`);
      } else if (!setOperandRegister(debuggee.runtime, call.task, register, integer)) {
        throw new EditError(`this call of ${call.name} names no operand in "${name}": it is 0`);
      }
    },
  };
}

/** The call on an LP that a task stands before or in: the one that moves next before others. */
function callOn(debuggee: FlowDebuggee, lp: number) {
  const { runtime, task: current } = debuggee;
  for (const task of [current, ...runtime.tasks().map(({ id }) => id)]) {
    const place = debuggee.placeOf(task);
    const pending = place === AT_CALL || place === IN_LEAF ? runtime.pendingLeafOf(task) : undefined;
    if (pending?.lp === lp) return { task, place, name: pending.name };
  }
  return undefined;
}

function writeRegister({ machine, store }: FlowDebuggee, lp: number, register: number, value: Integer): void {
  const cell = machine.platform.lpCell(lp) + LP_GPR + register * 2;
  store.write(cell, lowHalf(value));
  store.write(cell + 1, highHalf(value));
}

/** What a register holds for a value of the language. */
export function integerOf(value: unknown): Integer | undefined {
  if (typeof value === "number" || typeof value === "bigint") return value;
  if (value instanceof Status) return value.integer;
  return typeof value === "boolean" ? Number(value) : undefined;
}
