/** What the compiler knows about the function that it is in. */
import { Emitter, type Label } from "./emitter.ts";
import type { FunctionKind } from "./flow-code.ts";
import type { LocalSymbol, Scope } from "./scope.ts";

/** A loop, or a block that has something to undo when it is left. */
export type Enclosing =
  | { readonly kind: "loop"; readonly continueAt: Label; readonly breakAt: Label }
  | { readonly kind: "cleanup"; readonly operation: number; readonly slot: number };

export class FunctionContext {
  readonly kind: FunctionKind;
  readonly emitter = new Emitter();
  /** The function around a `guest` or `spawn` block. */
  readonly parent: FunctionContext | undefined;
  scope: Scope;
  /** In `expect fails …`: what the leaf cannot take is meant. */
  expectsFailure = false;
  readonly enclosing: Enclosing[] = [];
  /** Locals of the function around whose values are copied into slots of this one. */
  readonly captures: { readonly outer: LocalSymbol; readonly slot: number }[] = [];

  constructor(kind: FunctionKind, scope: Scope, parent?: FunctionContext) {
    this.kind = kind;
    this.scope = scope;
    this.parent = parent;
  }

  /** The symbol by which this function sees a local of a function around it. */
  capture(outer: LocalSymbol): LocalSymbol {
    if (outer.context === this || this.parent === undefined) return outer;
    const inParent = this.parent.capture(outer);
    const known = this.captures.find((capture) => capture.outer === inParent);
    const slot = known?.slot ?? this.emitter.slot();
    if (known === undefined) {
      this.captures.push({ outer: inParent, slot });
      this.emitter.variables.push({ name: outer.name, slot, from: 0, to: Number.MAX_SAFE_INTEGER });
    }
    return { ...outer, slot, context: this, captured: true };
  }
}
