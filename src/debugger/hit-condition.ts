/** Hit conditions of breakpoints: `3` or `==3` the third time, `>=3`, `>3`, `<=3`, `<3`, `%3` every third time. */

import type { Position } from "./timeline.ts";

export type HitCondition = (count: number) => boolean;

const FORM = /^\s*(==|=|>=|>|<=|<|%)?\s*(\d+)\s*$/;

/** Undefined if the text is no hit condition. */
export function parseHitCondition(text: string): HitCondition | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const n = Number(match[2]);
  switch (match[1]) {
    case ">=":
      return (count) => count >= n;
    case ">":
      return (count) => count > n;
    case "<=":
      return (count) => count <= n;
    case "<":
      return (count) => count < n;
    case "%":
      return n === 0 ? undefined : (count) => count % n === 0;
    default:
      return (count) => count === n;
  }
}

/**
 * How often a breakpoint was hit, as the places in time where it was: so that a count is right however often time goes
 * back and forth. Counts are from the start of the run.
 */
export class Hits {
  private readonly steps: number[] = [];
  private readonly subs: number[] = [];

  /** Whether a hit is known that lies before a position. */
  wasBefore({ step, sub }: Position): boolean {
    const [first] = this.steps;
    return first !== undefined && (first < step || (first === step && (this.subs[0] as number) < sub));
  }

  /** Notes a hit, if it is not known yet. Returns its number, from 1. */
  count(step: number, sub: number): number {
    let low = 0;
    let high = this.steps.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = (this.steps[middle] as number) - step || (this.subs[middle] as number) - sub;
      if (at === 0) return middle + 1;
      if (at < 0) low = middle + 1;
      else high = middle;
    }
    this.steps.splice(low, 0, step);
    this.subs.splice(low, 0, sub);
    return low + 1;
  }

  /** Forgets the hits at or behind a position: that future is another one now. */
  forget(step: number, sub: number): void {
    const keep = this.steps.findIndex(
      (known, at) => known > step || (known === step && (this.subs[at] as number) >= sub),
    );
    if (keep < 0) return;
    this.steps.length = keep;
    this.subs.length = keep;
  }
}
