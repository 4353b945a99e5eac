/** A flow with its runtime and its machine, as run control drives it. */
import { TDH_VP_ENTER } from "../arch/generated/leaves.ts";
import { RAX } from "../arch/registers.ts";
import type { FlowProgram } from "../language/flow-code.ts";
import type { Machine } from "../module/machine.ts";
import { LP_GPR } from "../platform/lp.ts";
import { FIBER_DEPTH, FRAME_PC } from "../runtime/fibers.ts";
import {
  type LeafEvent,
  type RuntimeHooks,
  STOP_BUDGET,
  STOP_DONE,
  STOP_FAILED,
  STOP_LEAF,
  STOP_RETURNED,
} from "../runtime/hooks.ts";
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
import { Evaluator, type NearCall } from "./evaluator.ts";
import { GUEST_LEAF } from "./leaf-names.ts";
import { calleesOf, UnitScans } from "./unit-scan.ts";

/** Stops before and after each call. */
const EVERYWHERE = (): boolean => true;

export class FlowDebuggee implements Debuggee {
  readonly store: Store;
  readonly machine: Machine;
  readonly runtime: Runtime;
  readonly program: FlowProgram;
  readonly start: number;
  passed = 0;
  outcome: Outcome | undefined;

  private readonly hooks: RuntimeHooks = {};
  private readonly scans = new UnitScans();
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
    this.hooks.output = output;
    this.runtime = new Runtime(program, machine, { hooks: this.hooks, entry });
    this.start = this.store.now;
    this.evaluator = new Evaluator(this);
  }

  // ---- where it stands ----

  get place(): PlaceKind {
    if (this.fine !== undefined) return this.fine;
    this.isOver ??= this.runtime.status !== "running";
    if (this.isOver) return ENDED;
    return this.runtime.nextStatement() === undefined ? IN_STATEMENT : AT_STATEMENT;
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

  get mayStay(): boolean {
    const { state } = this.runtime;
    const frame = state.topFrame(state.active(this.task));
    return this.scans.at(state.functionOf(frame), this.store.read(frame + FRAME_PC)).stays;
  }

  get statement(): number {
    return this.fine === undefined ? (this.runtime.nextStatement() ?? -1) : -1;
  }

  get callee(): number {
    return this.fine === AT_CALL || this.fine === IN_LEAF ? this.fineCallee : -1;
  }

  get trace(): string {
    return this.fine === IN_LEAF ? (this.runtime.openLeaf?.next ?? "") : "";
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
      const reason = this.runtime.run(units, { statements: watch.statements, depth: watch.depth });
      this.isOver = undefined;
      if (reason === STOP_LEAF || reason === STOP_RETURNED) return "inside";
      if (reason !== STOP_FAILED) this.outcome = undefined;
      if (reason === STOP_DONE || reason === STOP_FAILED) return "ended";
      return reason === STOP_BUDGET ? "done" : "watched";
    } finally {
      this.stopListening();
    }
  }

  private listen({ entry, leaves, returned, returnedLeaves }: Watch): void {
    this.hooks.leaves = leaves;
    this.hooks.returnedLeaves = returnedLeaves;
    this.hooks.leafEntry =
      entry &&
      (({ callee, lp }) => {
        this.asking = { side: "before", callee, lp };
        const stops = entry(callee);
        this.asking = undefined;
        return stops;
      });
    this.hooks.leafReturn =
      returned &&
      ((event, hi, lo) => {
        const outcome = outcomeOf(event, hi, lo);
        this.outcome = outcome;
        this.asking = { side: "behind", callee: outcome.callee, lp: event.lp };
        const stops = returned(outcome);
        this.asking = undefined;
        return stops;
      });
  }

  private stopListening(): void {
    this.hooks.leafEntry = undefined;
    this.hooks.leafReturn = undefined;
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
    // A call that was the whole rest of its statement: the unit is over, and what comes next belongs to the next one.
    if (this.fine === IN_STATEMENT && this.runtime.nextStatement() !== undefined) {
      this.outcome = undefined;
      this.endUnit();
      return false;
    }
    if (this.fine === AT_CALL && this.runtime.enterLeaf()) {
      this.fine = IN_LEAF;
      if (this.runtime.openLeaf?.next !== undefined) return true;
    } else if (this.fine === IN_LEAF && this.runtime.stepLeaf()) return true;
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

  rewound(): void {
    this.runtime.rewound();
    this.endUnit();
    this.outcome = undefined;
    this.isOver = undefined;
  }

  // ---- calls ----

  /** The leaf that an LP's registers ask for. */
  private calleeAt(lp: number, isGuest: boolean): number {
    const rax = this.store.read(this.machine.platform.lpCell(lp) + LP_GPR + RAX * 2);
    return (rax & 0xffff) + (isGuest ? GUEST_LEAF : 0);
  }

  mayCall(flags: Readonly<Uint8Array> | undefined): boolean {
    const { state } = this.runtime;
    const task = this.runtime.task;
    const fiber = state.active(task);
    const isGuest = state.isGuest(fiber);
    for (let level = state.fibers.read(fiber, FIBER_DEPTH) - 1; level >= 0; level--) {
      const frame = state.fibers.frame(fiber, level);
      const scan = this.scans.at(state.functionOf(frame), this.store.read(frame + FRAME_PC));
      // What a guest does can end its TDH.VP.ENTER.
      if (isGuest && (scan.builtins || scan.returns || scan.calls.length > 0)) return true;
      const callees = calleesOf(this.program, scan, GUEST_LEAF);
      if (callees === undefined) return true;
      if (flags === undefined ? callees.length > 0 : callees.some((callee) => flags[callee] === 1)) return true;
      if (!scan.returns) return false;
    }
    return isGuest;
  }

  // ---- values ----

  evaluate(expression: string, frame = 0): Evaluation {
    return this.evaluator.evaluate(expression, frame, frame === 0 ? (this.asking ?? this.nearCall()) : undefined);
  }

  private nearCall(): NearCall | undefined {
    const { outcome } = this;
    if (outcome) return { side: "behind", callee: outcome.callee, lp: outcome.lp };
    if (this.callee < 0) return undefined;
    return { side: "before", callee: this.fineCallee, lp: this.runtime.state.lpOf(this.runtime.task) };
  }

  show(value: unknown): string {
    return typeof value === "string" ? value : this.runtime.format(value);
  }
}

function outcomeOf({ lp, callee }: LeafEvent, hi: number, lo: number): Outcome {
  return { lp, callee, hi, lo, isTdExit: callee === TDH_VP_ENTER };
}
