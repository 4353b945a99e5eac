/** Names and what they mean, block by block. */
import type { SourceFile, Span } from "./diagnostics.ts";
import type { Doubt } from "./doubt.ts";
import type { FunctionContext } from "./function-context.ts";
import type { FunctionDeclaration } from "./generated/ast.ts";

/** Where a name is declared: the place of the name itself. */
export interface Declared extends Span {
  readonly source: SourceFile;
}

/** What a variable is known to hold at first: a task, or surely none. */
export type Holds = "task" | "other" | "anything";

export interface LocalSymbol {
  readonly kind: "local";
  readonly name: string;
  readonly slot: number;
  readonly context: FunctionContext;
  readonly declared: Declared;
  /** Whether anything reads it; shared with its copies. */
  readonly reads: { count: number };
  readonly holds: Holds;
  /** The value was copied from the code around a `guest` or `spawn` block. */
  readonly captured: boolean;
}

export interface GlobalSymbol {
  readonly kind: "global";
  readonly name: string;
  readonly index: number;
  /** Whether anything reads it. */
  readonly reads: { count: number };
  readonly holds: Holds;
  readonly declared: Declared;
  /** Where the statement ends that gives it its first value. */
  readonly ready: number;
}

export interface FunctionSymbol {
  readonly kind: "function";
  readonly name: string;
  readonly index: number;
  /** Undefined where its declaration has syntax errors. */
  readonly parameters: readonly string[] | undefined;
  readonly declaration: FunctionDeclaration;
  readonly declared: Declared;
}

/** An import with `as`. */
export interface ModuleSymbol {
  readonly kind: "module";
  readonly name: string;
  readonly names: ModuleNames;
  /** What is not known of the imported file. */
  readonly doubt: Doubt;
  readonly declared: Declared;
}

/** A parameter, where a caller names it. */
export interface ParameterSymbol {
  readonly kind: "parameter";
  readonly name: string;
  readonly declared: Declared;
}

/** A place where a name is used, or declared. */
export interface Use extends Declared {
  readonly symbol: FlowSymbol | ParameterSymbol;
}

export type FlowSymbol = LocalSymbol | GlobalSymbol | FunctionSymbol | ModuleSymbol;

/** What a file offers to those that import it, and to watch expressions in it. */
export type ModuleNames = Map<string, GlobalSymbol | FunctionSymbol | ModuleSymbol>;

export class Scope {
  readonly parent: Scope | undefined;
  readonly names: Map<string, FlowSymbol>;

  constructor(parent: Scope | undefined, names: Map<string, FlowSymbol> = new Map()) {
    this.parent = parent;
    this.names = names;
  }

  find(name: string): FlowSymbol | undefined {
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.parent) {
      const symbol = scope.names.get(name);
      if (symbol !== undefined) return symbol;
    }
    return undefined;
  }

  /** All names that can be used here. */
  *visible(): Generator<string> {
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.parent) yield* scope.names.keys();
  }
}
