/**
 * Records and lists. A value of the language is a handle; what it holds lies in value slots of the store, so that undo
 * brings it back. Addresses are given in order and never reused: a flow's objects are few, and history needs the old ones.
 */
import type { Store } from "../state/store.ts";
import { FlowError } from "./flow-error.ts";

/** Slots that are taken from the store at once. */
const SEGMENT = 1024;
const SEGMENT_SHIFT = 10;
/** Store tags of the segments of one space; below the first are those of slots that are taken at the start. */
const TAGS_PER_SPACE = 2 ** 20;

/** Slots that a flow can have: no flow may take all of the host's memory. */
const MAX_SLOTS = 2 ** 24;

/** A record: one slot with its fields, an immutable object that is replaced when a field changes. */
export class RecordValue {
  readonly address: number;

  constructor(address: number) {
    this.address = address;
  }

  stateKey(): string {
    return `record:${this.address}`;
  }
}

/** A list: one slot with where its elements are, and slots for them. */
export class ListValue {
  readonly address: number;

  constructor(address: number) {
    this.address = address;
  }

  stateKey(): string {
    return `list:${this.address}`;
  }
}

/** A record that is nowhere in the store: what watch expressions and machine queries give. */
export class PlainRecord {
  readonly fields: ReadonlyMap<string, unknown>;

  constructor(fields: ReadonlyMap<string, unknown>) {
    this.fields = fields;
  }

  stateKey(): string {
    return `plain:${JSON.stringify([...this.fields], (_, value) => (typeof value === "bigint" ? value.toString() : value))}`;
  }
}

class Fields extends Map<string, unknown> {
  stateKey(): string {
    const text = (value: unknown) =>
      typeof value === "object" && value !== null && "stateKey" in value
        ? (value as RecordValue).stateKey()
        : `${typeof value}:${String(value)}`;
    return [...this].map(([name, value]) => `${name}=${text(value)}`).join(",");
  }
}

/** A field or an element. */
export interface HeapPart {
  readonly value: unknown;
  readonly slots: readonly number[];
}

interface ListHeader {
  readonly first: number;
  readonly length: number;
  readonly capacity: number;
}

/** Slots in segments: logical addresses from 0, so that the same run gives the same addresses whatever else is in the store. */
export class SlotSpace {
  private readonly store: Store;
  private readonly segments: number[] = [];
  private readonly tag: number;

  /** @param space number of this space among those of the store */
  constructor(store: Store, space: number) {
    this.store = store;
    this.tag = (space + 1) * TAGS_PER_SPACE;
  }

  /** The store's slot of an address. */
  slot(address: number): number {
    const segment = address >>> SEGMENT_SHIFT;
    for (let n = this.segments.length; n <= segment; n++)
      this.segments.push(this.store.allocateValues(SEGMENT, this.tag + n));
    return (this.segments[segment] as number) + (address & (SEGMENT - 1));
  }

  /** An address at or above `address` from which `count` slots lie in one segment. */
  static fit(address: number, count: number): number {
    const left = SEGMENT - (address & (SEGMENT - 1));
    return count <= left ? address : address + left;
  }

  static readonly largest = SEGMENT;
}

export class Heap {
  private readonly store: Store;
  private readonly space: SlotSpace;
  /** Word of the store with the next free address. */
  private readonly top: number;

  constructor(store: Store, top: number) {
    this.store = store;
    this.space = new SlotSpace(store, 0);
    this.top = top;
  }

  record(names: readonly string[], values: readonly unknown[], from: number): RecordValue {
    const fields = new Fields();
    for (let i = 0; i < names.length; i++) fields.set(names[i] as string, values[from + i]);
    const address = this.take(1);
    this.store.writeValue(this.space.slot(address), fields);
    return new RecordValue(address);
  }

  fields(record: RecordValue): ReadonlyMap<string, unknown> {
    return this.store.readValue(this.space.slot(record.address)) as Fields;
  }

  setField(record: RecordValue, name: string, value: unknown): void {
    const slot = this.space.slot(record.address);
    const fields = this.store.readValue(slot) as Fields;
    if (Object.is(fields.get(name), value) && fields.has(name)) return;
    this.store.writeValue(slot, new Fields(fields).set(name, value));
  }

  list(values: readonly unknown[], from: number, length: number): ListValue {
    const address = this.take(1);
    const first = this.take(length);
    for (let i = 0; i < length; i++) this.store.writeValue(this.space.slot(first + i), values[from + i]);
    this.setHeader(address, { first, length, capacity: length });
    return new ListValue(address);
  }

  length(list: ListValue): number {
    return this.header(list).length;
  }

  /** `index` must be below the length. */
  element(list: ListValue, index: number): unknown {
    return this.store.readValue(this.space.slot(this.header(list).first + index));
  }

  setElement(list: ListValue, index: number, value: unknown): void {
    this.store.writeValue(this.space.slot(this.header(list).first + index), value);
  }

  push(list: ListValue, value: unknown): void {
    let { first, length, capacity } = this.header(list);
    if (length === capacity) {
      capacity = Math.max(8, capacity * 2);
      const larger = this.take(capacity);
      for (let i = 0; i < length; i++) {
        this.store.writeValue(this.space.slot(larger + i), this.store.readValue(this.space.slot(first + i)));
      }
      first = larger;
    }
    this.store.writeValue(this.space.slot(first + length), value);
    this.setHeader(list.address, { first, length: length + 1, capacity });
  }

  /** The list must not be empty. */
  pop(list: ListValue): unknown {
    const { first, length, capacity } = this.header(list);
    this.setHeader(list.address, { first, length: length - 1, capacity });
    return this.store.readValue(this.space.slot(first + length - 1));
  }

  /** The elements as an array. */
  elements(list: ListValue): unknown[] {
    return Array.from({ length: this.length(list) }, (_, index) => this.element(list, index));
  }

  /**
   * What a record's field or a list's element holds if the slots hold what `read` gives, and which slots that depends on. Undefined where
   * there is none.
   */
  part(address: number, key: string, read: (slot: number) => unknown): HeapPart {
    if (address >= this.store.readNumber(this.top)) return { value: undefined, slots: [] };
    const slot = this.space.slot(address);
    const held = read(slot);
    if (held instanceof Fields) return { value: held.get(key), slots: [slot] };
    const header = held as ListHeader | undefined;
    if (header === undefined || Number(key) >= header.length) return { value: undefined, slots: [slot] };
    const element = this.space.slot(header.first + Number(key));
    return { value: read(element), slots: [slot, element] };
  }

  private header(list: ListValue): ListHeader {
    return this.store.readValue(this.space.slot(list.address)) as ListHeader;
  }

  private setHeader(address: number, header: ListHeader): void {
    this.store.writeValue(this.space.slot(address), header);
  }

  private take(count: number): number {
    const address = this.store.readNumber(this.top);
    if (address + count > MAX_SLOTS) {
      throw new FlowError(
        `the flow's records and lists have more than ${MAX_SLOTS} fields and elements`,
        "a loop that goes on making them never ends",
      );
    }
    this.store.writeNumber(this.top, address + count);
    return address;
  }
}
