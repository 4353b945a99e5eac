/** Binary and unary operators on any values; what fits no type ends the flow. */
import { OPERATORS } from "../language/flow-code.ts";
import {
  add,
  and,
  complement,
  divide,
  type Integer,
  isInteger,
  multiply,
  or,
  remainder,
  Status,
  shiftLeft,
  shiftRight,
  subtract,
  xor,
} from "../language/values.ts";
import { hintFor } from "./arguments.ts";
import { FlowError } from "./flow-error.ts";
import { type Heap, ListValue } from "./heap.ts";
import { LeafResult } from "./leaf-result.ts";
import { aType, equal } from "./values.ts";

const EQUAL = OPERATORS.indexOf("==");
const NOT_EQUAL = OPERATORS.indexOf("!=");

export function binary(operator: number, a: unknown, b: unknown, heap: Heap): unknown {
  if (operator === EQUAL) return equal(a, b, heap);
  if (operator === NOT_EQUAL) return !equal(a, b, heap);
  const name = OPERATORS[operator];
  if (name === "+" && typeof a === "string" && typeof b === "string") return bounded(a + b);
  // A named status with an operand id: TDX_OPERAND_BUSY | OPERAND_TDR.
  if (name === "|" && a instanceof Status && isInteger(b)) {
    return Status.of(or(a.integer, b));
  }
  const left = a instanceof Status ? a.integer : a;
  const right = b instanceof Status ? b.integer : b;
  if (!isInteger(left) || !isInteger(right)) {
    const hint = operatorHint(name, a, b);
    throw new FlowError(`${name} takes integers, not ${aType(a)} and ${aType(b)}`, hint);
  }
  return integers(operator, left, right);
}

const NOT_ZERO = "only what is not 0 can divide: look at it before";

function operatorHint(name: string | undefined, a: unknown, b: unknown): string {
  if (name === "+" && (typeof a === "string" || typeof b === "string"))
    return 'to put values into text, write "…{value}…"';
  if (a instanceof ListValue || b instanceof ListValue) return "push(list, value) appends to a list";
  if (typeof a === "boolean" && /^[<>]/.test(name ?? "")) return "write a < b && b < c";
  if (isInteger(a) || isInteger(b)) return hintFor(isInteger(a) ? b : a);
  return "only == and != compare other values";
}

/** Characters that a string can have: `s += s` would soon take all memory. */
const MAX_TEXT = 2 ** 24;

/** A string that is not too long. */
export function bounded(text: string): string {
  if (text.length <= MAX_TEXT) return text;
  throw new FlowError(`a string has at most ${MAX_TEXT} characters`, "a loop that goes on appending never ends");
}

function integers(operator: number, a: Integer, b: Integer): unknown {
  switch (OPERATORS[operator]) {
    case "+":
      return add(a, b);
    case "-":
      return subtract(a, b);
    case "*":
      return multiply(a, b);
    case "/":
      if (b === 0) throw new FlowError("division by zero", NOT_ZERO);
      return divide(a, b);
    case "%":
      if (b === 0) throw new FlowError("remainder of a division by zero", NOT_ZERO);
      return remainder(a, b);
    case "<<":
      return shiftLeft(a, b);
    case ">>":
      return shiftRight(a, b);
    case "&":
      return and(a, b);
    case "^":
      return xor(a, b);
    case "|":
      return or(a, b);
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    default:
      return a >= b;
  }
}

export function negate(value: unknown): unknown {
  if (!isInteger(value)) throw new FlowError(`- takes an integer, not ${aType(value)}`, hintFor(value));
  return subtract(0, value);
}

export function invert(value: unknown): unknown {
  if (!isInteger(value)) throw new FlowError(`~ takes an integer, not ${aType(value)}`, hintFor(value));
  return complement(value);
}

export function condition(value: unknown): boolean {
  if (typeof value === "boolean") return value;
  let hint = "compare it: x != null";
  if (isInteger(value)) hint = "compare it: x != 0";
  else if (value instanceof LeafResult) hint = "whether the call succeeded is its field ok";
  throw new FlowError(`a condition is true or false, not ${aType(value)}`, hint);
}
