/** A flow with its runtime and its machine, as run control drives it. */
import { TDH_VP_ENTER } from "../arch/generated/leaves.ts";
import { RAX } from "../arch/registers.ts";
import type { FlowProgram } from "../language/flow-code.ts";
import type { Machine } from "../module/machine.ts";
import { LP_GPR } from "../platform/lp.ts";
import { endFrame, type FlowFrame } from "../runtime/frames.ts";
import {
  GUEST_LEAF,
  type LeafEvent,
  type RuntimeHooks,
  STOP_BUDGET,
  STOP_DONE,
  STOP_FAILED,
  STOP_LEAF,
  STOP_RETURNED,
} from "../runtime/hooks.ts";
import { statementAt } from "../runtime/places.ts";
import { Runtime } from "../runtime/runtime.ts";
import { RUNTIME_WARNINGS } from "../runtime/session-state.ts";
import { latestWarning } from "../runtime/warnings.ts";
import type { Store } from "../state/store.ts";
import {
  AT_CALL,
  AT_STATEMENT,
  type Debuggee,
  ENDED,
  type Evaluation,
  type Failure,
  IN_LEAF,
  IN_STATEMENT,
  type Outcome,
  type PlaceKind,
  type RunEnd,
  type Watch,
} from "./debuggee.ts";
import { Evaluator } from "./evaluator.ts";
import type { Given, NearCall } from "./given-names.ts";
import { NextUnit } from "./next-unit.ts";

/** Stops before and after each call. */
const EVERYWHERE = (): boolean => true;

export class FlowDebuggee implements Debuggee {
  readonly store: Store;
  readonly machine: Machine;
  readonly runtime: Runtime;
  readonly program: FlowProgram;
  readonly start: number;
  readonly nextUnit: NextUnit;
  passed = 0;
  outcome: Outcome | undefined;

  /** Where it begins. */
  private readonly entry: number;
  private readonly hooks: RuntimeHooks = {};
  private readonly evaluator: Evaluator;
  /** Where it stands inside a unit; undefined between units. */
  private fine: PlaceKind | undefined;
  private fineCallee = -1;
  /** The mark at which the unit began that is passed place by place. */
  private fineStart: number | undefined;
  /** Whether all is over; undefined: not looked at since the state changed. */
  private isOver: boolean | undefined;
  /** The call about which the watch is asked just now. */
  private asking: NearCall | undefined;

  /**
   * @param output gets the text of each `log` statement
   * @param entry number of the function where it begins, if that is not the program's own entry
   */
  constructor(
    program: FlowProgram,
    machine: Machine,
    output: (text: string, task: number) => void,
    entry: number = program.entry,
  ) {
    this.program = program;
    this.machine = machine;
    this.store = machine.store;
    this.entry = entry;
    this.hooks.output = output;
    this.runtime = new Runtime(program, machine, { hooks: this.hooks, entry });
    this.start = this.store.now;
    this.nextUnit = new NextUnit(this.runtime);
    this.evaluator = new Evaluator(this);
  }

  // ---- where it stands ----

  get place(): PlaceKind {
    if (this.fine !== undefined) return this.fine;
    this.isOver ??= this.runtime.status !== "running";
    return this.isOver ? ENDED : this.placeOf(this.task);
  }

  placeOf(task: number): PlaceKind {
    if (this.fine !== undefined && task === this.task) return this.fine;
    if (this.runtime.nextStatement(task) !== undefined) return AT_STATEMENT;
    if (this.runtime.openLeafOf(task) !== undefined) return IN_LEAF;
    return this.runtime.pendingLeafOf(task) === undefined ? IN_STATEMENT : AT_CALL;
  }

  /** Frames of a task, innermost first. At the end of the flow there is one behind its last statement: globals are still there. */
  frames(task = this.task): FlowFrame[] {
    const frames = this.runtime.frames(task);
    return frames.length > 0 || task !== this.task || this.place !== ENDED
      ? frames
      : [endFrame(this.runtime.state, this.entry)];
  }

  pcOf(task: number, level: number): number {
    return this.runtime.frames(task)[level]?.pc ?? -1;
  }

  nameOf(task: number): string {
    return this.runtime.taskName(task);
  }

  blocked(task: number): string | undefined {
    return this.runtime.blocked(task);
  }

  isDone(task: number): boolean {
    return this.runtime.isDone(task);
  }

  choose(task: number): void {
    if (this.fine === undefined) this.runtime.passOver();
    else this.runtime.leaveUnit(this.fine === IN_STATEMENT);
    this.runtime.task = task;
  }

  get isPassedOver(): boolean {
    return this.runtime.isPassedOver;
  }

  get isAnyInside(): boolean {
    return this.runtime.isAnyInside;
  }

  get task(): number {
    return this.runtime.task;
  }

  get depth(): number {
    const { trace } = this;
    return this.runtime.depth() + (trace === "" ? 0 : trace.split("\n").length);
  }

  depthOf(task: number): number {
    return this.runtime.depth(task);
  }

  callers(task: number, depth: number): string {
    const frames = this.runtime.frames(task);
    return frames
      .slice(Math.max(0, frames.length - depth + 1))
      .map(({ fn, pc }) => `${fn.index}:${pc}`)
      .join(" ");
  }

  get callStatement(): number {
    const frame = this.runtime.frames()[0];
    if (frame === undefined) return -1;
    // Behind a call that ends its statement the next operation is the next statement's.
    return statementAt(this.program, frame.fn, frame.pc - 1)?.id ?? -1;
  }

  get statement(): number {
    return this.fine === undefined ? (this.runtime.nextStatement() ?? -1) : -1;
  }

  get callee(): number {
    if (this.fine !== undefined) return this.fine === AT_CALL || this.fine === IN_LEAF ? this.fineCallee : -1;
    return this.calleeOf(this.task);
  }

  /** Number of the leaf that a task stands before or in, TDCALLs from GUEST_LEAF on; -1: in none. */
  calleeOf(task: number): number {
    const pending = this.runtime.nextStatement(task) === undefined ? this.runtime.pendingLeafOf(task) : undefined;
    return pending === undefined ? -1 : pending.number + (pending.guest ? GUEST_LEAF : 0);
  }

  get trace(): string {
    return this.traceOf(this.task);
  }

  /** Trace of the step that comes next in the leaf inside which a task stands. Else empty. */
  traceOf(task: number): string {
    return this.placeOf(task) === IN_LEAF ? (this.runtime.openLeafOf(task)?.next ?? "") : "";
  }

  get failure(): Failure | undefined {
    const failure = this.place === ENDED ? this.runtime.failure : undefined;
    if (failure === undefined) return undefined;
    const kind = /^(expect|deadlock|bug)/i.exec(failure.message)?.[1]?.toLowerCase();
    return { ...failure, kind: kind === "expect" || kind === "deadlock" || kind === "bug" ? kind : "error" };
  }

  get warningCell(): number {
    return this.runtime.state.cell(RUNTIME_WARNINGS);
  }

  get warning(): string {
    return latestWarning(this.runtime.state);
  }

  // ---- moving ----

  run(units: number, watch: Watch): RunEnd {
    this.outcome = undefined;
    this.listen(watch);
    try {
      const { statements, depth, task, entry } = watch;
      const reason = this.runtime.run(units, { statements, depth, task, pauses: entry !== undefined });
      this.isOver = undefined;
      if (reason === STOP_LEAF || reason === STOP_RETURNED) return "inside";
      if (reason !== STOP_FAILED) this.outcome = undefined;
      if (reason === STOP_DONE || reason === STOP_FAILED) return "ended";
      return reason === STOP_BUDGET ? "done" : "watched";
    } finally {
      this.stopListening();
    }
  }

  private listen({ entry, leaves, isProbe = false, returned, returnedLeaves }: Watch): void {
    this.hooks.isProbe = isProbe;
    this.hooks.leaves = leaves;
    this.hooks.returnedLeaves = returnedLeaves;
    this.hooks.leafEntry =
      entry && (({ callee, lp }) => this.askAbout({ side: "before", callee, lp }, () => entry(callee)));
    this.hooks.leafReturn =
      returned &&
      ((event, hi, lo) => {
        const outcome = outcomeOf(event, hi, lo);
        this.outcome = outcome;
        return this.askAbout({ side: "behind", callee: outcome.callee, lp: event.lp }, () => returned(outcome));
      });
  }

  private askAbout(call: NearCall, stops: () => boolean): boolean {
    this.asking = call;
    try {
      return stops();
    } finally {
      this.asking = undefined;
    }
  }

  private stopListening(): void {
    this.hooks.leafEntry = undefined;
    this.hooks.leafReturn = undefined;
    this.hooks.isProbe = false;
  }

  /** Places before and behind calls that were passed in the unit in which the last run stopped. */
  get asked(): number {
    return this.runtime.places;
  }

  /** The mark at which the present unit began. */
  get unit(): number {
    return this.fineStart ?? this.store.now;
  }

  fineStep(): boolean {
    this.fineStart ??= this.store.now;
    const { place } = this;
    if (this.fine === undefined) this.fineCallee = this.callee;
    // A call that was the whole rest of its statement: the unit is over, and what comes next belongs to the next one.
    if (this.fine === IN_STATEMENT && this.runtime.nextStatement() !== undefined) {
      this.outcome = undefined;
      this.endUnit();
      return false;
    }
    if (place === AT_CALL && this.runtime.enterLeaf()) {
      this.fine = IN_LEAF;
      if (this.runtime.openLeaf?.next !== undefined) return true;
    } else if (place === IN_LEAF && !this.runtime.pausesInLeaf && this.runtime.stepLeaf()) {
      this.fine = IN_LEAF;
      return true;
    }
    return this.finishStep();
  }

  /** On to the next call, or behind the one that has ended, or to the end of the unit. */
  private finishStep(): boolean {
    this.outcome = undefined;
    this.hooks.leaves = undefined;
    this.hooks.returnedLeaves = undefined;
    this.hooks.leafEntry = EVERYWHERE;
    this.hooks.leafReturn = (event, hi, lo) => {
      this.outcome = outcomeOf(event, hi, lo);
      return true;
    };
    try {
      const reason = this.runtime.run(1, { asksAgain: this.fine === IN_STATEMENT });
      this.isOver = undefined;
      if (reason === STOP_LEAF || reason === STOP_RETURNED) {
        this.passed++;
        this.fine = reason === STOP_LEAF ? AT_CALL : IN_STATEMENT;
        const pending = this.runtime.pendingLeaf;
        if (reason === STOP_LEAF && pending) this.fineCallee = this.calleeAt(pending.lp, pending.guest);
        return true;
      }
      this.endUnit();
      if (reason !== STOP_FAILED) this.outcome = undefined;
      return false;
    } finally {
      this.stopListening();
    }
  }

  private endUnit(): void {
    this.fine = undefined;
    this.fineCallee = -1;
    this.fineStart = undefined;
    this.passed = 0;
  }

  rewound(): boolean {
    this.endUnit();
    this.outcome = undefined;
    this.isOver = undefined;
    return this.runtime.rewound();
  }

  // ---- calls ----

  /** The leaf that an LP's registers ask for. */
  private calleeAt(lp: number, isGuest: boolean): number {
    const rax = this.store.read(this.machine.platform.lpCell(lp) + LP_GPR + RAX * 2);
    return (rax & 0xffff) + (isGuest ? GUEST_LEAF : 0);
  }

  // ---- values ----

  evaluate(expression: string, frame = 0, task = this.task): Evaluation {
    return this.evaluator.evaluate(expression, frame, task, this.nearCall(frame, task));
  }

  /** What an expression of a frame can name beside the flow's variables. */
  given(frame: number, task: number): readonly Given[] {
    return this.evaluator.given(this.nearCall(frame, task));
  }

  private nearCall(frame: number, task: number): NearCall | undefined {
    if (frame > 0) return undefined;
    const isCurrent = task === this.task;
    if (isCurrent && this.asking) return this.asking;
    const { outcome } = this;
    if (isCurrent && outcome) return { side: "behind", callee: outcome.callee, lp: outcome.lp };
    const callee = isCurrent ? this.callee : this.calleeOf(task);
    return callee < 0 ? undefined : { side: "before", callee, lp: this.runtime.state.lpOf(task) };
  }

  show(value: unknown): string {
    return typeof value === "string" ? value : this.runtime.format(value);
  }
}

function outcomeOf({ lp, callee }: LeafEvent, hi: number, lo: number): Outcome {
  return { lp, callee, hi, lo, isTdExit: callee === TDH_VP_ENTER };
}
