/**
 * Numbers by which a client asks for the children of what it has been shown. They hold until the session moves, and no number is
 * ever given out twice: a client that steps fast still asks with numbers of the stop before.
 */
import type { DebugProtocol } from "@vscode/debugprotocol";
import { hex as address } from "../debugger/inspect/format.ts";
import type { Item } from "../debugger/inspect/item.ts";
import type { FlowPlace } from "../debugger/stack.ts";
import { inHex } from "./format.ts";

interface List {
  readonly items: () => readonly Item[];
  /** Where a new value for one of them is understood. */
  readonly at: FlowPlace;
}

export class References {
  private readonly lists: List[] = [];
  /** Numbers that were given out before the session moved last. */
  private spent = 0;

  clear(): void {
    this.spent += this.lists.length;
    this.lists.length = 0;
  }

  add(items: () => readonly Item[], at: FlowPlace): number {
    return this.spent + this.lists.push({ items, at });
  }

  /** "spent": a number of an earlier stop; undefined: never given out. */
  get(reference: number): List | "spent" | undefined {
    if (reference >= 1 && reference <= this.spent) return "spent";
    return this.lists[reference - this.spent - 1];
  }

  /** @param hex the client wants integers in hexadecimal */
  toVariable(item: Item, hex: boolean, at: FlowPlace): DebugProtocol.Variable {
    return {
      name: item.label,
      value: hex ? inHex(item.value) : item.value,
      variablesReference: item.children ? this.add(item.children, at) : 0,
      ...(item.evaluateName !== undefined && { evaluateName: item.evaluateName }),
      ...(item.type !== undefined && { type: item.type }),
      ...(item.hpa !== undefined && { memoryReference: address(item.hpa) }),
      ...(item.edit === undefined && { presentationHint: { attributes: ["readOnly"] } }),
      // VS Code's own: by it a menu entry can be for such variables only.
      ...(isStored(item) && { __vscodeVariableMenuContext: "stored" }),
    };
  }
}

/** Whether something stands in the store for it, so that it can be watched and asked who changed it. */
function isStored({ dataId, cells }: Item): boolean {
  return dataId !== undefined || (cells?.length ?? 0) > 0;
}
