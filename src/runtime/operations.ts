/** The operations of flow code that are not worth a place in the interpreter's loop. */
import {
  type Expectation,
  type FlowFunction,
  OP_COMPLEMENT,
  OP_CONCATENATE,
  OP_DUPLICATE,
  OP_DUPLICATE_TWO,
  OP_ENTER_LP,
  OP_EXPECT,
  OP_EXPECT_COMPARE,
  OP_FAIL,
  OP_GUEST,
  OP_INDEX,
  OP_LEAVE_LP,
  OP_LIST,
  OP_LOG,
  OP_NEGATE,
  OP_NOT,
  OP_PAUSE,
  OP_RANGE,
  OP_RECORD,
  OP_RELEASE,
  OP_SET_FIELD,
  OP_SET_INDEX,
  OP_SPAWN,
} from "../language/flow-code.ts";
import { integerArgument, numberArgument } from "./arguments.ts";
import { expectComparison, expectTrue } from "./expectations.ts";
import { FRAME_LP } from "./fibers.ts";
import { getElement, setElement, setField } from "./fields.ts";
import { FlowError } from "./flow-error.ts";
import { defineGuest } from "./guests.ts";
import type { Interpreter } from "./interpreter.ts";
import { bounded, condition, invert, negate } from "./operators.ts";
import { formatValue, TaskValue } from "./values.ts";

/** Executes the operation at `pc`. Returns where the stack ends then. */
export function execute(
  interpreter: Interpreter,
  task: number,
  code: Int32Array,
  pc: number,
  stack: unknown[],
  sp: number,
  base: number,
  frame: number,
): number {
  const { state } = interpreter;
  const { store, heap, program } = state;
  const operand = code[pc + 1] as number;
  switch (code[pc]) {
    case OP_SET_FIELD:
      setField(state, stack[sp - 2], program.names[operand] as string, stack[sp - 1]);
      return sp - 2;
    case OP_INDEX:
      stack[sp - 2] = getElement(state, stack[sp - 2], stack[sp - 1]);
      return sp - 1;
    case OP_SET_INDEX:
      setElement(state, stack[sp - 3], stack[sp - 2], stack[sp - 1]);
      return sp - 3;
    case OP_RECORD: {
      const shape = program.shapes[operand] as readonly string[];
      const first = sp - shape.length;
      stack[first] = heap.record(shape, stack, first);
      return first + 1;
    }
    case OP_LIST:
      stack[sp - operand] = heap.list(stack, sp - operand, operand);
      return sp - operand + 1;
    case OP_NOT:
      stack[sp - 1] = !condition(stack[sp - 1]);
      return sp;
    case OP_NEGATE:
      stack[sp - 1] = negate(stack[sp - 1]);
      return sp;
    case OP_COMPLEMENT:
      stack[sp - 1] = invert(stack[sp - 1]);
      return sp;
    case OP_CONCATENATE: {
      let text = "";
      for (let i = sp - operand; i < sp; i++) text += formatValue(stack[i], heap);
      stack[sp - operand] = bounded(text);
      return sp - operand + 1;
    }
    case OP_ENTER_LP: {
      if (state.active(task) !== task)
        throw new FlowError("on lp is for the host, not for guests", "a guest runs on the LP of its TDH.VP.ENTER");
      const lps = state.machine.platform.lps;
      const lp = numberArgument(stack, sp - 1, "lp", 0, lps - 1);
      store.writeValue(base + operand, store.read(frame + FRAME_LP));
      store.write(frame + FRAME_LP, lp);
      return sp - 1;
    }
    case OP_LEAVE_LP: {
      const lp = store.readValue(base + operand) as number;
      store.write(frame + FRAME_LP, lp);
      return sp;
    }
    case OP_EXPECT:
      expectTrue(state, program.expectations[operand] as Expectation, stack[sp - 1]);
      return sp - 1;
    case OP_EXPECT_COMPARE:
      expectComparison(state, program.expectations[operand] as Expectation, stack[sp - 2], stack[sp - 1]);
      return sp - 2;
    case OP_LOG:
      state.hooks.output?.(formatValue(stack[sp - 1], heap), task);
      return sp - 1;
    case OP_PAUSE:
      interpreter.stepped.pause(state.active(task), pauseAt(stack[sp - 1]), state.functionOf(frame), pc);
      return sp - 1;
    case OP_FAIL:
      throw new FlowError(formatValue(stack[sp - 1], heap));
    case OP_RANGE: {
      const step = integerArgument(stack, sp - 1, "step");
      if (step === 0) throw new FlowError("the step of a range must not be 0", "such a loop would never end");
      store.writeValue(base + operand, integerArgument(stack, sp - 3, "from"));
      store.writeValue(base + operand + 1, integerArgument(stack, sp - 2, "to"));
      store.writeValue(base + operand + 2, step);
      return sp - 3;
    }
    case OP_GUEST: {
      const count = code[pc + 3] as number;
      const first = sp - count;
      const tdvpr = integerArgument(stack, first - 1, "vcpu");
      defineGuest(interpreter, operand, code[pc + 2] as number, tdvpr, stack, first, count);
      return first - 1;
    }
    case OP_SPAWN: {
      const count = code[pc + 3] as number;
      const first = sp - count;
      const withLp = code[pc + 4] === 1;
      const lp = withLp
        ? numberArgument(stack, first - 1, "lp", 0, state.machine.platform.lps - 1)
        : store.read(frame + FRAME_LP);
      const name = program.names[code[pc + 2] as number] as string;
      const fn = program.functions[operand] as FlowFunction;
      const at = withLp ? first - 1 : first;
      stack[at] = new TaskValue(interpreter.tasks.start(fn, name, lp, stack, first, count), name);
      return at + 1;
    }
    case OP_RELEASE:
      interpreter.tasks.release(task, store.readValue(base + operand));
      return sp;
    case OP_DUPLICATE:
      stack[sp] = stack[sp - 1];
      return sp + 1;
    case OP_DUPLICATE_TWO:
      stack[sp] = stack[sp - 2];
      stack[sp + 1] = stack[sp - 1];
      return sp + 2;
    default:
      throw new Error(`no operation ${code[pc]}`);
  }
}

/** Where a call is to pause: behind so many locks, or before a step. */
function pauseAt(value: unknown): number | string {
  if (typeof value === "string" && value !== "") return value;
  if (typeof value === "number" && value > 0) return value;
  throw new FlowError(
    "pause at takes the number of locks that the call has taken, or the text of a step",
    'pause at 2, pause at "the S-EPT entry is locked"',
  );
}
