/**
 * Counts of hits are from the start of the run, whenever a breakpoint was set: what it has missed is made up for by running
 * up to the present again.
 */
import type { Breakpoints } from "./breakpoints.ts";
import { type Breath, UNITS_PER_LOOK } from "./breath.ts";
import { isBefore, START } from "./position.ts";
import type { Stops } from "./stops.ts";
import type { Timeline } from "./timeline.ts";

export class HitCounter {
  private readonly timeline: Timeline;
  private readonly breakpoints: Breakpoints;
  private readonly stops: Stops;
  private readonly breath: Breath;
  private isCounted = false;

  constructor(timeline: Timeline, breakpoints: Breakpoints, stops: Stops, breath: Breath) {
    this.timeline = timeline;
    this.breakpoints = breakpoints;
    this.stops = stops;
    this.breath = breath;
  }

  reset(): void {
    this.isCounted = false;
  }

  /** Called before a command moves: from then on each place that is passed is counted as it is passed. */
  async catchUp(): Promise<void> {
    const { timeline, breakpoints } = this;
    if (this.isCounted || !breakpoints.counts) return;
    this.isCounted = true;
    const here = timeline.position;
    if (!isBefore(START, here)) return;
    if (timeline.remembers(START)) timeline.goBack(START);
    else timeline.restart();
    while (isBefore(timeline.position, here) && !timeline.hasEnded) {
      if (timeline.isInside || timeline.position.step === here.step || !breakpoints.data.isEmpty)
        timeline.fineForward();
      else {
        const units = Math.min(UNITS_PER_LOOK, here.step - timeline.position.step);
        timeline.run(units, this.stops.countingWatch());
      }
      if (this.stops.mayStopHere()) this.stops.countHere();
      if (this.breath.isDue()) await this.breath.take();
    }
  }
}
