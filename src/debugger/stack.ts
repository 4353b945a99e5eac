/** One call stack from the place inside the module down to the scenario: leaf steps, guest code, flow functions. */
import { placeOf, type Span } from "../language/diagnostics.ts";
import { parseTrace } from "../module/step.ts";
import type { FlowFrame } from "../runtime/frames.ts";
import { leafName } from "../runtime/leaf-call.ts";
import { statementAt } from "../runtime/places.ts";
import { IN_LEAF, IN_STATEMENT } from "./debuggee.ts";
import type { FlowDebuggee } from "./flow-debuggee.ts";
import { leafPath } from "./leaf-sources.ts";

export interface StackFrame {
  readonly name: string;
  /** In the module's own sources, or in a flow. */
  readonly kind: "leaf" | "flow";
  /** Path of the source: of a leaf's in the project, of a flow as the program names it. */
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  readonly endLine?: number;
  readonly endColumn?: number;
  /** Which of the task's flow frames it is, or lies above, from the innermost one: where expressions are evaluated. */
  readonly flowFrame: number;
  /** What the step does that comes next. */
  readonly step?: string;
  /** In a source that several leaves share; `name` is that of the file then. */
  readonly isShared: boolean;
  /** Not what one usually wants to see: the module's dispatchers. */
  readonly isSubtle: boolean;
}

/** A flow's frame of a task, counted from the innermost one: where an expression is understood. */
export interface FlowPlace {
  readonly task: number;
  readonly flowFrame: number;
}

export function stackOf(debuggee: FlowDebuggee, task: number): StackFrame[] {
  const frames: StackFrame[] = [];
  if (debuggee.placeOf(task) === IN_LEAF) frames.push(...leafFrames(debuggee, task));
  for (const [index, frame] of debuggee.frames(task).entries()) {
    const span = spanOf(debuggee, frame, index === 0 && task === debuggee.task);
    const start = placeOf(frame.source, span.start);
    const end = placeOf(frame.source, span.end);
    frames.push({
      name: frame.fn.name + (frame.guest ? " (guest)" : frame.pc >= frame.fn.code.length ? " (end)" : ""),
      kind: "flow",
      path: frame.source.path,
      line: start.line,
      column: start.column,
      endLine: end.line,
      endColumn: end.column,
      flowFrame: index,
      isShared: false,
      isSubtle: false,
    });
  }
  return frames;
}

/** The text that a frame stands in: right behind a call that is still the statement with the call, not the next one. */
function spanOf(debuggee: FlowDebuggee, frame: FlowFrame, isInnermost: boolean): Span {
  if (!isInnermost || debuggee.place !== IN_STATEMENT) return frame.span;
  return statementAt(debuggee.program, frame.fn, frame.pc - 1) ?? frame.span;
}

/** The steps that are open in the module, innermost first. */
function leafFrames(debuggee: FlowDebuggee, task: number): StackFrame[] {
  const { label, frames } = parseTrace(debuggee.traceOf(task));
  const leaf = leafName(task === debuggee.task ? debuggee.callee : debuggee.calleeOf(task));
  const own = leafPath(leaf);
  return frames
    .map(({ file, line }, index): StackFrame => {
      const isInnermost = index === frames.length - 1;
      const isShared = file !== own;
      const where = isShared ? file.slice(file.lastIndexOf("/") + 1) : leaf;
      return {
        name: where,
        kind: "leaf",
        path: file,
        line,
        column: 1,
        flowFrame: 0,
        ...(isInnermost && { step: label }),
        isShared,
        isSubtle: !isInnermost && isShared && frames.some((frame) => frame.file === own) && index === 0,
      };
    })
    .reverse();
}
