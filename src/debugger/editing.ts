/** What a person changes at a stop: where an expression's value lies, and what a new value reads. */
import { PAGE_SIZE } from "../arch/page.ts";
import { registerNames } from "../arch/registers.ts";
import { ListValue, RecordValue } from "../runtime/heap.ts";
import { LeafResult } from "../runtime/leaf-result.ts";
import { EditError, type EditPlace, elementPlace, registerPlace } from "./edit-place.ts";
import { editOf, hostEdit, type MemoryPart, memoryEdit } from "./edits.ts";
import { hex } from "./inspect/format.ts";
import type { Item } from "./inspect/item.ts";
import { type MemoryReference, readView } from "./memory-views.ts";
import type { Session } from "./session.ts";
import type { FlowPlace } from "./stack.ts";
import { partPlace, valueItem } from "./value-items.ts";

/** The parts of an expression that can be assigned to: `list[i]`, `value.field`; anything else is a name. */
const ELEMENT = /^(.+)\[([^[\]]+)\]$/s;
const FIELD = /^(.+)\.(\w+)$/s;

/** Where the value of an expression can be changed. Throws an EditError where it cannot. */
export function placeOf(session: Session, expression: string, at: FlowPlace): EditPlace {
  const text = expression.trim();
  const element = ELEMENT.exec(text);
  if (element) {
    const list = evaluated(session, element[1] as string, at);
    const index = evaluated(session, element[2] as string, at);
    if (list instanceof ListValue && typeof index === "number") return elementPlace(text, list, index);
    if (list instanceof RecordValue && typeof index === "string") return fieldOf(session, text, list, index);
    throw new EditError(`"${element[1]}" has no element that could be changed`);
  }
  const field = FIELD.exec(text);
  if (field === null) return namedPlace(session, text, at);
  const [, prefix = "", name = ""] = field;
  const value = evaluated(session, prefix, at);
  return fieldOf(session, text, value, name, value instanceof LeafResult ? placeOf(session, prefix, at) : undefined);
}

/** @param edit where the value itself can be changed, if it is changed as a whole */
function fieldOf(session: Session, text: string, value: unknown, name: string, edit?: EditPlace): EditPlace {
  if (value instanceof RecordValue && !session.debuggee.runtime.state.heap.fields(value).has(name)) {
    throw new EditError(`there is no field "${name}"`);
  }
  const place = partPlace(value, edit, name, text);
  if (place === undefined) throw new EditError(`"${text}" is not stored anywhere of its own`);
  return place;
}

function namedPlace(session: Session, name: string, at: FlowPlace): EditPlace {
  const { task, flowFrame } = at;
  // An inner variable hides an outer one of the same name.
  const local = session.locals(at).findLast((item) => item.label === name);
  if (local?.edit) return local.edit;
  const call = flowFrame === 0 ? session.call(task) : undefined;
  const part = call?.items.find(({ label }) => label.split(" ")[0] === name);
  if (part?.edit) return part.edit;
  const register = registerNames.indexOf(name.toLowerCase() as (typeof registerNames)[number]);
  if (register >= 0) return registerPlace(session.debuggee.runtime.frames(task)[flowFrame]?.lp ?? 0, register);
  throw new EditError(
    part ? `"${name}" cannot be changed here` : `"${name}" is no variable, field, element, operand or register`,
  );
}

function evaluated(session: Session, expression: string, at: FlowPlace): unknown {
  const result = session.debuggee.evaluate(expression, at.flowFrame, at.task);
  if ("error" in result) throw new EditError(result.error);
  return result.value;
}

export interface Edited {
  /** The place with its new value. */
  readonly item: Item;
  /** What was edited, in one line. */
  readonly text: string;
  /** A branch began. */
  readonly isFork: boolean;
}

/** Puts the value of an expression to a place. Throws an EditError, and changes nothing, where that cannot be. */
export function editValue(session: Session, place: EditPlace, text: string, at: FlowPlace): Edited {
  const { debuggee } = session;
  const given = withoutRemark(text);
  const value = place.form?.parse(given) ?? evaluated(session, given, at);
  const input = editOf(place, value, place.form?.show(value) ?? debuggee.runtime.format(value));
  const isFork = session.put(input);
  const context = { debuggee, moment: session.inspector.moment };
  const written = place.read(debuggee);
  const item = valueItem(context, `edit/${place.name}`, place.name, undefined, written, place);
  return { item: place.form ? { ...item, value: place.form.show(written) } : item, text: input.text, isFork };
}

/**
 * Writes bytes of memory as a view has them: raw, and at a TD's GPA, as they lie there; as the host, by its own access. Throws an
 * EditError where the view has no memory.
 */
export function editMemory(
  session: Session,
  reference: MemoryReference,
  bytes: Uint8Array,
): { readonly text: string; readonly isFork: boolean } {
  const { view, address } = reference;
  const { data, pages, end } = readView(session.inspector.moment, reference, bytes.length);
  if (data.length < bytes.length) throw new EditError(end);
  const input = view === "host" ? hostEdit(address, bytes) : memoryEdit(inPages(address, pages, bytes), bytes.length);
  return { text: input.text, isFork: session.put(input) };
}

/** The parts of some bytes that lie in one page each. */
function inPages(address: number, pages: readonly number[], bytes: Uint8Array): MemoryPart[] {
  let at = 0;
  return pages.map((page) => {
    const hpa = page + ((address + at) % PAGE_SIZE);
    const part = bytes.slice(at, at + PAGE_SIZE - (hpa % PAGE_SIZE));
    at += part.length;
    return { hpa, bytes: part };
  });
}

/** Why what is shown is nothing to put a value to. */
export function whyFixed({ debuggee }: Session, { label, hpa, cells = [], children }: Item): string {
  if (children) return `"${label}" cannot be changed as a whole: open it`;
  if (hpa !== undefined) return `"${label}" cannot be changed: it tells of memory, which can be written at ${hex(hpa)}`;
  const from = cells[0] && debuggee.machine.platform.memory.hpaOf(cells[0][0]);
  const source = from === undefined ? "from other values" : `from memory, which can be written at ${hex(from)}`;
  return `"${label}" cannot be changed: it is worked out ${source}`;
}

/** What is shown behind an address is no part of its value; who edits it may leave it standing. */
function withoutRemark(text: string): string {
  const shown = text.trim();
  const [value = ""] = shown.split(" · ");
  return shown.startsWith('"') ? shown : value;
}
