/** Hit conditions of breakpoints: `3` or `==3` the third time, `>=3`, `>3`, `<=3`, `<3`, `%3` every third time. */
import { firstIndex } from "../language/bisect.ts";
import { isBefore, type Position } from "./position.ts";

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
  wasBefore(position: Position): boolean {
    const [first] = this.steps;
    return first !== undefined && isBefore({ step: first, sub: this.subs[0] as number }, position);
  }

  /** Notes a hit, if it is not known yet. Returns its number, from 1. */
  count(step: number, sub: number): number {
    const index = this.firstAt(step, sub);
    if (this.steps[index] !== step || this.subs[index] !== sub) {
      this.steps.splice(index, 0, step);
      this.subs.splice(index, 0, sub);
    }
    return index + 1;
  }

  /** Forgets the hits at or behind a position: that future is another one now. */
  forget(step: number, sub: number): void {
    const keep = this.firstAt(step, sub);
    this.steps.length = keep;
    this.subs.length = keep;
  }

  /** Index of the first hit at or behind a position. */
  private firstAt(step: number, sub: number): number {
    const { steps, subs } = this;
    return firstIndex(steps.length, (at) => ((steps[at] as number) - step || (subs[at] as number) - sub) >= 0);
  }
}
