/** Secure EPT of each TD by level; runs of like pages are folded. */
import { PAGE_SIZE } from "../../arch/page.ts";
import type { Changes } from "./changes.ts";
import type { Domain } from "./domains.ts";
import { fieldEdit } from "./fields.ts";
import { bytes, count, hex, range } from "./format.ts";
import { type Item, inGroups } from "./item.ts";
import type { Moment } from "./moment.ts";
import {
  entryName,
  nodeBytes,
  type SeptNode,
  type SeptTable,
  stateName,
  tableBelow,
  usedSeptEntries,
} from "./sept-scan.ts";

export function septItems(moment: Moment): readonly Item[] {
  return moment.domains.all.map((td) => septOfTd(moment, td, td.name));
}

/** One TD's tree. `id` is that of the item. */
export function septOfTd(moment: Moment, td: Domain, id: string, label = td.name): Item {
  const { sept } = td;
  if (sept === undefined) return { id, label, value: "no Secure EPT yet" };
  const value = `${sept.level + 1} levels · ${count(td.septPages.length + 1, "table")} · ${count(td.privatePages, "private page")}`;
  return {
    id,
    label,
    value,
    hpa: sept.hpa,
    isChanged: (changes) => tableChanged(moment, sept, changes, changedTables(td, moment, changes)),
    children: () => tableItems(moment, td, sept, id),
  };
}

/** The S-EPT pages of a TD in which a cell changed. */
function changedTables(td: Domain, moment: Moment, changes: Changes): ReadonlySet<number> {
  const { memory } = moment.machine.platform;
  const own = new Set([...td.septPages, ...(td.sept ? [td.sept.hpa] : [])]);
  const changed = new Set<number>();
  for (const cell of changes.cells) {
    const hpa = memory.hpaOf(cell);
    if (hpa !== undefined && own.has(hpa - (hpa % PAGE_SIZE))) changed.add(hpa - (hpa % PAGE_SIZE));
  }
  return changed;
}

/** Whether a table, or one below it, is among the changed ones; looks no further than where there are some. */
function tableChanged(moment: Moment, table: SeptTable, changes: Changes, changed: ReadonlySet<number>): boolean {
  if (changed.size === 0) return false;
  if (changed.has(table.hpa)) return true;
  if (table.level === 0) return false;
  return usedSeptEntries(moment.machine, table).some(
    (node) => node.isTable && tableChanged(moment, tableBelow(node), changes, changed),
  );
}

function tableItems(moment: Moment, td: Domain, table: SeptTable, parent: string): readonly Item[] {
  const items: Item[] = [];
  const nodes = usedSeptEntries(moment.machine, table);
  for (let at = 0; at < nodes.length; ) {
    let end = at + 1;
    while (end < nodes.length && continues(nodes[end - 1] as SeptNode, nodes[end] as SeptNode)) end++;
    const run = nodes.slice(at, end);
    items.push(run.length === 1 ? nodeItem(moment, td, run[0] as SeptNode, parent) : runItem(moment, td, run, parent));
    at = end;
  }
  return inGroups(parent, items);
}

/** Whether `next` is the same kind of leaf right behind `node`. */
function continues(node: SeptNode, next: SeptNode): boolean {
  return (
    !node.isTable &&
    !next.isTable &&
    next.state === node.state &&
    next.permissions === node.permissions &&
    next.isLocked === node.isLocked &&
    next.gpa === node.gpa + nodeBytes(node)
  );
}

function runItem(moment: Moment, td: Domain, run: readonly SeptNode[], parent: string): Item {
  const first = run[0] as SeptNode;
  const id = `${parent}/${hex(first.gpa)}`;
  return {
    id,
    label: range(first.gpa, run.length * nodeBytes(first)),
    value: `${run.length} × ${bytes(nodeBytes(first))} ${stateName(first.state)} ${first.permissions}`,
    cells: [[first.cell, run.length * 2]],
    children: () =>
      inGroups(
        id,
        run.map((node) => nodeItem(moment, td, node, id)),
      ),
  };
}

function nodeItem(moment: Moment, td: Domain, node: SeptNode, parent: string): Item {
  const id = `${parent}/${hex(node.gpa)}`;
  const marks = `${node.isLocked ? " · locked" : ""}${node.hasHostPriority ? " · host priority" : ""}`;
  const target = node.hpa === 0 ? "" : ` → ${node.isTable ? hex(node.hpa) : moment.hpa(node.hpa)}`;
  const permissions = node.isTable ? "" : ` ${node.permissions}`;
  const base = {
    id,
    label: range(node.gpa, nodeBytes(node)),
    value: `${stateName(node.state)}${permissions}${target}${marks}`,
    tooltip: `level ${node.level} entry, ${bytes(nodeBytes(node))}${node.hpa ? `\n${moment.hpa(node.hpa)}` : ""}`,
    ...(node.hpa !== 0 && { hpa: node.hpa }),
    edit: fieldEdit(moment, entryName(td.name, node.level, node.gpa), node.cell, "hex64"),
  };
  if (!node.isTable || node.level === 0) return { ...base, cells: [[node.cell, 2]] };
  const below = tableBelow(node);
  return {
    ...base,
    isChanged: (changes) =>
      changes.inRange([node.cell, 2]) || tableChanged(moment, below, changes, changedTables(td, moment, changes)),
    children: () => tableItems(moment, td, below, id),
  };
}
