/** Fields of records and elements of lists. */
import { builtinNumbers } from "../language/builtins.ts";
import { nearest } from "../language/diagnostics.ts";
import { isInteger } from "../language/values.ts";
import { hintFor, shown } from "./arguments.ts";
import { FlowError } from "./flow-error.ts";
import { ListValue, PlainRecord, RecordValue } from "./heap.ts";
import { LeafResult } from "./leaf-result.ts";
import type { SessionState } from "./session-state.ts";
import { aType, fieldsOf, LockValue } from "./values.ts";

export function getField(state: SessionState, value: unknown, name: string): unknown {
  if (value instanceof RecordValue) {
    const fields = state.heap.fields(value);
    const field = fields.get(name);
    if (field !== undefined || fields.has(name)) return field;
  } else if (value instanceof LeafResult || value instanceof PlainRecord) {
    const field = value instanceof LeafResult ? value.field(name) : value.fields.get(name);
    if (field !== undefined) return field;
  } else if (value instanceof LockValue && value.kind === "rwlock" && (name === "read" || name === "write")) {
    return new LockValue(value.state, name);
  }
  const fields = fieldsOf(value, state.heap);
  if (fields === undefined) throw new FlowError(`${aType(value)} has no field "${name}"`, hintForField(value, name));
  const near = nearest(name, fields.keys());
  throw new FlowError(
    `there is no field "${name}"`,
    near === undefined ? `it has ${[...fields.keys()].join(", ")}` : `did you mean "${near}"?`,
  );
}

function hintForField(value: unknown, name: string): string {
  if (value === null) return "a function without return gives null";
  return builtinNumbers.has(name) ? `${name} is a function: ${name}(value, …)` : "only records and results have fields";
}

export function setField(state: SessionState, value: unknown, name: string, to: unknown): void {
  if (!(value instanceof RecordValue)) {
    const reason =
      value instanceof LeafResult ? "the result of a leaf function does not change" : "only records have fields";
    throw new FlowError(`cannot set "${name}" of ${aType(value)}`, reason);
  }
  const fields = state.heap.fields(value);
  if (!fields.has(name)) {
    const near = nearest(name, fields.keys());
    throw new FlowError(
      `the record has no field "${name}"`,
      near === undefined ? "a record has the fields that it was made with" : `did you mean "${near}"?`,
    );
  }
  state.heap.setField(value, name, to);
}

function position(state: SessionState, list: unknown, index: unknown): number {
  if (!(list instanceof ListValue))
    throw new FlowError(`${aType(list)} has no elements by number`, 'only lists have; a record has fields: r["name"]');
  if (!isInteger(index)) throw new FlowError(`an index must be an integer, not ${aType(index)}`, hintFor(index));
  const length = state.heap.length(list);
  if (index >= length) {
    const elements = length === 0 ? "it is empty" : `its elements are 0 to ${length - 1}`;
    throw new FlowError(
      `index ${shown(index)} is past the end of a list of ${length}`,
      index >= 2n ** 63n ? `${elements}; integers have no sign` : elements,
    );
  }
  return Number(index);
}

export function getElement(state: SessionState, list: unknown, index: unknown): unknown {
  if (typeof list === "object" && !(list instanceof ListValue) && typeof index === "string")
    return getField(state, list, index);
  return state.heap.element(list as ListValue, position(state, list, index));
}

export function setElement(state: SessionState, list: unknown, index: unknown, to: unknown): void {
  if (list instanceof RecordValue && typeof index === "string") {
    state.heap.setField(list, index, to);
    return;
  }
  state.heap.setElement(list as ListValue, position(state, list, index), to);
}
