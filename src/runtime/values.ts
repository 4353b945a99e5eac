/** Values while a flow runs: their types, equality, and how they read as text. */
import { statusText } from "../arch/status.ts";
import { FunctionValue, formatInteger, isInteger, Status } from "../language/values.ts";
import { FlowError } from "./flow-error.ts";
import { type Heap, ListValue, PlainRecord, RecordValue } from "./heap.ts";
import { LeafResult } from "./leaf-result.ts";

/** Depth to which nested records are printed. */
const MAX_DEPTH = 8;
/** Depth to which they are compared: some contain themselves. */
const MAX_COMPARED_DEPTH = 16;
/** Elements of a list or fields of a record that are printed. */
const MAX_ITEMS = 32;

export class TaskValue {
  /** Number of its fiber. */
  readonly fiber: number;
  readonly name: string;

  constructor(fiber: number, name: string) {
    this.fiber = fiber;
    this.name = name;
  }

  stateKey(): string {
    return `task:${this.fiber}`;
  }
}

/** A mutex or rwlock, or one side of an rwlock. Who holds it is in its record in the heap. */
export class LockValue {
  readonly state: RecordValue;
  readonly kind: "mutex" | "rwlock" | "read" | "write";

  constructor(state: RecordValue, kind: LockValue["kind"]) {
    this.state = state;
    this.kind = kind;
  }

  stateKey(): string {
    return `lock:${this.kind}:${this.state.address}`;
  }
}

export function typeName(value: unknown): string {
  if (value === null) return "null";
  if (isInteger(value)) return "integer";
  if (typeof value === "boolean" || typeof value === "string") return typeof value;
  if (value instanceof Status) return "status";
  if (value instanceof FunctionValue) return "function";
  if (value instanceof ListValue) return "list";
  if (value instanceof TaskValue) return "task";
  if (value instanceof LockValue) return "lock";
  if (value instanceof LeafResult) return "result";
  return value === undefined ? "nothing yet" : "record";
}

/** A type with its article, for messages. */
export function aType(value: unknown): string {
  const name = typeName(value);
  if (name === "null" || name === "nothing yet") return name;
  return `${/^[aeiou]/.test(name) ? "an" : "a"} ${name}`;
}

/** The fields of any value that has some. */
export function fieldsOf(value: unknown, heap: Heap): ReadonlyMap<string, unknown> | undefined {
  if (value instanceof RecordValue) return heap.fields(value);
  if (value instanceof PlainRecord) return value.fields;
  if (value instanceof LeafResult) return new Map(value.fieldNames().map((name) => [name, value.field(name)]));
  return undefined;
}

/**
 * `==` of the language. Records and lists are equal if what they hold is; a status equals an integer that has its 64 bits, or a
 * status of that name (values.ts); a leaf's result compares as its status.
 */
export function equal(a: unknown, b: unknown, heap: Heap, depth = 0): boolean {
  if (Object.is(a, b)) return true;
  if (a instanceof LeafResult && (b instanceof Status || isInteger(b))) return equal(a.status, b, heap);
  if (b instanceof LeafResult && (a instanceof Status || isInteger(a))) return equal(a, b.status, heap);
  if (a instanceof Status) {
    if (b instanceof Status) return a.matches(b);
    return isInteger(b) && a.integer === b;
  }
  if (b instanceof Status) return isInteger(a) && b.integer === a;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (depth > MAX_COMPARED_DEPTH)
    throw new FlowError(
      `values that nest more than ${MAX_COMPARED_DEPTH} deep cannot be compared`,
      "compare a field or an element of them",
    );
  if (a instanceof ListValue && b instanceof ListValue) {
    const length = heap.length(a);
    if (length !== heap.length(b)) return false;
    for (let i = 0; i < length; i++) if (!equal(heap.element(a, i), heap.element(b, i), heap, depth + 1)) return false;
    return true;
  }
  if (a instanceof FunctionValue) return b instanceof FunctionValue && a.index === b.index;
  if (a instanceof TaskValue) return b instanceof TaskValue && a.fiber === b.fiber;
  if (a instanceof LockValue) return b instanceof LockValue && a.stateKey() === b.stateKey();
  const left = fieldsOf(a, heap);
  const right = fieldsOf(b, heap);
  if (left === undefined || right === undefined || left.size !== right.size) return false;
  for (const [name, value] of left) {
    if (!right.has(name) || !equal(value, right.get(name), heap, depth + 1)) return false;
  }
  return true;
}

/** A value as `log` and the debugger print it. Strings inside others have quotes. */
export function formatValue(value: unknown, heap: Heap, depth = 0): string {
  if (isInteger(value)) return formatInteger(value);
  if (typeof value === "string") return depth === 0 ? value : JSON.stringify(value);
  if (value === undefined) return "not set";
  if (value === null || typeof value === "boolean") return String(value);
  if (value instanceof Status) return statusText(value.hi, value.lo);
  if (value instanceof FunctionValue) return `fn ${value.name}`;
  if (value instanceof TaskValue) return `task ${value.name}`;
  if (value instanceof LockValue) return `${value.kind} ${String(heap.fields(value.state).get("name") ?? "")}`.trim();
  if (value instanceof LeafResult) {
    const outputs = value.outputNames().map((name) => `, ${name}: ${formatValue(value.field(name), heap, depth + 1)}`);
    return `{status: ${formatValue(value.status, heap)}${value.status.failed ? "" : outputs.join("")}}`;
  }
  if (depth > MAX_DEPTH) return "…";
  if (value instanceof ListValue) {
    const length = heap.length(value);
    const shown = Array.from({ length: Math.min(length, MAX_ITEMS) }, (_, i) =>
      formatValue(heap.element(value, i), heap, depth + 1),
    );
    return `[${shown.join(", ")}${length > MAX_ITEMS ? `, … ${length - MAX_ITEMS} more` : ""}]`;
  }
  const fields = fieldsOf(value, heap);
  if (fields === undefined) return String(value);
  const shown = [...fields]
    .slice(0, MAX_ITEMS)
    .map(([name, field]) => `${name}: ${formatValue(field, heap, depth + 1)}`);
  return `{${shown.join(", ")}${fields.size > MAX_ITEMS ? ", …" : ""}}`;
}
