/** Values of the flow language as items: variables of a frame, fields of records, elements of lists. */
import { isInteger, Status } from "../language/values.ts";
import type { FlowFrame, Variable } from "../runtime/frames.ts";
import { ListValue, RecordValue } from "../runtime/heap.ts";
import { LeafResult } from "../runtime/leaf-result.ts";
import { fieldsOf, typeName } from "../runtime/values.ts";
import { localDataId, partDataId, slotDataId } from "./data-ids.ts";
import { describedStatus } from "./describe-status.ts";
import { type EditPlace, elementPlace, fieldPlace, globalPlace, localPlace, resultFieldPlace } from "./edit-place.ts";
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
  const seen = new Map<string, number>();
  const own = locals.map((variable) => {
    const nth = seen.get(variable.name) ?? 0;
    seen.set(variable.name, nth + 1);
    const place = localPlace(variable.name, frame.fiber, frame.level, nth);
    return variableItem(context, variable, place, localDataId(frame, variable));
  });
  const hidden = new Set(locals.map((variable) => variable.name));
  const { program } = context.debuggee;
  const globals = context.debuggee.runtime
    .globals()
    .filter(
      (variable, index) =>
        program.globals[index]?.source === frame.source && !hidden.has(variable.name) && variable.value !== undefined,
    );
  const { path } = frame.source;
  return [
    ...own,
    ...globals.map((variable) =>
      variableItem(context, variable, globalPlace(variable.name, path), slotDataId(variable.slot)),
    ),
  ];
}

function variableItem(context: ValueContext, { name, slot, value }: Variable, edit: EditPlace, dataId: string): Item {
  return {
    ...valueItem(context, name, name, name, value, edit),
    dataId,
    isChanged: (changes) => changes.slots.has(slot),
  };
}

/** One value. `id` is that of the item, `expression` what gives the value, `edit` where it can be changed. */
export function valueItem(
  context: ValueContext,
  id: string,
  label: string,
  expression: string | undefined,
  value: unknown,
  edit?: EditPlace,
): Item {
  const children = childrenOf(context, id, expression, value, edit);
  return {
    id,
    label,
    value: valueText(context, value),
    type: typeName(value),
    ...(expression !== undefined && { evaluateName: expression }),
    ...(typeof value === "number" && recognizeHpa(context.moment, value) !== undefined && { hpa: value }),
    ...(edit && { edit }),
    ...(children && { children }),
  };
}

/** Where a field of a record or of a leaf's result can be changed. */
export function partPlace(
  value: unknown,
  edit: EditPlace | undefined,
  field: string,
  expression: string | undefined,
): EditPlace | undefined {
  const name = expression ?? `${edit?.name ?? ""}.${field}`;
  if (value instanceof RecordValue) return fieldPlace(name, value, field);
  return value instanceof LeafResult && edit ? resultFieldPlace(name, edit, field) : undefined;
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
  edit: EditPlace | undefined,
): (() => readonly Item[]) | undefined {
  const { heap } = context.debuggee.runtime.state;
  if (value instanceof ListValue) {
    if (heap.length(value) === 0) return undefined;
    return () =>
      inGroups(
        id,
        Array.from({ length: heap.length(value) }, (_, i) => {
          const inner = expression === undefined ? undefined : `${expression}[${i}]`;
          const place = elementPlace(inner ?? `${edit?.name ?? ""}[${i}]`, value, i);
          const item = valueItem(context, `${id}/${i}`, `${i}`, inner, heap.element(value, i), place);
          return { ...item, dataId: partDataId(value, `${i}`) as string };
        }),
      );
  }
  const fields = fieldsOf(value, heap);
  if (fields === undefined || fields.size === 0) return undefined;
  return () =>
    [...fields].map(([name, field]) => {
      const inner = expression === undefined ? undefined : `${expression}.${name}`;
      const item = valueItem(context, `${id}/${name}`, name, inner, field, partPlace(value, edit, name, inner));
      const dataId = partDataId(value, name);
      return { ...item, ...(dataId && { dataId }) };
    });
}
