/** Values of the flow language as items: variables of a frame, fields of records, elements of lists. */
import { isInteger, Status } from "../language/values.ts";
import type { FlowFrame, Variable } from "../runtime/frames.ts";
import { ListValue } from "../runtime/heap.ts";
import { fieldsOf, typeName } from "../runtime/values.ts";
import { describedStatus } from "./describe-status.ts";
import type { FlowDebuggee } from "./flow-debuggee.ts";
import { recognizeHpa } from "./inspect/describe-hpa.ts";
import { type Item, inGroups } from "./inspect/item.ts";
import type { Moment } from "./inspect/moment.ts";

/** What a value is shown with: the session it belongs to and the moment. */
export interface ValueContext {
  readonly debuggee: FlowDebuggee;
  readonly moment: Moment;
}

/** Variables of a frame, the globals of its flow behind them. */
export function localItems(context: ValueContext, frame: FlowFrame): Item[] {
  const locals = frame.variables();
  const hidden = new Set(locals.map((variable) => variable.name));
  const { program } = context.debuggee;
  const globals = context.debuggee.runtime
    .globals()
    .filter(
      (variable, index) =>
        program.globals[index]?.source === frame.source && !hidden.has(variable.name) && variable.value !== undefined,
    );
  return [...locals, ...globals].map((variable) => variableItem(context, variable));
}

function variableItem(context: ValueContext, { name, slot, value }: Variable): Item {
  return { ...valueItem(context, name, name, name, value), slot, isChanged: (changes) => changes.slots.has(slot) };
}

/** One value. `id` is that of the item, `expression` what gives the value. */
export function valueItem(
  context: ValueContext,
  id: string,
  label: string,
  expression: string | undefined,
  value: unknown,
): Item {
  const children = childrenOf(context, id, expression, value);
  return {
    id,
    label,
    value: valueText(context, value),
    type: typeName(value),
    ...(expression !== undefined && { evaluateName: expression }),
    ...(typeof value === "number" && recognizeHpa(context.moment, value) !== undefined && { hpa: value }),
    ...(children && { children }),
  };
}

/** Addresses of pages that TDX uses say what they are; statuses are decoded. */
export function valueText({ debuggee, moment }: ValueContext, value: unknown): string {
  if (value instanceof Status) return describedStatus(value.hi, value.lo);
  const text = debuggee.runtime.format(value);
  if (typeof value !== "number" || !isInteger(value)) return text;
  const what = recognizeHpa(moment, value);
  return what === undefined ? text : `${text} · ${what}`;
}

function childrenOf(
  context: ValueContext,
  id: string,
  expression: string | undefined,
  value: unknown,
): (() => readonly Item[]) | undefined {
  const { heap } = context.debuggee.runtime.state;
  if (value instanceof ListValue) {
    if (heap.length(value) === 0) return undefined;
    return () =>
      inGroups(
        id,
        Array.from({ length: heap.length(value) }, (_, i) => {
          const inner = expression === undefined ? undefined : `${expression}[${i}]`;
          return valueItem(context, `${id}/${i}`, `${i}`, inner, heap.element(value, i));
        }),
      );
  }
  const fields = fieldsOf(value, heap);
  if (fields === undefined || fields.size === 0) return undefined;
  return () =>
    [...fields].map(([name, field]) => {
      const inner = expression === undefined ? undefined : `${expression}.${name}`;
      return valueItem(context, `${id}/${name}`, name, inner, field);
    });
}
