/**
 * What happens below a status: hazards of memory and caches, #VE in a guest, a broken invariant. No leaf returns them, so a run
 * notices them by what the journal says: two counts that a run reads once in many units, and the invariants only if asked for.
 */
import { checkInvariants, type Violation } from "../module/invariants.ts";
import type { Machine } from "../module/machine.ts";
import { type Survey, survey } from "../module/survey.ts";
import {
  HAZARD_DIRTY_LINE,
  HAZARD_MACHINE_CHECK,
  HAZARD_PRIVATE_OVERWRITTEN,
  HAZARD_STALE_TLB,
} from "../platform/hazards.ts";
import type { Change } from "../state/store.ts";
import type { Debuggee } from "./debuggee.ts";
import type { ExceptionFilters, SilentEvent } from "./exceptions.ts";
import type { Timeline } from "./timeline.ts";

const HAZARD_FILTERS: Readonly<Record<number, string>> = {
  [HAZARD_MACHINE_CHECK]: "machine-check",
  [HAZARD_PRIVATE_OVERWRITTEN]: "private-overwritten",
  [HAZARD_DIRTY_LINE]: "dirty-line",
  [HAZARD_STALE_TLB]: "stale-tlb",
};

const VE_FILTER = "guest-ve";
const WARN_FILTER = "host-warn";
const INVARIANT_FILTER = "invariant";
/** The invariant that what a TD's structures name are its pages. */
const STRUCTURES = "structure-pages";

const COUNTED_HAZARDS = Object.values(HAZARD_FILTERS);

interface Checked {
  readonly machine: Machine;
  readonly step: number;
  readonly survey: Survey | undefined;
  readonly violations: readonly Violation[];
}

interface Broken {
  readonly machine: Machine;
  /** The unit's end. */
  readonly step: number;
  readonly violations: readonly Violation[];
}

export class SilentEvents {
  private readonly timeline: Timeline;
  private readonly exceptions: ExceptionFilters;
  /** The invariants between units, where they were looked at last. */
  private checked: Checked | undefined;
  /** What a unit broke: of the unit that was looked at last. */
  private broken: Broken | undefined;

  constructor(timeline: Timeline, exceptions: ExceptionFilters) {
    this.timeline = timeline;
    this.exceptions = exceptions;
  }

  forget(): void {
    this.checked = undefined;
    this.broken = undefined;
  }

  get checksInvariants(): boolean {
    return this.exceptions.checksInvariants || this.exceptions.has(INVARIANT_FILTER);
  }

  /** How often what is looked for has happened: differs between two moments if it did between them. */
  get count(): number {
    const { hazards, veCount } = this.machine.platform;
    const isHazardWanted = COUNTED_HAZARDS.some((filter) => this.exceptions.has(filter));
    const { debuggee } = this.timeline;
    const warnings = this.exceptions.has(WARN_FILTER) ? debuggee.store.read(debuggee.warningCell) : 0;
    return (isHazardWanted ? hazards.count : 0) + (this.exceptions.has(VE_FILTER) ? veCount : 0) + warnings;
  }

  /** The latest unit in history, before the present place, in which the count changed; -1: none. */
  get lastUnit(): number {
    const { store, start, warningCell } = this.timeline.debuggee;
    const { hazards, veCell } = this.machine.platform;
    const cells = [hazards.countCell, veCell, warningCell];
    const counts = this.count === 0 ? [] : cells.filter((cell) => store.read(cell) > 0);
    return Math.max(-1, ...counts.map((cell) => (store.lastWriter(cell) ?? 0) - 1 - start));
  }

  private get machine(): Machine {
    return this.timeline.debuggee.machine;
  }

  /** What happened in the move that led to the present place. */
  here(): SilentEvent[] {
    const { timeline } = this;
    if (timeline.isAtStart) return [];
    const events: SilentEvent[] = [];
    if (this.count > 0 && timeline.remembersPrevious) {
      if (timeline.isInside) events.push(...this.counted(timeline.mark - 1, timeline.mark));
      else if (this.counted(timeline.mark - 1, timeline.mark).length > 0) {
        events.push(...timeline.lookAtLastMove((from) => this.counted(from, undefined)));
      }
    }
    if (this.checksInvariants && !timeline.isInside) {
      const violations = this.brokenByLastUnit();
      if (violations.length > 0) events.push({ filter: INVARIANT_FILTER, violations });
    }
    return events;
  }

  /** Between units: whether anything happened in the unit before, in whichever move. */
  happenedInUnit(): boolean {
    const { timeline } = this;
    if (timeline.isAtStart || timeline.isInside || !timeline.remembersPrevious) return false;
    if (this.count > 0 && this.counted(timeline.mark - 1, timeline.mark).length > 0) return true;
    return this.checksInvariants && this.brokenByLastUnit().length > 0;
  }

  private counted(from: number, to: number | undefined): SilentEvent[] {
    return happened(this.timeline.debuggee, from, to).filter(({ filter }) => this.exceptions.has(filter));
  }

  // ---- invariants ----

  /** What holds behind the last unit no more, and did before. */
  private brokenByLastUnit(): readonly Violation[] {
    const { timeline, machine } = this;
    const { step } = timeline.position;
    if (step === 0 || !timeline.remembersPrevious) return [];
    if (this.broken?.machine === machine && this.broken.step === step) return this.broken.violations;
    let violations: readonly Violation[] = [];
    // In the middle of a call what must hold between calls may not hold.
    if (!machine.quiescent) return [];
    if (this.wroteMemory(timeline.mark - 1)) {
      if (this.checked?.machine !== machine || this.checked.step !== step - 1) {
        timeline.back();
        if (machine.quiescent) this.check(undefined);
        else if (this.checked?.machine !== machine || this.checked.step > step) {
          this.checked = { machine, step: step - 1, survey: undefined, violations: [] };
        }
        timeline.forward();
      }
      const before = this.checked as Checked;
      const known = new Set(before.violations.map(({ text }) => text));
      this.check(before.survey);
      violations = (this.checked as Checked).violations.filter(({ text }) => !known.has(text));
    } else if (this.checked?.machine === machine && this.checked.step === step - 1) {
      this.checked = { ...this.checked, step };
    }
    this.broken = { machine, step, violations };
    return violations;
  }

  private check(before: Survey | undefined): void {
    const { machine, timeline } = this;
    const { step } = timeline.position;
    try {
      const violations = checkInvariants(machine, before);
      this.checked = { machine, step, survey: survey(machine), violations };
    } catch (error) {
      // A host can overwrite a TD's structures with anything: then they cannot be followed any more.
      const text = `what the TDs' structures point to cannot be followed: ${(error as Error).message}`;
      this.checked = { machine, step, survey: undefined, violations: [{ invariant: STRUCTURES, text }] };
    }
  }

  /** Invariants are about what the module keeps in memory: most units of a flow write none. */
  private wroteMemory(from: number): boolean {
    const { machine } = this;
    for (const change of machine.store.changes(from)) {
      if ("cell" in change && machine.platform.memory.hpaOf(change.cell) !== undefined) return true;
    }
    return false;
  }
}

/** What happened between two marks that no status tells of, invariants left out; `to` undefined: now. */
export function happened(
  { machine, warningCell, warning }: Debuggee,
  from: number,
  to: number | undefined,
): SilentEvent[] {
  const { hazards, veCell } = machine.platform;
  const changes: Change[] = [];
  let isVe = false;
  let isWarning = false;
  // The words of the platform's own block are few among those of a move.
  for (const change of machine.store.changes(from, to)) {
    if (!("cell" in change)) continue;
    changes.push(change);
    isVe ||= change.cell === veCell;
    isWarning ||= change.cell === warningCell;
  }
  const events: SilentEvent[] = isVe ? [{ filter: VE_FILTER }] : [];
  if (isWarning) events.push({ filter: WARN_FILTER, warning });
  if (changes.some((change) => "cell" in change && change.cell === hazards.countCell)) {
    for (const kind of hazards.kindsIn(changes)) events.push({ filter: HAZARD_FILTERS[kind] as string });
  }
  return events;
}
