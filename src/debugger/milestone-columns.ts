/** A million milestones in 40 MB: columns of numbers, an object only for those that are looked at. */

/** A SEAMCALL, a TDCALL, an exit of a guest to the host, what no status tells of. */
export type MilestoneKind = "seamcall" | "tdcall" | "exit" | "fault";

export interface Milestone {
  readonly kind: MilestoneKind;
  /** Where to go: before a call, behind an exit or fault. `passed`: places at calls to pass inside the unit. */
  readonly step: number;
  readonly passed: number;
  /** Leaf, as breakpoints number them; -1: none. */
  readonly callee: number;
  /** Status: bits 63:32 and 31:0 of RAX. */
  readonly hi: number;
  readonly lo: number;
  readonly task: number;
  readonly lp: number;
  /** Number of the statement in the program; -1: unknown. */
  readonly statement: number;
  /** Of a fault: its names. */
  readonly what: string;
}

const FIRST_CAPACITY = 1024;
const WORDS = 7;
export const KINDS: readonly MilestoneKind[] = ["seamcall", "tdcall", "exit", "fault"];

export class Columns {
  length = 0;
  private steps = new Float64Array(FIRST_CAPACITY);
  private words = new Uint32Array(FIRST_CAPACITY * WORDS);
  private readonly faults = new Map<number, string>();

  push({ kind, step, passed, callee, hi, lo, task, lp, statement, what }: Milestone): void {
    if (this.length === this.steps.length) {
      const [steps, words] = [new Float64Array(this.length * 2), new Uint32Array(this.length * 2 * WORDS)];
      steps.set(this.steps);
      words.set(this.words);
      this.steps = steps;
      this.words = words;
    }
    this.steps[this.length] = step;
    const { words } = this;
    const at = this.length * WORDS;
    words[at] = KINDS.indexOf(kind);
    words[at + 1] = passed;
    words[at + 2] = callee;
    words[at + 3] = hi;
    words[at + 4] = lo;
    words[at + 5] = task * 2 ** 16 + lp;
    words[at + 6] = statement;
    if (what !== "") this.faults.set(this.length, what);
    this.length++;
  }

  truncate(length: number): void {
    for (let index = length; index < this.length; index++) this.faults.delete(index);
    this.length = length;
  }

  stepOf(index: number): number {
    return this.steps[index] as number;
  }

  statementOf(index: number): number {
    return (this.words[index * WORDS + 6] as number) | 0;
  }

  /** Kind, callee and the status's upper half. */
  key(index: number): readonly [kind: number, callee: number, hi: number] {
    const at = index * WORDS;
    return [this.words[at] as number, this.words[at + 2] as number, this.words[at + 3] as number];
  }

  get(index: number): Milestone {
    const at = index * WORDS;
    const word = (n: number): number => this.words[at + n] as number;
    return {
      kind: KINDS[word(0)] as MilestoneKind,
      step: this.stepOf(index),
      passed: word(1),
      callee: word(2) | 0,
      hi: word(3),
      lo: word(4),
      task: word(5) >>> 16,
      lp: word(5) & 0xffff,
      statement: this.statementOf(index),
      what: this.faults.get(index) ?? "",
    };
  }
}
