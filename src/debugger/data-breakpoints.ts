/**
 * Data breakpoints: cells of the store that are watched. They stop behind the smallest move that changed one, or used it in the
 * way asked for: a statement, a call of the module, or a step inside it. A cell that a move changes and restores, as it does
 * with locks, has not changed.
 */
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
import type { Debuggee } from "./debuggee.ts";
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
  /** Whose data is watched. */
  private debuggee: Debuggee | undefined;

  get isEmpty(): boolean {
    return this.watched.length === 0;
  }

  /** Whether the journal is not enough: it does not tell of reads, nor of writes that change nothing. */
  get needsTrace(): boolean {
    return this.watched.some(({ access }) => access !== "change");
  }

  /** What an access trace has to look for. */
  traced(debuggee: Debuggee): { readonly cells: ReadonlySet<number>; readonly slots: ReadonlySet<number> } {
    const wanted = this.on(debuggee).filter(({ access }) => access !== "change");
    return {
      cells: new Set(wanted.flatMap(({ cells }) => [...cells.keys()])),
      slots: new Set(wanted.flatMap(({ slots }) => [...slots])),
    };
  }

  /** Those whose data is there now. */
  there(debuggee: Debuggee): ReadonlySet<ActiveBreakpoint> {
    const there = this.on(debuggee).filter(({ isThere }) => isThere?.() !== false);
    return new Set(there.map(({ active }) => active));
  }

  /** Those that a trace has met. A variable that was there before may have been read last with the end of its function. */
  accessed(debuggee: Debuggee, trace: AccessTrace, before: ReadonlySet<ActiveBreakpoint>): ActiveBreakpoint[] {
    return this.on(debuggee)
      .filter(({ active, access, cells, slots, isThere }) => {
        const isGone = isThere?.() === false;
        if (isGone && !before.has(active)) return false;
        const isRead = meets(trace.readCells, cells) || meets(trace.readSlots, slots);
        const isWritten = meets(trace.writtenCells, cells) || meets(trace.writtenSlots, slots);
        return (
          (access !== "write" && access !== "change" && isRead) ||
          ((access === "write" || access === "any") && isWritten && !isGone)
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
    debuggee: Debuggee,
    requests: readonly DataBreakpointRequest[],
    nextId: () => number,
    trigger: (trigger: Trigger) => Hits | string,
  ): Breakpoint[] {
    const watched: Watched[] = [];
    const answers = requests.map((request): Breakpoint => {
      const id = nextId();
      const active = activeBreakpoint(id, "data", request, trigger);
      if (typeof active === "string") return { id, verified: false, message: active };
      const { dataId, access = "change" } = request;
      const place = resolveDataId(debuggee, dataId);
      if (place === undefined) return { id, verified: false, message: `"${dataId}" names no data.` };
      if (place.part && access === "read") {
        return { id, verified: false, message: "Reads of a field or element are not told from those of the others." };
      }
      watched.push({ active, access: place.part ? "change" : access, dataId, ...place });
      return { id, verified: true };
    });
    this.watched = watched;
    this.debuggee = debuggee;
    return answers;
  }

  /** Those whose data differs between two marks; `to` undefined: now. */
  changed(debuggee: Debuggee, from: number, to: number | undefined): ActiveBreakpoint[] {
    const { store } = debuggee;
    const cells = new Map<number, number>();
    const slots = new Map<number, unknown>();
    for (const change of store.changes(from, to)) {
      if ("cell" in change) {
        if (!cells.has(change.cell)) cells.set(change.cell, change.old);
      } else if (!slots.has(change.slot)) slots.set(change.slot, change.old);
    }
    return this.on(debuggee)
      .filter((watched) => watched.access === "change" && watched.isThere?.() !== false)
      .filter((watched) => differs(store, watched, cells, slots))
      .map(({ active }) => active);
  }

  /** Those whose data the journal says to have been written between two marks, to whatever value; `to` undefined: now. */
  written(debuggee: Debuggee, from: number, to: number | undefined): ReadonlySet<ActiveBreakpoint> {
    const { store } = debuggee;
    const watched = this.on(debuggee)
      .filter(({ access }) => access === "change")
      .map(({ active, cells, slots, part }) => {
        return { active, cells, slots: part ? new Set(part((slot) => store.readValue(slot)).slots) : slots };
      });
    const found = new Set<ActiveBreakpoint>();
    for (const change of store.changes(from, to)) {
      for (const { active, cells, slots } of watched) {
        if ("cell" in change ? cells.has(change.cell) : slots.has(change.slot)) found.add(active);
      }
    }
    return found;
  }

  private on(debuggee: Debuggee): readonly Watched[] {
    if (debuggee.machine !== this.debuggee?.machine) this.move(debuggee);
    return this.watched;
  }

  /** The run started over on a new machine: the same data lies in other cells. */
  private move(debuggee: Debuggee): void {
    this.watched = this.watched.map((watched) => ({ ...watched, ...resolveDataId(debuggee, watched.dataId) }));
    this.debuggee = debuggee;
  }
}

function meets(touched: ReadonlySet<number>, watched: { has(one: number): boolean }): boolean {
  for (const one of touched) if (watched.has(one)) return true;
  return false;
}

function differs(
  store: Store,
  { cells, slots, part }: Watched,
  oldCells: ReadonlyMap<number, number>,
  oldSlots: ReadonlyMap<number, unknown>,
): boolean {
  if (part) {
    const now = part((slot) => store.readValue(slot));
    const before = part((slot) => (oldSlots.has(slot) ? oldSlots.get(slot) : store.readValue(slot)));
    return !Object.is(now.value, before.value);
  }
  for (const [cell, old] of oldCells) if (((store.read(cell) ^ old) & (cells.get(cell) ?? 0)) !== 0) return true;
  for (const [slot, old] of oldSlots) if (slots.has(slot) && !Object.is(store.readValue(slot), old)) return true;
  return false;
}
