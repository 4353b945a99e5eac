/**
 * Positions in time, and going from one to another. A position is a number of units that were run, each of which ended with
 * a mark of the store, and inside a leaf also the number of module steps since it was entered. Going forward is execution;
 * going back takes the journal back to a mark, and from there a leaf that was open is run again up to the wanted step. Both
 * are exact because equal states move equally.
 */
import { AT_CALL, type Debuggee, ENDED, IN_LEAF } from "./debuggee.ts";

export interface Position {
  /** Units run. */
  readonly step: number;
  /** 0: between units. n: inside the leaf that the next unit runs, n - 1 module steps after its first place. */
  readonly sub: number;
}

export function isBefore(a: Position, b: Position): boolean {
  return a.step < b.step || (a.step === b.step && a.sub < b.sub);
}

export function isSame(a: Position, b: Position): boolean {
  return a.step === b.step && a.sub === b.sub;
}

export const START: Position = { step: 0, sub: 0 };

export class Timeline {
  /** Where it runs. Replaced when history does not reach back far enough and the run starts over. */
  debuggee: Debuggee;
  private readonly begin: () => Debuggee;
  private sub = 0;

  /** @param begin makes the thing that runs anew, at its start */
  constructor(begin: () => Debuggee) {
    this.begin = begin;
    this.debuggee = begin();
  }

  get position(): Position {
    return { step: this.debuggee.store.now, sub: this.sub };
  }

  get isAtStart(): boolean {
    return this.sub === 0 && this.debuggee.store.now === 0;
  }

  get hasEnded(): boolean {
    return this.debuggee.place === ENDED;
  }

  /** Whether going to the position needs no more than the journal. */
  remembers(position: Position): boolean {
    return position.step >= this.debuggee.store.oldest;
  }

  /** Whether one move back needs no more than the journal. */
  get remembersPrevious(): boolean {
    const { step, sub } = this.position;
    return this.remembers({ step: sub > 0 ? step : step - 1, sub: 0 });
  }

  // ---- forward ----

  /** To the next position outside the module. */
  forward(): void {
    this.debuggee.unit();
    this.sub = 0;
  }

  /** The smallest move: into a leaf that is about to be called, or one module step, or else one unit. */
  forwardInto(): void {
    const { place } = this.debuggee;
    if (place !== AT_CALL && place !== IN_LEAF) this.forward();
    else this.sub = this.debuggee.moduleStep() ? this.sub + 1 : 0;
  }

  // ---- back ----

  /** To the position outside the module before this one. */
  back(): void {
    const { step, sub } = this.position;
    if (step + sub > 0) this.goBack({ step: sub > 0 ? step : step - 1, sub: 0 });
  }

  /** The inverse of the smallest move. */
  backInto(): void {
    const { step, sub } = this.position;
    if (sub > 0) this.goBack({ step, sub: sub - 1 });
    else if (step > 0) {
      this.goBack({ step: step - 1, sub: 0 });
      if (this.debuggee.place === AT_CALL) {
        // Its last place inside is known only after it was run.
        let places = 0;
        while (this.debuggee.moduleStep()) places++;
        this.goBack({ step: step - 1, sub: places });
      }
    }
  }

  /** Goes to a position at or before the present one, by the journal and inside a leaf by running it again. */
  goBack(position: Position): void {
    this.debuggee.store.undo(position.step);
    this.debuggee.rewound();
    this.sub = 0;
    while (this.sub < position.sub) this.forwardInto();
  }

  /** Starts over: the way to what is older than history. */
  restart(): void {
    this.debuggee = this.begin();
    this.sub = 0;
  }
}
