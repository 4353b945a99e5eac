/**
 * Numbers by which a client asks for the children of what it has been shown. They hold until the session moves, and no number is
 * ever given out twice: a client that steps fast still asks with numbers of the stop before.
 */
import type { DebugProtocol } from "@vscode/debugprotocol";
import { hex as address } from "../debugger/inspect/format.ts";
import type { Item } from "../debugger/inspect/item.ts";
import { inHex } from "./format.ts";

export class References {
  private readonly lists: { readonly items: () => readonly Item[]; readonly frame: number }[] = [];
  /** Numbers that were given out before the session moved last. */
  private spent = 0;

  clear(): void {
    this.spent += this.lists.length;
    this.lists.length = 0;
  }

  /** `frame`: the flow's frame in which a new value for one of them is understood. */
  add(items: () => readonly Item[], frame = 0): number {
    return this.spent + this.lists.push({ items, frame });
  }

  frameOf(reference: number): number {
    return this.lists[reference - this.spent - 1]?.frame ?? 0;
  }

  /** "spent": a number of an earlier stop; undefined: never given out. */
  get(reference: number): readonly Item[] | "spent" | undefined {
    if (reference >= 1 && reference <= this.spent) return "spent";
    return this.lists[reference - this.spent - 1]?.items();
  }

  /** @param hex the client wants integers in hexadecimal */
  toVariable(item: Item, hex: boolean, frame = 0): DebugProtocol.Variable {
    return {
      name: item.label,
      value: hex ? inHex(item.value) : item.value,
      variablesReference: item.children ? this.add(item.children, frame) : 0,
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
function isStored({ slot, cells }: Item): boolean {
  return slot !== undefined || (cells?.length ?? 0) > 0;
}
