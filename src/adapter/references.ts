/** Numbers by which a client asks for the children of what it has been shown. They hold until the session moves. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import { hex } from "../debugger/inspect/format.ts";
import type { Item } from "../debugger/inspect/item.ts";

export class References {
  private readonly lists: (() => readonly Item[])[] = [];

  clear(): void {
    this.lists.length = 0;
  }

  add(children: () => readonly Item[]): number {
    return this.lists.push(children);
  }

  get(reference: number): readonly Item[] | undefined {
    return this.lists[reference - 1]?.();
  }

  toVariable(item: Item): DebugProtocol.Variable {
    return {
      name: item.label,
      value: item.value,
      variablesReference: item.children ? this.add(item.children) : 0,
      ...(item.evaluateName !== undefined && { evaluateName: item.evaluateName }),
      ...(item.type !== undefined && { type: item.type }),
      ...(item.hpa !== undefined && { memoryReference: hex(item.hpa) }),
    };
  }
}
