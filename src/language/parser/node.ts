/** Nodes of the syntax tree as the parser of whole sources makes them: Langium's, but with offsets instead of a concrete tree. */
import type { Span } from "../diagnostics.ts";
import { MAX_HEIGHT, TooDeep } from "./depth.ts";
import type { Tokens } from "./lexer.ts";

export class FlowNode {
  $type: string;
  $container: FlowNode | undefined = undefined;
  $containerProperty: string | undefined = undefined;
  $containerIndex: number | undefined = undefined;
  $start: number;
  /** Behind its last character. */
  $end = 0;
  /** Name, start and end of each property that is a token, in turn. */
  $parts: (string | number)[] | undefined = undefined;

  constructor(type: string, start: number) {
    this.$type = type;
    this.$start = start;
  }

  /** Where a property lies; the node itself, if it lacks that property. */
  spanOf(property: string): Span {
    const at = this.$parts?.indexOf(property) ?? -1;
    if (at >= 0) return { start: this.$parts?.[at + 1] as number, end: this.$parts?.[at + 2] as number };
    const value = (this as unknown as Readonly<Record<string, unknown>>)[property];
    const node = Array.isArray(value) ? value[0] : value;
    const { $start, $end } = node instanceof FlowNode ? node : this;
    return { start: $start, end: $end };
  }
}

export function setProperty(node: FlowNode, name: string, operator: string, value: unknown): void {
  const properties = node as unknown as Record<string, unknown>;
  let index: number | undefined;
  if (operator === "+=") {
    const list = properties[name] as unknown[] | undefined;
    if (list === undefined) properties[name] = [value];
    else list.push(value);
    index = list === undefined ? 0 : list.length - 1;
  } else properties[name] = operator === "?=" ? true : value;
  if (!(value instanceof FlowNode)) return;
  value.$container = node;
  value.$containerProperty = name;
  value.$containerIndex = index;
}

/** The tokens do not fit the grammar. */
export class Mismatch extends Error {}

/** A parser's place in its tokens, and the node that it makes there. */
export class Reader {
  readonly text: string;
  readonly kinds: Uint16Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  /** Added to every place: where the text begins in its source. */
  readonly shift: number;
  at = 0;
  node: FlowNode;
  /** Rules around the node. */
  depth = 0;
  /** Levels that the node has below it so far. */
  height = 0;

  constructor({ text, kinds, starts, ends }: Tokens, shift: number) {
    this.text = text;
    this.kinds = kinds;
    this.starts = starts;
    this.ends = ends;
    this.shift = shift;
    this.node = new FlowNode("", shift);
  }

  get start(): number {
    return (this.starts[this.at] as number) + this.shift;
  }

  /** Behind the last character that was read. */
  get end(): number {
    return (this.ends[this.at - 1] ?? 0) + this.shift;
  }

  checkDepth(): void {
    if (this.depth + this.height > MAX_HEIGHT) throw new TooDeep(this.start);
  }
}
