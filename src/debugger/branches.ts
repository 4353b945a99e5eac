/**
 * The futures of a session. What runs is deterministic, so a future is told by what was done to it from outside: its inputs,
 * an edited value or the choice of a task, each with its position. An input in the past, where others have followed already,
 * starts a branch; the old one stays as it is, and going there is running again with its inputs.
 */
import { firstIndex } from "../language/bisect.ts";
import type { Debuggee } from "./debuggee.ts";
import { isBefore, isSame, type Position, START } from "./position.ts";

/** What is done to a debuggee from outside. Never changes: it is applied whenever a run comes by. */
export interface Input {
  /** In one line, for a list: `level = 1`. */
  readonly text: string;
  /** Changes the store only. Throws, before it has changed anything, where it cannot be done. */
  apply(debuggee: Debuggee): void;
  /** Inside a unit: the unit ends there. Else the input is a place like others, and the unit goes on. */
  readonly endsUnit?: boolean;
}

interface Entry {
  readonly at: Position;
  readonly input: Input;
}

export interface Branch {
  /** From 1, in the order in which they began. */
  readonly id: number;
  /** The branch that it left, and where; 0: none. */
  readonly parent: number;
  readonly from: Position;
  /** All inputs from the start on, by position. */
  readonly inputs: readonly Entry[];
  /** The farthest position at which the session has stood in it. */
  readonly reach: Position;
  /** Where the session stood in it last. */
  readonly left: Position;
}

type Growing = { -readonly [Key in keyof Branch]: Branch[Key] } & { readonly inputs: Entry[] };

export class Branches {
  private readonly all: Growing[] = [{ id: 1, parent: 0, from: START, inputs: [], reach: START, left: START }];
  private now = this.all[0] as Growing;

  get current(): Branch {
    return this.now;
  }

  list(): readonly Branch[] {
    return this.all;
  }

  get(id: number): Branch | undefined {
    return this.all[id - 1];
  }

  /** The session stands here. */
  arrived(position: Position): void {
    this.now.left = position;
    if (isBefore(this.now.reach, position)) this.now.reach = position;
  }

  // ---- inputs of the current branch ----

  /** Number of the first input at or after a position. */
  private find(position: Position): number {
    const { inputs } = this.now;
    return firstIndex(inputs.length, (index) => !isBefore((inputs[index] as Entry).at, position));
  }

  /** The input that comes at a position. */
  at(step: number, sub: number): Input | undefined {
    if (this.now.inputs.length === 0) return undefined;
    const entry = this.now.inputs[this.find({ step, sub })];
    return entry?.at.step === step && entry.at.sub === sub ? entry.input : undefined;
  }

  /** Whether an input ends that step's unit. */
  ends(step: number): boolean {
    if (this.now.inputs.length === 0) return false;
    const last = this.now.inputs[this.find({ step: step + 1, sub: 0 }) - 1];
    return last?.at.step === step && last.input.endsUnit === true;
  }

  /** The first step from this one on with an input at its beginning or inside. */
  nextStep(step: number): number {
    if (this.now.inputs.length === 0) return Number.POSITIVE_INFINITY;
    return this.now.inputs[this.find({ step, sub: 0 })]?.at.step ?? Number.POSITIVE_INFINITY;
  }

  /** The last step before this one with an input at its beginning or inside; -1: none. */
  previousStep(step: number): number {
    return this.now.inputs[this.find({ step, sub: 0 }) - 1]?.at.step ?? -1;
  }

  /** Notes an input at the position where the session stands. Returns whether that started a branch. */
  add(at: Position, input: Input): boolean {
    const isFork = isBefore(at, this.now.reach);
    if (isFork) this.fork(at);
    this.now.inputs.push({ at, input });
    return isFork;
  }

  /** Another future from a position of this one: the same inputs up to there. It is the current branch then. */
  fork(from: Position): void {
    const { id: parent, inputs } = this.now;
    const kept = inputs.filter(({ at }) => isBefore(at, from));
    this.now = { id: this.all.length + 1, parent, from, inputs: kept, reach: from, left: from };
    this.all.push(this.now);
  }

  /** The position of the first input in which another branch differs from this one; undefined: none differs. */
  firstDifference({ inputs }: Branch): Position | undefined {
    const own = this.now.inputs;
    for (let i = 0; i < Math.max(own.length, inputs.length); i++) {
      const [a, b] = [own[i], inputs[i]];
      if (a === b) continue;
      if (a === undefined || b === undefined) return (a ?? b)?.at;
      return isSame(a.at, b.at) || isBefore(a.at, b.at) ? a.at : b.at;
    }
    return undefined;
  }

  /** From here on runs have the inputs of that branch: it must not differ before the present position. */
  become(branch: Branch): void {
    this.now = this.all[branch.id - 1] as Growing;
  }
}
