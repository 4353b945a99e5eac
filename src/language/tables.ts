/** The tables of a program while it is compiled: each thing that code refers to by number is in once. */
import type { SourceFile } from "./diagnostics.ts";
import type { Expectation, FlowFunction, FlowStatement, FlowTest, GlobalVariable, LeafCall } from "./flow-code.ts";
import { type Constant, FunctionValue, Status } from "./values.ts";

export class Tables {
  readonly functions: FlowFunction[] = [];
  readonly statements: FlowStatement[] = [];
  readonly constants: Constant[] = [];
  readonly names: string[] = [];
  readonly shapes: (readonly string[])[] = [];
  readonly leafCalls: LeafCall[] = [];
  readonly expectations: Expectation[] = [];
  readonly globals: GlobalVariable[] = [];
  readonly sources: SourceFile[] = [];
  readonly tests: FlowTest[] = [];
  private readonly known = new Map<string, number>();
  private functionCount = 0;

  constant(value: Constant): number {
    const key =
      value instanceof Status || value instanceof FunctionValue ? value.stateKey() : `${typeof value}:${String(value)}`;
    return this.number(`c${key}`, this.constants, value);
  }

  name(name: string): number {
    return this.number(`n${name}`, this.names, name);
  }

  shape(fields: readonly string[]): number {
    return this.number(`s${fields.join(",")}`, this.shapes, fields);
  }

  /** Number for a function that is compiled later. */
  reserveFunction(): number {
    return this.functionCount++;
  }

  private number<T>(key: string, list: T[], value: T): number {
    let index = this.known.get(key);
    if (index === undefined) {
      index = list.push(value) - 1;
      this.known.set(key, index);
    }
    return index;
  }
}
