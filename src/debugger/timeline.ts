/**
 * Positions in time, and going from one to another. A position is a number of units that were run, and inside a unit also the
 * number of finer places that were passed in it. Between units the journal is the whole truth: going forward is execution,
 * going back is undoing. A unit that is being looked at from inside is an excursion: it is run again from its start, place by
 * place, and when it has come to its end it is undone and run as one, so that history never shows whether anybody looked.
 *
 * What a person does to the debuggee is an input of the run (branches.ts). Between units it is a step of its own; inside a unit it
 * is a place of its own, and such a unit is always run place by place.
 */
import { Branches, type Input } from "./branches.ts";
import { AT_CALL, type Debuggee, ENDED, IN_STATEMENT, type RunEnd, type Watch } from "./debuggee.ts";
import type { Position } from "./position.ts";
import { Undone } from "./undone.ts";

/** Stops nowhere. */
export const UNWATCHED: Watch = { statements: new Uint8Array(0), depth: -1, entry: undefined, returned: undefined };

/** The same, but the debuggee hears of calls: so it knows with which one the flow failed. */
const LISTENING: Watch = { ...UNWATCHED, returned: () => false };

/** Units that are run to see what one comes to: a few milliseconds. */
const MAX_AHEAD = 4096;

export class Timeline {
  /** What was undone since the last stop: whoever shows changes compares with it, and forgets it. */
  readonly undone = new Undone();
  readonly branches: Branches;
  /** What runs. Replaced when history does not reach back far enough and the run starts over. */
  debuggee: Debuggee;
  private readonly begin: () => Debuggee;
  private step = 0;
  private sub = 0;
  isUnheard = false;

  /**
   * @param begin makes the thing that runs anew, at its start
   * @param branches where it takes its inputs from
   */
  constructor(begin: () => Debuggee, branches: Branches = new Branches()) {
    this.begin = begin;
    this.branches = branches;
    this.debuggee = begin();
  }

  get position(): Position {
    return { step: this.step, sub: this.sub };
  }

  get isInside(): boolean {
    return this.sub > 0;
  }

  get isAtStart(): boolean {
    return this.sub === 0 && this.step === 0;
  }

  get hasEnded(): boolean {
    return this.debuggee.place === ENDED && this.branches.at(this.step, this.sub) === undefined;
  }

  /** Whether the move that led here was an input. */
  get isBehindInput(): boolean {
    const { step, sub } = this;
    if (sub > 0) return this.branches.at(step, sub - 1) !== undefined;
    return this.branches.at(step - 1, 0) !== undefined || this.branches.ends(step - 1);
  }

  /** The mark of the store at the present position: for comparing with it later, as long as history has it. */
  get mark(): number {
    return this.debuggee.start + this.step + this.sub;
  }

  /** Steps by the store's marks. */
  private get now(): number {
    return this.debuggee.store.now - this.debuggee.start;
  }

  private undo(step: number): void {
    const { store, start } = this.debuggee;
    this.undone.note(store, start + step);
    store.undo(start + step);
    if (!this.debuggee.rewound()) this.reopen(step);
  }

  /** Calls were open at this step that have moved since: runs up to it again from where none was open. */
  private reopen(step: number): void {
    const { store, start } = this.debuggee;
    let from = step;
    while (this.debuggee.isAnyInside && start + from > store.oldest) {
      from--;
      this.undone.note(store, start + from);
      store.undo(start + from);
    }
    if (this.debuggee.isAnyInside) this.restart();
    else {
      this.debuggee.rewound();
      this.step = from;
      this.sub = 0;
    }
    this.runTo(step);
  }

  private runTo(step: number): void {
    while (this.step < step && !this.hasEnded) this.run(step - this.step, UNWATCHED);
  }

  /** The earliest step to which the journal leads back. */
  get oldest(): number {
    return Math.max(0, this.debuggee.store.oldest - this.debuggee.start);
  }

  /** Whether going back to a position needs no more than the journal. */
  remembers(position: Position): boolean {
    return position.step + this.debuggee.start >= this.debuggee.store.oldest;
  }

  // ---- forward ----

  /** To the end of the unit. */
  forward(): void {
    this.run(1, UNWATCHED);
  }

  /** Runs at most so many units; from inside one, that one is finished first and counts. Stops inside a unit as fine steps would. */
  run(units: number, watch: Watch): RunEnd {
    if (this.sub > 0) this.goBack({ step: this.step, sub: 0 });
    const untouched = this.branches.nextStep(this.step) - this.step;
    if (untouched === 0) return this.runTouched(watch);
    const before = this.step;
    const end = this.debuggee.run(Math.min(units, untouched), watch);
    if (end !== "inside") {
      this.step = this.now;
      if (end === "ended" && this.step > before && watch.returned === undefined) this.hearLastUnit();
      return end;
    }
    const { asked } = this.debuggee;
    this.step = this.now - 1;
    this.goBack({ step: this.step, sub: 0 });
    while (this.debuggee.passed < asked && this.fineForward());
    return end;
  }

  /** The end of a flow that failed shows the call with which it did, however the end was reached. */
  private hearLastUnit(): void {
    const { step } = this;
    if (this.debuggee.failure === undefined || !this.remembersPrevious) return;
    this.goBack({ step: step - 1, sub: 0 });
    this.debuggee.run(1, LISTENING);
    this.step = this.now;
  }

  /** A step that is an input, or a unit with inputs inside. */
  private runTouched(watch: Watch): RunEnd {
    const isInput = this.branches.at(this.step, 0) !== undefined;
    const { debuggee } = this;
    for (;;) {
      const wasInput = this.branches.at(this.step, this.sub) !== undefined;
      if (!this.advance()) break;
      if (!wasInput && this.asks(watch)) return "inside";
    }
    this.finish();
    if (isInput) return "done";
    if (debuggee.place === ENDED) return "ended";
    return watch.statements[debuggee.statement] === 1 || debuggee.depth <= watch.depth ? "watched" : "done";
  }

  /** Whether a watch wants the place inside a unit at which this stands. */
  private asks({ entry, leaves, returned }: Watch): boolean {
    const { place, callee, outcome } = this.debuggee;
    if (place === AT_CALL)
      return entry !== undefined && (leaves === undefined || leaves[callee] === 1) && entry(callee);
    return place === IN_STATEMENT && outcome !== undefined && returned?.(outcome) === true;
  }

  /** The smallest move. Returns whether it stayed inside the unit. */
  fineForward(): boolean {
    if (this.advance()) return true;
    this.finish();
    return false;
  }

  /** An excursion has come to the unit's end: the unit counts as one step, as if nobody had looked. */
  private finish(): void {
    if (this.branches.nextStep(this.step) === this.step) {
      const mark = this.debuggee.start + this.step;
      this.debuggee.store.join(mark);
      this.debuggee.machine.joined(mark);
    } else {
      this.undo(this.step);
      this.debuggee.run(1, LISTENING);
    }
    this.sub = 0;
    this.step = this.now;
  }

  /** To the next place of the unit. False at its end, which an excursion never stays at: whoever goes there goes back then. */
  advance(): boolean {
    const input = this.branches.at(this.step, this.sub);
    if (input) input.apply(this.debuggee);
    if (input && (this.sub === 0 || input.endsUnit)) {
      this.debuggee.rewound();
      return false;
    }
    if (!input && !this.debuggee.fineStep()) return false;
    this.sub++;
    // A mark for each place, so that places can be compared; the excursion takes them away with it.
    while (this.now < this.step + this.sub) this.debuggee.store.mark();
    return true;
  }

  /** What a run of the next unit as one comes to, from its start or from inside it. The session stays where it is. */
  lookAhead<T>(watch: Watch, look: (end: RunEnd, from: number) => T): T {
    const here = this.position;
    this.goBack({ step: here.step, sub: 0 });
    const from = this.mark;
    const isTouched = this.branches.nextStep(here.step) === here.step;
    const seen = this.unheard(() => look(isTouched ? this.runTouched(watch) : this.debuggee.run(1, watch), from));
    this.goBack(here);
    return seen;
  }

  /**
   * From between units: runs one, and more for as long as that `goesOn` and they are not too many, and gives what it comes to. The
   * session stays where it is.
   */
  runAhead<T>(goesOn: () => boolean, look: () => T): T {
    const { step } = this;
    // History that is full forgets more of the past with each unit.
    const limit = this.oldest === 0 ? MAX_AHEAD : Math.min(MAX_AHEAD, step - this.oldest);
    return this.unheard(() => {
      for (let units = 0; units === 0 || (units < limit && goesOn() && !this.hasEnded); units++) this.run(1, UNWATCHED);
      const seen = look();
      if (this.remembers({ step, sub: 0 })) this.goBack({ step, sub: 0 });
      else {
        this.restart();
        this.runTo(step);
      }
      return seen;
    });
  }

  /** What runs meanwhile is not where the session goes, and will be undone: what it logs is not to be shown. */
  unheard<T>(work: () => T): T {
    const wasUnheard = this.isUnheard;
    this.isUnheard = true;
    try {
      return work();
    } finally {
      this.isUnheard = wasUnheard;
    }
  }

  // ---- inputs and branches ----

  /**
   * An input at the present position: a step of its own, or a place of its own inside a unit. Where the branch has a future
   * already, another one begins. Throws what the input throws, and then nothing has happened. Returns whether a branch began.
   */
  put(input: Input): boolean {
    const here = this.position;
    this.branches.arrived(here);
    const { store } = this.debuggee;
    input.apply(this.debuggee);
    const isFork = this.branches.add(here, input);
    if (here.sub === 0) {
      this.debuggee.rewound();
      store.mark();
      this.step = this.now;
    } else if (input.endsUnit) {
      this.debuggee.rewound();
      this.finish();
    } else {
      this.sub++;
      while (this.now < this.step + this.sub) store.mark();
    }
    return isFork;
  }

  // ---- back ----

  /** The nearest earlier position between units. */
  private get previous(): Position {
    return { step: this.sub > 0 ? this.step : this.step - 1, sub: 0 };
  }

  /** Whether one move back needs no more than the journal. */
  get remembersPrevious(): boolean {
    return this.remembers(this.previous);
  }

  /** To the nearest earlier position between units. */
  back(): void {
    if (!this.isAtStart) this.goBack(this.previous);
  }

  /** Goes to the last place inside unit `step`, before place `limit`, at which `wanted` holds; to its start if there is none. */
  goToLast(step: number, wanted: () => boolean, limit = Number.POSITIVE_INFINITY): void {
    this.goBack({ step, sub: 0 });
    let found = 0;
    while (this.sub + 1 < limit && this.advance()) if (wanted()) found = this.sub;
    this.goBack({ step, sub: found });
  }

  /** Goes to the first place inside unit `step` at which `wanted` holds. False if there is none: then stands at its end. */
  goToFirst(step: number, wanted: () => boolean): boolean {
    this.goBack({ step, sub: 0 });
    while (this.advance()) if (wanted()) return true;
    this.goBack({ step, sub: 0 });
    this.forward();
    return false;
  }

  /** At a position between units: what `look` says of the last move of the unit before it, given the mark where that began. */
  lookAtLastMove<T>(look: (from: number) => T): T {
    const { step } = this;
    this.goBack({ step: step - 1, sub: 0 });
    while (this.advance());
    const seen = look(this.mark);
    this.goBack({ step: step - 1, sub: 0 });
    this.forward();
    return seen;
  }

  /** Goes to a position at or before the present one: by the journal, and inside a unit by running it again. */
  goBack(position: Position): void {
    this.undo(position.step);
    this.step = position.step;
    this.sub = 0;
    while (this.sub < position.sub && this.fineForward());
  }

  /** Starts over: the way to what is older than history. */
  restart(): void {
    this.undone.forget(0);
    this.debuggee = this.begin();
    this.step = 0;
    this.sub = 0;
  }
}
