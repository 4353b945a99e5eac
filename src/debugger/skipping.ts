/**
 * Going back over units in which nothing can stop, without looking at each: the notes of the marks name their statements, and
 * what a unit may call follows from its statement. A million units are a matter of undoing them.
 */
import { mayBeNotable, statementOfNote } from "../runtime/unit-note.ts";
import type { Breakpoints } from "./breakpoints.ts";
import type { ExceptionFilters } from "./exceptions.ts";
import type { Stops } from "./stops.ts";
import type { Timeline } from "./timeline.ts";

/** Units that are gone back over at once, and those of them that are tried: that takes a few milliseconds. */
const AT_ONCE = 20_000;
const TRIED_AT_ONCE = 2000;

/** Nothing in the unit can stop. */
const PASS = 0;
/** Only its call can, if the conditions of a breakpoint hold there. */
const TRY = 1;
/** It has to be looked at. */
const LOOK = 2;

export class Skipping {
  private readonly timeline: Timeline;
  private readonly breakpoints: Breakpoints;
  private readonly exceptions: ExceptionFilters;
  private readonly stops: Stops;
  /** By statement, what the units need that begin with it. */
  private known: number[] = [];
  private version = -1;
  /** The latest unit in which something happened that no watch tells of: to be looked for through the whole journal. */
  private silent: number | undefined;

  constructor(timeline: Timeline, breakpoints: Breakpoints, exceptions: ExceptionFilters, stops: Stops) {
    this.timeline = timeline;
    this.breakpoints = breakpoints;
    this.exceptions = exceptions;
    this.stops = stops;
  }

  /** A command begins that goes back. */
  begin(): void {
    this.silent = undefined;
  }

  /**
   * From between units to the end of the nearest earlier unit that has to be looked at; that of `floor` counts as one. Stays where
   * it is if that is the unit before.
   */
  back(floor: number): void {
    const { timeline, stops } = this;
    const { step, sub } = timeline.position;
    if (sub > 0 || stops.looksAtUnits) return;
    const { store, start } = timeline.debuggee;
    // Behind a unit in which something happened one has to look at its end.
    if (this.silent === undefined || step <= this.silent + 1) this.silent = stops.silent.lastUnit;
    const inputs = timeline.branches.previousStep(step);
    const lowest = Math.max(floor, store.oldest - start, step - AT_ONCE, inputs, this.silent + 1);
    let tried = 0;
    for (let unit = step - 1; ; unit--) {
      const need = unit > lowest && tried < TRIED_AT_ONCE ? this.needOf(unit) : LOOK;
      if (need === PASS) continue;
      if (need === LOOK) {
        if (unit + 1 < timeline.position.step) timeline.goBack({ step: unit + 1, sub: 0 });
        return;
      }
      tried++;
      timeline.goBack({ step: unit, sub: 0 });
      if (stops.mayStopInside()) {
        timeline.forward();
        return;
      }
    }
  }

  /** What only the journal shows does not count. */
  private needOf(unit: number): number {
    const { breakpoints, exceptions } = this;
    const { store, start } = this.timeline.debuggee;
    if (exceptions.watchesOutcomes && mayBeNotable(store.noteAt(start + unit + 1))) return LOOK;
    const statement = statementOfNote(store.noteAt(start + unit));
    if (statement < 0) return LOOK;
    if (this.version !== breakpoints.version) {
      this.known = [];
      this.version = breakpoints.version;
    }
    this.known[statement] ??= this.needFrom(statement);
    return this.known[statement];
  }

  private needFrom(statement: number): number {
    const { statementFlags, anyLeafFlags, hasLeaves, hasReturned } = this.breakpoints;
    if (statementFlags[statement] === 1) return LOOK;
    if (!hasLeaves && !hasReturned) return PASS;
    const callees = this.timeline.debuggee.nextUnit.calleesFrom(statement);
    if (callees === undefined) return LOOK;
    if (callees.every((callee) => anyLeafFlags[callee] !== 1)) return PASS;
    return hasReturned || callees.length > 1 ? LOOK : TRY;
  }
}
