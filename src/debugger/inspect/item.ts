/**
 * The one inspection model: what the trees of a front end and the variables of a debug adapter are both made of. Items are
 * made for the moment at which the session stands and thrown away when it moves.
 */
import type { EditPlace } from "../edit-place.ts";
import type { Changes } from "./changes.ts";

/** A run of cells of the store: the first and how many. */
export type CellRange = readonly [first: number, count: number];

export interface Item {
  /** Path from the root of its view, parts separated by "/". The same thing has the same id at every step. */
  readonly id: string;
  readonly label: string;
  readonly value: string;
  /** Expression of the flow language that gives it, where there is one, and what type it is there. */
  readonly evaluateName?: string;
  readonly type?: string;
  /** More about it than fits on a line. */
  readonly tooltip?: string;
  /** Physical address of the bytes that it stands for. */
  readonly hpa?: number;
  /** Cells that it, and everything below it, is made from: it counts as changed when one of them is. */
  readonly cells?: readonly CellRange[];
  /** Names it for data breakpoints, where it is no cells: variables of a flow, fields, elements. */
  readonly dataId?: string;
  /** Where a person can change it. */
  readonly edit?: EditPlace;
  /** Decides that instead of `cells`, where listing all cells below would cost too much. */
  readonly isChanged?: (changes: Changes) => boolean;
  readonly children?: () => readonly Item[];
}

/** Longer lists of children are split into groups, so that no view has to show thousands of rows at once. */
const MAX_ROWS = 200;
const ROWS_PER_GROUP = 100;

/** Splits a long list into groups that open on demand. `parent` is the id of the item that has the list. */
export function inGroups(parent: string, items: readonly Item[]): readonly Item[] {
  if (items.length <= MAX_ROWS) return items;
  const size = ROWS_PER_GROUP ** Math.max(1, Math.ceil(Math.log(items.length) / Math.log(ROWS_PER_GROUP)) - 1);
  const groups: Item[] = [];
  for (let at = 0; at < items.length; at += size) {
    const part = items.slice(at, at + size);
    const first = part[0] as Item;
    const last = part[part.length - 1] as Item;
    // Members keep ids of their own below the group's, which starts at a position in the list.
    const id = `${parent}/~${at}`;
    groups.push({
      id,
      label: `${first.label} … ${last.label}`,
      value: `${part.length} entries`,
      isChanged: (changes) => part.some((item) => itemChanged(item, changes)),
      children: () =>
        inGroups(
          id,
          part.map((item) => moved(item, parent, id)),
        ),
    });
  }
  return groups;
}

/** Whether the item, or something below it, differs from the earlier moment. */
export function itemChanged(item: Item, changes: Changes): boolean {
  return item.isChanged?.(changes) ?? changes.inAny(item.cells ?? []);
}

/** The item, and all below it, with ids under `to` instead of `from`. */
function moved(item: Item, from: string, to: string): Item {
  const { children } = item;
  return {
    ...item,
    id: to + item.id.slice(from.length),
    ...(children && { children: () => children().map((child) => moved(child, from, to)) }),
  };
}

/** Finds an item by id from the roots of its view, opening what lies above it. */
export function findItem(roots: readonly Item[], id: string): Item | undefined {
  let level = roots;
  for (;;) {
    const next = level.find((item) => id === item.id || id.startsWith(`${item.id}/`));
    if (next === undefined || next.id === id) return next;
    level = next.children?.() ?? [];
  }
}
