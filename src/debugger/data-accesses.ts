/**
 * What a unit reads, and writes without changing it: known only while it runs, so a unit is run again to see at which of its
 * places that was. The store is traced while a data breakpoint asks for it, and never else.
 */
import { AccessTrace, traceAccesses } from "../state/access-trace.ts";
import type { Store } from "../state/store.ts";
import type { ActiveBreakpoint } from "./active-breakpoint.ts";
import type { DataBreakpoints } from "./data-breakpoints.ts";
import { isBefore, type Position } from "./position.ts";
import { type Timeline, UNWATCHED } from "./timeline.ts";

type Found = readonly ActiveBreakpoint[];
const NOTHING: Found = [];

/** What one unit meets behind each of its moves; the last of those is its end. */
interface UnitAccesses {
  readonly store: Store;
  readonly step: number;
  readonly moves: readonly Found[];
}

export class DataAccesses {
  private readonly timeline: Timeline;
  private readonly data: DataBreakpoints;
  private trace: { readonly store: Store; readonly accesses: AccessTrace } | undefined;
  /** The mark at which the trace was cleared to see what comes next. */
  private clearedAt = -1;
  private known: UnitAccesses | undefined;

  constructor(timeline: Timeline, data: DataBreakpoints) {
    this.timeline = timeline;
    this.data = data;
  }

  /** Breakpoints were set. */
  forget(): void {
    this.known = undefined;
    this.clearedAt = -1;
    if (this.trace) traceAccesses(this.trace.store, undefined);
    this.trace = undefined;
  }

  /** A single unit runs next: what it does is noted while it runs. */
  begin(): void {
    if (!this.data.needsTrace) return;
    this.traced().clear();
    this.clearedAt = this.timeline.mark;
  }

  /** Data breakpoints that the unit meets, in whichever move. The session stands between units, at its end or later. */
  ofUnit(step: number): Found {
    if (!this.data.needsTrace) return NOTHING;
    const { mark, position } = this.timeline;
    const wasNoted = this.clearedAt === mark - 1 && position.step === step + 1;
    if (wasNoted && this.traced().isEmpty) return NOTHING;
    return this.of(step).moves.flat();
  }

  /** Data breakpoints that the move meets which led to the present place. */
  here(): Found {
    const { step, sub } = this.timeline.position;
    if (!this.data.needsTrace || this.timeline.isAtStart || !this.timeline.remembersPrevious) return NOTHING;
    return (sub > 0 ? this.of(step).moves[sub - 1] : this.of(step - 1).moves.at(-1)) ?? NOTHING;
  }

  private of(step: number): UnitAccesses {
    const { timeline } = this;
    const { store } = timeline.debuggee;
    if (this.known?.store !== store || this.known.step !== step) {
      const { position } = timeline;
      timeline.goBack({ step, sub: 0 });
      this.known = { store, step, moves: timeline.unheard(() => this.movesOf(step)) };
      this.return(position);
    }
    return this.known;
  }

  /** From the start of a unit, which is where this ends. A move counts for what the unit meets also when it is run as one. */
  private movesOf(step: number): Found[] {
    const { timeline } = this;
    const { debuggee } = timeline;
    const trace = this.traced();
    const before = this.data.there(debuggee);
    const found = (): Found => (trace.isEmpty ? NOTHING : this.data.accessed(debuggee, trace, before));
    trace.clear();
    const whole = new Set(timeline.lookAhead(UNWATCHED, found));
    const moves: Found[] = [];
    let isInside = whole.size > 0;
    while (isInside) {
      trace.clear();
      isInside = timeline.advance();
      moves.push(found().filter((active) => whole.has(active)));
    }
    timeline.goBack({ step, sub: 0 });
    return moves;
  }

  private return(position: Position): void {
    const { timeline } = this;
    if (timeline.position.step < position.step) timeline.forward();
    while (isBefore(timeline.position, position) && timeline.fineForward());
  }

  private traced(): AccessTrace {
    const { debuggee } = this.timeline;
    const { store } = debuggee;
    if (this.trace?.store !== store) {
      if (this.trace) traceAccesses(this.trace.store, undefined);
      const accesses = new AccessTrace(this.data.traced(debuggee));
      this.trace = { store, accesses };
      traceAccesses(store, accesses);
    }
    return this.trace.accesses;
  }
}
