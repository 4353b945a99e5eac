/** Emits the code of one function: jumps to labels, how deep the stack gets, which text each piece comes from. */
import type { Span } from "./diagnostics.ts";
import type { CodePosition, LocalVariable } from "./flow-code.ts";

/** A place in the code that is not known yet when something jumps there. */
export class Label {
  at = -1;
  readonly uses: number[] = [];
}

export class Emitter {
  readonly code: number[] = [];
  readonly positions: CodePosition[] = [];
  readonly variables: LocalVariable[] = [];
  locals = 0;
  deepest = 0;
  private depth = 0;

  get pc(): number {
    return this.code.length;
  }

  /** Emits an operation that takes `pops` values off the stack and puts `pushes` there. */
  emit(operation: number, operands: readonly number[], pops: number, pushes: number, span?: Span): void {
    if (span !== undefined) this.positions.push({ pc: this.code.length, start: span.start, end: span.end });
    this.code.push(operation, ...operands);
    this.depth += pushes - pops;
    if (this.depth > this.deepest) this.deepest = this.depth;
  }

  /** Emits an operation whose first operand is the place of `label`. */
  jump(operation: number, label: Label, operands: readonly number[], pops: number, pushes: number, span?: Span): void {
    this.emit(operation, [label.at, ...operands], pops, pushes, span);
    if (label.at < 0) label.uses.push(this.code.length - operands.length - 1);
  }

  /** The label is here. */
  place(label: Label): void {
    label.at = this.code.length;
    for (const use of label.uses) this.code[use] = label.at;
  }

  /** A slot of the frame. */
  slot(count = 1): number {
    const first = this.locals;
    this.locals += count;
    return first;
  }

  /** A variable is in scope from here on; returns what to call where its scope ends. */
  declare(name: string, slot: number): () => void {
    const from = this.code.length;
    return () => this.variables.push({ name, slot, from, to: this.code.length });
  }
}
