/**
 * The calls of units that were run, from the notes of their marks: a note names the statement with which a unit begins, and says
 * whether each call in the one before was a plain success. Between two notes that say nothing the same task moves all the time.
 */
import type { FlowProgram } from "../language/flow-code.ts";
import { mayBeNotable, statementOfNote } from "../runtime/unit-note.ts";
import type { Branch } from "./branches.ts";
import { CertainCalls } from "./certain-calls.ts";
import type { Timeline } from "./timeline.ts";

/** Units that are looked at, and told of, at once: that takes a few milliseconds. */
const LOOKED_AT_ONCE = 100_000;
const TOLD_AT_ONCE = 20_000;

/** Units from one step to another. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

interface Known extends Stretch {
  readonly now: number;
  readonly branch: Branch | undefined;
}

export class NotedCalls {
  private readonly timeline: Timeline;
  private readonly calls: CertainCalls;
  /** Units that tell, as far as it was looked at last, and where the session stood then. */
  private known: Known = { from: 0, to: -1, now: -1, branch: undefined };

  constructor(timeline: Timeline, program: FlowProgram) {
    this.timeline = timeline;
    this.calls = new CertainCalls(program);
  }

  /**
   * All units right before a step in history that tell what they called, none before `floor`; of many, the first ones. Undefined: ask
   * again, there are more to look at.
   */
  stretch(floor: number, to: number): Stretch | undefined {
    const { timeline } = this;
    const { now } = timeline.debuggee.store;
    const branch = timeline.branches.current;
    const lowest = Math.min(to, Math.max(floor, timeline.oldest, timeline.branches.previousStep(to) + 1));
    const isSame = this.known.now === now && this.known.to === to && this.known.branch === branch;
    let from = isSame ? this.known.from : to;
    const last = Math.max(lowest, from - LOOKED_AT_ONCE);
    while (from > last && this.tells(from - 1)) from--;
    this.known = { from, to, now, branch };
    if (from === last && from > lowest) return undefined;
    from = Math.max(from, lowest);
    return { from, to: Math.min(to, from + TOLD_AT_ONCE) };
  }

  /** The statement with which the unit of a step begins; -1: unknown. */
  statementOf(step: number): number {
    const { store, start } = this.timeline.debuggee;
    return statementOfNote(store.noteAt(start + step));
  }

  /** Of a unit of a stretch, by its statement, in their order. */
  callsOf(statement: number): readonly number[] {
    return this.calls.of(statement) ?? [];
  }

  private tells(step: number): boolean {
    const { store, start } = this.timeline.debuggee;
    const statement = this.statementOf(step);
    const calls = statement < 0 ? undefined : this.calls.of(statement);
    return calls !== undefined && (calls.length === 0 || !mayBeNotable(store.noteAt(start + step + 1)));
  }
}
