/**
 * Evaluates expressions where a flow stands: its variables, and by name what belongs to the place: `lp`, `task`, and at a
 * call `leaf` and its operands, behind one `status` and its results.
 */
import { leafSignatures } from "../arch/leaf-operands.ts";
import { compileWatch, type WatchExpression } from "../language/compile.ts";
import { evaluateWatch } from "../runtime/evaluate.ts";
import { takeResult } from "../runtime/leaf-call.ts";
import { leafName } from "./breakpoints.ts";
import type { Evaluation } from "./debuggee.ts";
import type { FlowDebuggee } from "./flow-debuggee.ts";

/** Compiled expressions that are kept; conditions are few and asked often. */
const MAX_COMPILED = 500;

export class Evaluator {
  private readonly debuggee: FlowDebuggee;
  private readonly compiled = new Map<string, WatchExpression | string>();

  constructor(debuggee: FlowDebuggee) {
    this.debuggee = debuggee;
  }

  evaluate(text: string, frame: number): Evaluation {
    const { runtime } = this.debuggee;
    const frames = runtime.frames();
    const at = frames[frame] ?? frames[0];
    if (at === undefined) return { error: "nothing runs" };
    const given = this.given(at.lp);
    const names = [...given.keys()];
    const key = `${at.fn.index}:${at.pc}:${names.join()}:${text}`;
    let watch = this.compiled.get(key);
    if (watch === undefined) {
      watch = compileWatch(text, runtime.program, at.fn, at.pc, names);
      if (this.compiled.size >= MAX_COMPILED) this.compiled.clear();
      this.compiled.set(key, watch);
    }
    if (typeof watch === "string") return { error: watch };
    return evaluateWatch(runtime.state, watch, at.slots, [...given.values()]);
  }

  private given(lp: number): Map<string, unknown> {
    const { debuggee } = this;
    const given = new Map<string, unknown>([
      ["lp", lp],
      ["task", debuggee.task],
    ]);
    const pending = debuggee.runtime.pendingLeaf;
    if (pending) {
      given.set("leaf", pending.name);
      for (const { name, value } of pending.operands) given.set(name, value);
    }
    const { outcome } = debuggee;
    if (outcome) {
      const leaf = leafName(outcome.callee);
      const result = takeResult(debuggee.machine.platform, outcome.lp, leaf);
      given.set("leaf", leaf);
      given.set("status", result.status);
      for (const { name } of leafSignatures.get(leaf)?.outputs ?? []) given.set(name, result.field(name));
    }
    return given;
  }
}
