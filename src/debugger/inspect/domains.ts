/** Which TDs there are and what belongs to each: read from the PAMT once for each moment that is looked at. */
import { PT_EPT, PT_REG, PT_TDR, PT_TDVPR } from "../../arch/generated/pamt-types.ts";
import {
  TDCS_OP_STATE,
  TDR_HKID,
  TDR_LIFECYCLE_STATE,
  TDR_NUM_TDCX,
  TDR_TD_UUID,
  TDR_TDCX_PA,
  TDVPS_NUM_TDVPS_PAGES,
  TDVPS_TDVPS_PAGE_PA,
  TDVPS_VCPU_INDEX,
  TDVPS_VCPU_STATE,
} from "../../module/layout.ts";
import type { Machine } from "../../module/machine.ts";
import { PAGE_BYTES } from "../../module/pamt.ts";
import { MAX_TDCX_PAGES, MAX_TDVPS_PAGES } from "../../module/survey.ts";
import { BLOCK_WORDS } from "../../state/store.ts";
import type { CellRange } from "./item.ts";
import { type PageRun, type Tdmr, tdmrs, usedRuns } from "./pamt-scan.ts";
import { rootTable, type SeptTable, tableBelow, usedSeptEntries } from "./sept-scan.ts";

export interface Vcpu {
  readonly td: Domain;
  /** HPA of the TDVPR, and its cell. */
  readonly hpa: number;
  readonly cell: number;
  /** VCPU_INDEX once it is initialised, else its place among the TD's TDVPRs. */
  readonly index: number;
  readonly state: number;
  /** HPAs of all pages of the TDVPS, the TDVPR first. */
  readonly pages: readonly number[];
}

export interface Domain {
  /** As people call it: td0, td1, … in the order in which they were seen. */
  readonly name: string;
  /** HPA of the TDR, and its cell. */
  readonly hpa: number;
  readonly tdr: number;
  readonly hkid: number;
  readonly lifecycle: number;
  /** Pages of the TDCS in their order. */
  readonly tdcsPages: readonly number[];
  /** Cell of the TDCS's first page, or 0. */
  readonly tdcs: number;
  readonly opState: number;
  readonly vcpus: readonly Vcpu[];
  readonly sept: SeptTable | undefined;
  /** HPAs of its S-EPT pages other than the root. */
  readonly septPages: readonly number[];
  readonly privatePages: number;
}

/** Where the walk of all S-EPTs found a page or table. */
export interface Mapping {
  readonly td: Domain;
  readonly gpa: number;
  readonly level: number;
}

/** Mappings are listed by page up to this many: past it a page is described without its GPA. */
const MAX_MAPPINGS = 500_000;

/** Names that were given, by what identifies a TD for good: names are labels and decide nothing, so they are no state. */
export class DomainNames {
  private readonly names = new Map<string, string>();

  of(uuid: string): string {
    let name = this.names.get(uuid);
    if (name === undefined) {
      name = `td${this.names.size}`;
      this.names.set(uuid, name);
    }
    return name;
  }
}

/** All TDs at one moment. */
export class Domains {
  readonly machine: Machine;
  readonly tdmrs: readonly Tdmr[];
  /** Runs of used pages by TDMR. */
  readonly runs: readonly (readonly PageRun[])[];
  readonly all: readonly Domain[];
  private maps: ReadonlyMap<number, Mapping> | undefined;

  constructor(machine: Machine, names: DomainNames) {
    this.machine = machine;
    this.tdmrs = tdmrs(machine);
    this.runs = this.tdmrs.map((tdmr) => usedRuns(machine, tdmr));
    const roots = this.pagesOf((run) => run.type === PT_TDR);
    this.all = roots.map((hpa) => this.domain(hpa, names));
  }

  /** The TD whose TDR is at `hpa`. */
  byTdr(hpa: number): Domain | undefined {
    return this.all.find((td) => td.hpa === hpa);
  }

  /** The first cell of the page at `hpa` and how many it has, for what is made from all of it; none if it was never written. */
  pageCells(hpa: number): CellRange[] {
    const cell = this.machine.platform.memory.peek(hpa);
    return cell === 0 ? [] : [[cell, BLOCK_WORDS]];
  }

  /** What S-EPT entry maps the page or table at `hpa`. */
  mapping(hpa: number): Mapping | undefined {
    this.maps ??= this.allMappings();
    return this.maps.get(hpa);
  }

  private pagesOf(wanted: (run: PageRun) => boolean): number[] {
    const pages: number[] = [];
    for (const run of this.runs.flat()) {
      if (!wanted(run)) continue;
      const size = PAGE_BYTES[run.size] as number;
      for (let i = 0; i < run.pages; i++) pages.push(run.first + i * size);
    }
    return pages;
  }

  private domain(hpa: number, names: DomainNames): Domain {
    const { machine } = this;
    const { store } = machine;
    const { memory } = machine.platform;
    // A TDR that was never written has no block yet; its page reads as zeros.
    const tdr = memory.cell(hpa);
    const uuid = Array.from({ length: 8 }, (_, i) => store.read(tdr + TDR_TD_UUID + i)).join();
    // A host may have overwritten the structure with anything.
    const tdcxCount = Math.min(store.read(tdr + TDR_NUM_TDCX), MAX_TDCX_PAGES);
    const tdcsPages = Array.from({ length: tdcxCount }, (_, i) => store.readNumber(tdr + TDR_TDCX_PA + i * 2));
    const tdcs = tdcsPages[0] === undefined ? 0 : memory.peek(tdcsPages[0]);
    const vcpus: Vcpu[] = [];
    const td: Domain = {
      name: names.of(`${hpa}:${uuid}`),
      hpa,
      tdr,
      hkid: store.read(tdr + TDR_HKID),
      lifecycle: store.read(tdr + TDR_LIFECYCLE_STATE),
      tdcsPages,
      tdcs,
      opState: tdcs === 0 ? 0 : store.read(tdcs + TDCS_OP_STATE),
      vcpus,
      sept: tdcs === 0 ? undefined : rootTable(machine, tdcs, tdcsPages),
      septPages: this.pagesOf((run) => run.type === PT_EPT && run.owner === hpa),
      privatePages: this.runs
        .flat()
        .filter((run) => run.type === PT_REG && run.owner === hpa)
        .reduce((sum, run) => sum + run.pages * 512 ** run.size, 0),
    };
    for (const page of this.pagesOf((run) => run.type === PT_TDVPR && run.owner === hpa)) {
      const cell = memory.cell(page);
      const state = store.read(cell + TDVPS_VCPU_STATE);
      const pageCount = Math.min(Math.max(store.read(cell + TDVPS_NUM_TDVPS_PAGES), 1), MAX_TDVPS_PAGES);
      const more = Array.from({ length: pageCount - 1 }, (_, i) =>
        store.readNumber(cell + TDVPS_TDVPS_PAGE_PA + (i + 1) * 2),
      );
      const index = state === 0 ? vcpus.length : store.read(cell + TDVPS_VCPU_INDEX);
      vcpus.push({ td, hpa: page, cell, index, state, pages: [page, ...more] });
    }
    vcpus.sort((a, b) => a.index - b.index);
    return td;
  }

  private allMappings(): ReadonlyMap<number, Mapping> {
    const found = new Map<number, Mapping>();
    const visit = (td: Domain, table: SeptTable): void => {
      for (const node of usedSeptEntries(this.machine, table)) {
        if (found.size >= MAX_MAPPINGS) return;
        if (node.hpa !== 0) found.set(node.hpa, { td, gpa: node.gpa, level: node.level });
        if (node.isTable && node.level > 0) visit(td, tableBelow(node));
      }
    };
    for (const td of this.all) if (td.sept) visit(td, td.sept);
    return found;
  }
}
