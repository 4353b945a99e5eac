/** Evaluates watch expressions: the compiler lets nothing into them that changes anything, so a small loop is enough. */

import { builtins } from "../language/builtins.ts";
import { GIVEN_SLOTS, type WatchExpression } from "../language/compile.ts";
import {
  OP_AND,
  OP_BINARY,
  OP_BUILTIN,
  OP_COMPLEMENT,
  OP_CONCATENATE,
  OP_CONSTANT,
  OP_FIELD,
  OP_INDEX,
  OP_LIST,
  OP_LOAD,
  OP_LOAD_GLOBAL,
  OP_NEGATE,
  OP_NOT,
  OP_OR,
  OP_RECORD,
  OP_RETURN,
} from "../language/flow-code.ts";
import { builtinFunctions } from "./builtins.ts";
import { getElement, getField } from "./fields.ts";
import { FlowError } from "./flow-error.ts";
import { PlainRecord } from "./heap.ts";
import { binary, condition, invert, negate } from "./operators.ts";
import type { SessionState } from "./session-state.ts";
import { formatValue } from "./values.ts";

export function evaluateWatch(
  state: SessionState,
  watch: WatchExpression,
  slots: number,
  given: readonly unknown[] = [],
): { readonly value: unknown } | { readonly error: string } {
  try {
    return { value: run(state, watch, slots, given) };
  } catch (error) {
    if (!(error instanceof FlowError)) throw error;
    return { error: error.hint === "" ? error.message : `${error.message}: ${error.hint}` };
  }
}

function run(state: SessionState, { program, fn }: WatchExpression, slots: number, given: readonly unknown[]): unknown {
  const { store, heap } = state;
  const { code } = fn;
  const stack: unknown[] = [];
  const pop = () => stack.pop();
  for (let pc = 0; ; ) {
    const operand = code[pc + 1] as number;
    switch (code[pc]) {
      case OP_LOAD:
        stack.push(operand >= GIVEN_SLOTS ? given[operand - GIVEN_SLOTS] : store.readValue(slots + operand));
        break;
      case OP_LOAD_GLOBAL:
        stack.push(store.readValue(state.globals + operand));
        break;
      case OP_CONSTANT:
        // The end of the function is a constant and a return: the value is what was there before.
        if (code[pc + 2] === OP_RETURN) return pop();
        stack.push(program.constants[operand]);
        break;
      case OP_BINARY: {
        const b = pop();
        stack.push(binary(operand, pop(), b, heap));
        break;
      }
      case OP_AND:
      case OP_OR:
        if (condition(stack.at(-1)) === (code[pc] === OP_AND)) {
          pop();
          break;
        }
        pc = operand;
        continue;
      case OP_NOT:
        stack.push(!condition(pop()));
        pc += 1;
        continue;
      case OP_NEGATE:
        stack.push(negate(pop()));
        pc += 1;
        continue;
      case OP_COMPLEMENT:
        stack.push(invert(pop()));
        pc += 1;
        continue;
      case OP_FIELD:
        stack.push(getField(state, pop(), program.names[operand] as string));
        break;
      case OP_INDEX: {
        const index = pop();
        stack.push(getElement(state, pop(), index));
        pc += 1;
        continue;
      }
      case OP_RECORD: {
        const shape = program.shapes[operand] as readonly string[];
        const values = stack.splice(stack.length - shape.length);
        stack.push(new PlainRecord(new Map(shape.map((name, index) => [name, values[index]]))));
        break;
      }
      case OP_LIST:
        throw new FlowError("a watch expression cannot make a list");
      case OP_CONCATENATE: {
        const values = stack.splice(stack.length - operand);
        stack.push(values.map((value) => formatValue(value, heap)).join(""));
        break;
      }
      case OP_BUILTIN: {
        const count = code[pc + 2] as number;
        const values = stack.splice(stack.length - count);
        stack.push(builtinFunctions[builtins[operand]?.name ?? ""]?.(state, values, 0, count));
        pc += 3;
        continue;
      }
      default:
        throw new FlowError("a watch expression only looks");
    }
    pc += 2;
  }
}
