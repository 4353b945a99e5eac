/** The PAMT by TDMR: pages in use, folded into runs of like neighbours. */
import { PT_EPT, PT_REG, PT_RSVD, PT_TDCX, PT_TDR, PT_TDVPR, pageTypeNames } from "../../arch/generated/pamt-types.ts";
import { PAGE_BYTES, PG_4K } from "../../module/pamt.ts";
import { TDMR_WORDS } from "../../module/sys.ts";
import { describeEntry } from "./describe-hpa.ts";
import { bytes, hex, range } from "./format.ts";
import { type Item, inGroups } from "./item.ts";
import type { Moment } from "./moment.ts";
import { ENTRY_WORDS, entriesOf, isInArray, type PageEntry, type PageRun, pamtArrays, type Tdmr } from "./pamt-scan.ts";

function typeName(type: number): string {
  return pageTypeNames[type] ?? `type ${type}`;
}

const MEANINGS: Readonly<Record<number, string>> = {
  [PT_RSVD]: "In a reserved area of the TDMR",
  [PT_REG]: "Private memory of a TD",
  [PT_TDR]: "Root page of a TD",
  [PT_TDCX]: "Page of a TDCS or TDVPS",
  [PT_TDVPR]: "Root page of a VCPU",
  [PT_EPT]: "Page of a Secure EPT",
};

export function pamtItems(moment: Moment): readonly Item[] {
  return moment.domains.tdmrs.map((tdmr, index) => {
    const runs = moment.domains.runs[index] ?? [];
    const id = `tdmr${index}`;
    const done = Math.min(tdmr.initialized, tdmr.base + tdmr.size) - tdmr.base;
    const state =
      done < tdmr.size ? `${bytes(Math.max(done, 0))} of ${bytes(tdmr.size)} initialised` : bytes(tdmr.size);
    return {
      id,
      label: `TDMR ${index}`,
      value: `${range(tdmr.base, tdmr.size)} · ${state} · ${usage(runs)}`,
      tooltip: tdmr.pamt
        .map((base, size) => `PAMT of ${bytes(PAGE_BYTES[size] as number)} pages at ${hex(base)}`)
        .join("\n"),
      // What was in use and is free now lies in pages of the PAMT that still show a run, or in none: hence the whole array.
      isChanged: (changes) => changes.cells.some((cell) => isInPamt(moment, tdmr, cell)),
      children: () =>
        inGroups(
          id,
          runs.map((run) => runItem(moment, tdmr, run, id)),
        ),
    };
  });
}

function usage(runs: readonly PageRun[]): string {
  let used = 0;
  for (const run of runs) if (run.type !== PT_RSVD) used += run.pages * (PAGE_BYTES[run.size] as number);
  return used === 0 ? "no page in use" : `${bytes(used)} in use`;
}

/** Whether a cell is one of a TDMR's PAMT arrays, or of its entry in the module's table. */
function isInPamt(moment: Moment, tdmr: Tdmr, cell: number): boolean {
  const hpa = moment.machine.platform.memory.hpaOf(cell);
  if (hpa === undefined) return cell >= tdmr.cell && cell < tdmr.cell + TDMR_WORDS;
  return pamtArrays(tdmr).some((array) => isInArray(array, hpa));
}

function runItem(moment: Moment, tdmr: Tdmr, run: PageRun, parent: string): Item {
  const id = `${parent}/${hex(run.first)}`;
  const size = PAGE_BYTES[run.size] as number;
  if (run.pages === 1) return entryItem(moment, entriesOf(moment.machine, tdmr, run)[0] as PageEntry, id);
  const td = moment.domains.byTdr(run.owner);
  return {
    id,
    label: range(run.first, run.pages * size),
    value: `${run.pages} × ${bytes(size)} ${typeName(run.type)}${td ? ` of ${td.name}` : ""}`,
    tooltip: MEANINGS[run.type] ?? "",
    hpa: run.first,
    cells: run.cells,
    children: () =>
      inGroups(
        id,
        entriesOf(moment.machine, tdmr, run).map((entry) => entryItem(moment, entry, `${id}/${hex(entry.hpa)}`)),
      ),
  };
}

function entryItem(moment: Moment, entry: PageEntry, id: string): Item {
  const size = entry.size === PG_4K ? "" : ` · ${bytes(PAGE_BYTES[entry.size] as number)}`;
  const epoch = entry.type === PT_REG && entry.bepoch !== 0 ? ` · blocked in epoch ${entry.bepoch}` : "";
  return {
    id,
    label: hex(entry.hpa),
    value: `${typeName(entry.type)} · ${describeEntry(moment.domains, entry)}${size}${epoch}`,
    tooltip: [
      MEANINGS[entry.type] ?? "",
      entry.owner ? `owner ${moment.hpa(entry.owner)}` : "no owner",
      `BEPOCH ${entry.bepoch}`,
    ].join("\n"),
    hpa: entry.hpa,
    cells: [[entry.cell, ENTRY_WORDS]],
  };
}
