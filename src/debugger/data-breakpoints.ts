/**
 * Data breakpoints: cells of the store that are watched. They stop behind the smallest move that changed one, or used it in the
 * way asked for: a statement, a call of the module, or a step inside it. A cell that a move changes and restores, as it does
 * with locks, has not changed.
 */
import type { Machine } from "../module/machine.ts";
import type { AccessTrace } from "../state/access-trace.ts";
import type { Store } from "../state/store.ts";
import {
  type ActiveBreakpoint,
  activeBreakpoint,
  type Breakpoint,
  type BreakpointRequest,
} from "./active-breakpoint.ts";
import type { Trigger } from "./condition.ts";
import { resolveDataId, type WatchedData } from "./data-ids.ts";
import type { Hits } from "./hit-condition.ts";

/** What is done to the data: its value changes, it is written (to whatever value), read, or either of these. */
export type DataAccess = "change" | "write" | "read" | "any";

interface Watched extends WatchedData {
  readonly active: ActiveBreakpoint;
  readonly access: DataAccess;
  readonly dataId: string;
}

export interface DataBreakpointRequest extends BreakpointRequest {
  readonly dataId: string;
  /** Default: "change". */
  readonly access?: DataAccess;
}

export class DataBreakpoints {
  private watched: readonly Watched[] = [];
  /** The machine whose cells are watched. */
  private machine: Machine | undefined;

  get isEmpty(): boolean {
    return this.watched.length === 0;
  }

  /** Whether the journal is not enough: it does not tell of reads, nor of writes that change nothing. */
  get needsTrace(): boolean {
    return this.watched.some(({ access }) => access !== "change");
  }

  /** What an access trace has to look for. */
  traced(machine: Machine): WatchedData {
    const wanted = this.on(machine).filter(({ access }) => access !== "change");
    return {
      cells: new Set(wanted.flatMap(({ cells }) => [...cells])),
      slots: new Set(wanted.flatMap(({ slots }) => [...slots])),
    };
  }

  /** Those that a trace has met. */
  accessed(machine: Machine, trace: AccessTrace): ActiveBreakpoint[] {
    return this.on(machine)
      .filter(({ access, cells, slots }) => {
        const isRead = meets(trace.readCells, cells) || meets(trace.readSlots, slots);
        const isWritten = meets(trace.writtenCells, cells) || meets(trace.writtenSlots, slots);
        return (
          (access !== "write" && access !== "change" && isRead) ||
          ((access === "write" || access === "any") && isWritten)
        );
      })
      .map(({ active }) => active);
  }

  get counts(): boolean {
    return this.watched.some(({ active }) => active.hitCondition !== undefined);
  }

  forgetHits(step: number, sub: number): void {
    for (const { active } of this.watched) active.hits.forget(step, sub);
  }

  /** Replaces all. `nextId` gives ids, `trigger` what `after(…)` in a condition asks for. */
  set(
    machine: Machine,
    requests: readonly DataBreakpointRequest[],
    nextId: () => number,
    trigger: (trigger: Trigger) => Hits | string,
  ): Breakpoint[] {
    const watched: Watched[] = [];
    const answers = requests.map((request): Breakpoint => {
      const id = nextId();
      const active = activeBreakpoint(id, "data", request, trigger);
      if (typeof active === "string") return { id, verified: false, message: active };
      const place = resolveDataId(machine, request.dataId);
      if (place === undefined) return { id, verified: false, message: `"${request.dataId}" names no data.` };
      watched.push({ active, access: request.access ?? "change", dataId: request.dataId, ...place });
      return { id, verified: true };
    });
    this.watched = watched;
    this.machine = machine;
    return answers;
  }

  /** Those whose data differs between two marks; `to` undefined: now. */
  changed(machine: Machine, from: number, to: number | undefined): ActiveBreakpoint[] {
    const { store } = machine;
    const cells = new Map<number, number>();
    const slots = new Map<number, unknown>();
    for (const change of store.changes(from, to)) {
      if ("cell" in change) {
        if (!cells.has(change.cell)) cells.set(change.cell, change.old);
      } else if (!slots.has(change.slot)) slots.set(change.slot, change.old);
    }
    return this.on(machine)
      .filter((watched) => watched.access === "change" && differs(store, watched, cells, slots))
      .map(({ active }) => active);
  }

  /** Those whose data the journal says to have been written between two marks, to whatever value; `to` undefined: now. */
  written(machine: Machine, from: number, to: number | undefined): ReadonlySet<ActiveBreakpoint> {
    const watched = this.on(machine).filter(({ access }) => access === "change");
    const found = new Set<ActiveBreakpoint>();
    for (const change of machine.store.changes(from, to)) {
      for (const { active, cells, slots } of watched) {
        if ("cell" in change ? cells.has(change.cell) : slots.has(change.slot)) found.add(active);
      }
    }
    return found;
  }

  private on(machine: Machine): readonly Watched[] {
    if (machine !== this.machine) this.move(machine);
    return this.watched;
  }

  /** The run started over on a new machine: the same data lies in other cells. */
  private move(machine: Machine): void {
    this.watched = this.watched.map((watched) => ({ ...watched, ...resolveDataId(machine, watched.dataId) }));
    this.machine = machine;
  }
}

function meets(touched: ReadonlySet<number>, watched: ReadonlySet<number>): boolean {
  for (const one of touched) if (watched.has(one)) return true;
  return false;
}

function differs(
  store: Store,
  { cells, slots }: Watched,
  oldCells: ReadonlyMap<number, number>,
  oldSlots: ReadonlyMap<number, unknown>,
): boolean {
  for (const [cell, old] of oldCells) if (cells.has(cell) && store.read(cell) !== old) return true;
  for (const [slot, old] of oldSlots) if (slots.has(slot) && !Object.is(store.readValue(slot), old)) return true;
  return false;
}
