/** Where a step in can lead from a statement: each call that it still makes. */
import {
  type FlowFunction,
  type FlowProgram,
  lengthAt,
  OP_CALL,
  OP_CALL_VALUE,
  OP_LEAF,
  OP_STATEMENT,
} from "../language/flow-code.ts";
import { AT_STATEMENT, IN_LEAF } from "./debuggee.ts";
import type { FlowDebuggee } from "./flow-debuggee.ts";
import { type Goal, isInOwnSource } from "./goals.ts";
import type { Timeline } from "./timeline.ts";

export interface StepTarget {
  /** The call as it stands in the source. */
  readonly label: string;
  /** A place in the called function or leaf; else where the statement is over. */
  goal(timeline: Timeline, task: number): Goal;
}

/** Longer calls are cut in a list. */
const MAX_LABEL = 60;

/** The calls that a task's innermost function still makes in its statement, in the order of their code. */
export function stepTargets(debuggee: FlowDebuggee, task: number): StepTarget[] {
  const [frame] = debuggee.runtime.frames(task);
  if (frame === undefined || debuggee.runtime.isDone(task)) return [];
  const targets: StepTarget[] = [];
  const isInside = debuggee.placeOf(task) === IN_LEAF;
  const { code } = frame.fn;
  for (let pc = frame.pc; pc < code.length; pc += lengthAt(code, pc)) {
    if (code[pc] === OP_STATEMENT && pc > frame.pc) break;
    const isCall = code[pc] === OP_LEAF || code[pc] === OP_CALL || code[pc] === OP_CALL_VALUE;
    if (isCall && !(isInside && pc === frame.pc))
      targets.push(targetAt(debuggee, frame.fn, pc, debuggee.depthOf(task)));
  }
  return targets;
}

function targetAt(debuggee: FlowDebuggee, fn: FlowFunction, pc: number, depth: number): StepTarget {
  const isLeaf = fn.code[pc] === OP_LEAF;
  /** Where the function's frame stands while the call is under way. */
  const at = isLeaf ? pc : pc + lengthAt(fn.code, pc);
  return {
    label: labelOf(debuggee.program, fn, pc),
    goal: (timeline, task) => {
      const isReached = (): boolean => {
        const now = timeline.debuggee;
        if (now.task !== task) return now.isDone(task);
        const over = now.place === AT_STATEMENT && now.depthOf(task) <= depth;
        const level = now.depthOf(task) - depth;
        const isThere = isLeaf ? isInOwnSource(timeline) && level === 0 : now.place === AT_STATEMENT && level === 1;
        return over || (isThere && now.pcOf(task, level) === at);
      };
      return { isFine: true, stopsAtCalls: false, isReached };
    },
  };
}

function labelOf(program: FlowProgram, fn: FlowFunction, pc: number): string {
  const span = fn.positions.find((position) => position.pc === pc);
  const text = span === undefined ? "" : fn.source.text.slice(span.start, span.end).replaceAll(/\s+/g, " ");
  if (text !== "") return text.length > MAX_LABEL ? `${text.slice(0, MAX_LABEL - 1)}…` : text;
  const index = fn.code[pc + 1] as number;
  if (fn.code[pc] === OP_LEAF) return program.leafCalls[index]?.name ?? "seamcall";
  return fn.code[pc] === OP_CALL ? (program.functions[index]?.name ?? "call") : "call";
}
