/**
 * Evaluates expressions where a flow stands: its variables, and what belongs to the place (given-names.ts). Conditions are asked a
 * million times, so what an expression compiles to is kept, and only those names get values that it uses.
 */
import { compileWatch, GIVEN_SLOTS, type WatchExpression } from "../language/compile.ts";
import { type FlowFunction, OP_LOAD } from "../language/flow-code.ts";
import { evaluateWatch } from "../runtime/evaluate.ts";
import { FIBER_DEPTH, FRAME_PC } from "../runtime/fibers.ts";
import type { Evaluation } from "./debuggee.ts";
import type { FlowDebuggee } from "./flow-debuggee.ts";
import { type Given, givenNames, type NearCall } from "./given-names.ts";

/** Expressions whose compiled forms are kept. */
const MAX_EXPRESSIONS = 200;

interface Compiled {
  readonly watch: WatchExpression;
  /** Indexes of the given names that it uses. */
  readonly used: readonly number[];
  readonly names: readonly Given[];
}

interface Asked {
  readonly text: string;
  readonly fn: FlowFunction | undefined;
  readonly pc: number;
  readonly which: number;
  readonly compiled: Compiled | string;
}

interface Frame {
  readonly fn: FlowFunction;
  readonly pc: number;
  readonly slots: number;
  readonly lp: number;
}

export class Evaluator {
  private readonly debuggee: FlowDebuggee;
  private readonly expressions = new Map<string, Map<number, Compiled | string>>();
  /** The expression that was compiled last: most are asked for again at once. */
  private last: Asked = { text: "", fn: undefined, pc: 0, which: 0, compiled: "" };
  private readonly givenNames = new Map<string, readonly Given[]>();

  constructor(debuggee: FlowDebuggee) {
    this.debuggee = debuggee;
  }

  /** @param call the call that is near, for the innermost frame */
  evaluate(text: string, frame: number, task: number, call: NearCall | undefined): Evaluation {
    const isInnermost = frame === 0 && task === this.debuggee.task;
    const at = (isInnermost ? this.innermost() : undefined) ?? this.debuggee.frames(task)[frame];
    if (at === undefined) return { error: "nothing runs" };
    const compiled = this.compile(text, at, call);
    if (typeof compiled === "string") return { error: compiled };
    const values: unknown[] = [];
    for (const index of compiled.used) values[index] = compiled.names[index]?.value(call?.lp ?? at.lp, task);
    return evaluateWatch(this.debuggee.runtime.state, compiled.watch, at.slots, values);
  }

  private innermost(): Frame | undefined {
    const { state, task } = this.debuggee.runtime;
    const fiber = state.active(task);
    if (state.fibers.read(fiber, FIBER_DEPTH) === 0) return undefined;
    const frame = state.topFrame(fiber);
    return {
      fn: state.functionOf(frame),
      pc: this.debuggee.store.read(frame + FRAME_PC),
      slots: state.fibers.baseSlot(fiber, frame),
      lp: state.lpOf(task),
    };
  }

  private compile(text: string, { fn, pc }: Frame, call: NearCall | undefined): Compiled | string {
    const which = call === undefined ? 0 : call.callee * 2 + (call.side === "before" ? 1 : 2);
    const { last } = this;
    if (last.text === text && last.fn === fn && last.pc === pc && last.which === which) return last.compiled;
    let places = this.expressions.get(text);
    if (places === undefined) {
      if (this.expressions.size >= MAX_EXPRESSIONS) this.expressions.clear();
      places = new Map();
      this.expressions.set(text, places);
    }
    const key = (fn.index * 2 ** 18 + pc) * 2 ** 18 + which;
    let compiled = places.get(key);
    if (compiled === undefined) {
      const names = this.given(call);
      const watch = compileWatch(text, this.debuggee.program, fn, pc, names);
      compiled = typeof watch === "string" ? watch : { watch, used: usedGiven(watch.fn.code, names.length), names };
      places.set(key, compiled);
    }
    this.last = { text, fn, pc, which, compiled };
    return compiled;
  }

  /** What can be named beside the flow's variables. */
  given(call: NearCall | undefined): readonly Given[] {
    const key = call === undefined ? "" : `${call.side}${call.callee}`;
    let names = this.givenNames.get(key);
    if (names === undefined) {
      names = givenNames(this.debuggee, call);
      this.givenNames.set(key, names);
    }
    return names;
  }
}

/** Which of the first `count` given slots a watch expression's code loads. */
function usedGiven(code: Int32Array, count: number): number[] {
  const used: number[] = [];
  for (let index = 0; index < count; index++) {
    if (code.some((word, at) => word === GIVEN_SLOTS + index && code[at - 1] === OP_LOAD)) used.push(index);
  }
  return used;
}
