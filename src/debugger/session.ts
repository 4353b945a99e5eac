/** A debug session without a protocol: a flow on its machine, run control over it, and what can be seen of it. */
import { compileFlow } from "../language/compile.ts";
import type { Diagnostic } from "../language/diagnostics.ts";
import type { FlowProgram } from "../language/flow-code.ts";
import type { ReadSource } from "../language/load.ts";
import { Machine } from "../module/machine.ts";
import { platformConfig } from "../runtime/platform.ts";
import { Store } from "../state/store.ts";
import type { Input } from "./branches.ts";
import { Breakpoints } from "./breakpoints.ts";
import { type CallView, callView } from "./call-items.ts";
import { type CompletionList, completions } from "./completions.ts";
import { partDataId, resolveDataId } from "./data-ids.ts";
import type { Failure } from "./debuggee.ts";
import { eptViolationKind } from "./ept-violation.ts";
import { ExceptionFilters } from "./exceptions.ts";
import { type Explanation, explain } from "./explain.ts";
import { FlowDebuggee } from "./flow-debuggee.ts";
import { domainItems } from "./inspect/domain-items.ts";
import { Inspector } from "./inspect/inspector.ts";
import type { Item } from "./inspect/item.ts";
import { pamtItems } from "./inspect/pamt-items.ts";
import { lpFields, platformItems } from "./inspect/platform-items.ts";
import { Milestones } from "./milestones.ts";
import { isSame, type Position } from "./position.ts";
import { RunControl, type RunHost } from "./run-control.ts";
import { type FlowPlace, type StackFrame, stackOf } from "./stack.ts";
import { type StepTarget, stepTargets } from "./step-targets.ts";
import type { Stop } from "./stops.ts";
import { Timeline } from "./timeline.ts";
import { localItems, type ValueContext, valueItem } from "./value-items.ts";

/** Bytes of history that a scout needs, to go back over a few units. */
const SCOUT_BUDGET = 8 * 2 ** 20;

export interface SessionOptions {
  /** Path of the flow, and how it and its imports are read. */
  readonly path: string;
  readonly readSource: ReadSource;
  /** Name of the `test` block to run; undefined: the flow itself. */
  readonly test?: string | undefined;
  /** Folder of the shipped flows. */
  readonly flowsFolder?: string;
  /** Bytes that history may take. */
  readonly historyBudget: number;
  readonly host: SessionHost;
}

export interface SessionHost {
  breathe(): Promise<void>;
  now(): number;
  /** A breakpoint says something. */
  message(text: string): void;
  /** A `log` statement of the flow; its place, line and column from 1. */
  output(
    text: string,
    place: { readonly path: string; readonly line: number; readonly column: number } | undefined,
  ): void;
}

function noTest(path: string, test: string | undefined): Diagnostic {
  const place = { file: path, line: 1, column: 1, endLine: 1, endColumn: 1 };
  return { ...place, severity: "error", code: "no-test", message: `there is no test "${test}"` };
}

export interface Scope {
  readonly name: string;
  readonly items: () => readonly Item[];
  readonly isExpensive: boolean;
  readonly kind?: "locals" | "registers" | "arguments";
}

export class Session {
  readonly program: FlowProgram;
  readonly timeline: Timeline;
  readonly breakpoints: Breakpoints;
  readonly exceptions = new ExceptionFilters();
  readonly control: RunControl;
  readonly inspector: Inspector;
  readonly milestones: Milestones;
  /** Makes the same run on a machine of its own, at its start; it follows the current branch, and nobody hears its output. */
  readonly makeScout: () => Timeline;
  private readonly host: SessionHost;
  private readonly runHost: RunHost;
  /** Looks for a change just now. */
  private search: RunControl | undefined;
  /** By branch: units whose output was shown. When they run again it is not shown again. */
  private readonly shown = new Map<number, number>();
  /** Where the session stood at the last two stops. */
  private stoppedAt: { position: Position; mark: number } = { position: { step: 0, sub: 0 }, mark: 0 };

  /** Compiles a flow. The diagnostics have an error if there is no session. */
  static async open(options: SessionOptions): Promise<{ session?: Session; diagnostics: readonly Diagnostic[] }> {
    const { readSource, flowsFolder } = options;
    const { program, diagnostics } = await compileFlow(options.path, {
      readSource,
      ...(flowsFolder !== undefined && { flowsFolder }),
    });
    if (program === undefined) return { diagnostics };
    const { test } = options;
    const entry = test === undefined ? program.entry : program.tests.find(({ name }) => name === test)?.fn;
    if (entry === undefined) return { diagnostics: [...diagnostics, noTest(options.path, test)] };
    return { session: new Session(program, entry, options), diagnostics };
  }

  private constructor(program: FlowProgram, entry: number, options: SessionOptions) {
    this.program = program;
    this.host = options.host;
    const config = platformConfig(program.platform);
    const begin = (historyBudget: number, output: (text: string) => void): FlowDebuggee =>
      new FlowDebuggee(program, new Machine(new Store({ historyBudget }), config), output, entry);
    this.timeline = new Timeline(() => begin(options.historyBudget, (text) => this.output(text)));
    this.makeScout = () => new Timeline(() => begin(SCOUT_BUDGET, () => {}), this.timeline.branches);
    this.milestones = new Milestones(this.makeScout, this.timeline, program);
    this.breakpoints = new Breakpoints(program);
    this.inspector = new Inspector(this.debuggee.machine);
    this.runHost = {
      breathe: () => options.host.breathe(),
      now: () => options.host.now(),
      message: (text) => options.host.message(text),
      classify: (outcome) => eptViolationKind(this.debuggee.machine, outcome),
    };
    this.control = new RunControl(this.timeline, this.breakpoints, this.exceptions, this.runHost);
    this.stopped();
  }

  get debuggee(): FlowDebuggee {
    return this.timeline.debuggee as FlowDebuggee;
  }

  get position(): Position {
    return this.timeline.position;
  }

  get failure(): Failure | undefined {
    return this.debuggee.failure;
  }

  /** Starts over; breakpoints stay. */
  restart(): void {
    this.control.restart();
    this.shown.set(this.timeline.branches.current.id, 0);
    this.stopped();
  }

  /** What the units before a step log is known: it is not shown. */
  expectOutputUntil(step: number): void {
    this.shown.set(this.timeline.branches.current.id, step);
  }

  /** Something is done from outside, at the present place. Throws what the input throws. Returns whether that began a branch. */
  put(input: Input): boolean {
    const isFork = this.control.put(input);
    this.stopped();
    return isFork;
  }

  /** Stops whatever moves the session. */
  pause(): void {
    this.control.pause();
    this.search?.pause();
  }

  /** Whether a data id names data of this machine. */
  isData(dataId: string): boolean {
    return resolveDataId(this.debuggee, dataId) !== undefined;
  }

  /** Goes back to the place behind the move that wrote the data last (data-breakpoints.ts), or to the start if none did. */
  async goToChange(dataId: string): Promise<Stop> {
    const breakpoints = new Breakpoints(this.program);
    breakpoints.setData(this.debuggee, [{ dataId }]);
    this.search = new RunControl(this.timeline, breakpoints, new ExceptionFilters(), this.runHost);
    const stop = this.search.mayStopHere() ? undefined : await this.search.backward("continue");
    this.search = undefined;
    return stop === undefined || stop.reason === "breakpoint" ? { reason: "goto" } : stop;
  }

  /** The session stands still again: all that was read of it is read anew, and compared with the stop before. */
  stopped(): void {
    const { position, mark } = this.timeline;
    const { store } = this.debuggee;
    const before = this.stoppedAt;
    // What was inside a unit has no mark any more once the unit is over: its start is the nearest that has.
    const isSameUnit = before.position.step === position.step && before.position.sub <= position.sub;
    const since = isSameUnit ? before.mark : this.debuggee.start + before.position.step;
    this.inspector.moved(this.debuggee.machine, Math.min(since, store.now), this.timeline.undone);
    this.timeline.undone.forget(mark);
    if (!isSame(before.position, position)) this.stoppedAt = { position, mark };
  }

  private output(text: string): void {
    const { debuggee } = this;
    if (this.timeline.isUnheard) return;
    const step = debuggee.unit - debuggee.start;
    const { id, from } = this.timeline.branches.current;
    if (step < (this.shown.get(id) ?? from.step)) return;
    this.shown.set(id, step + 1);
    const frame = debuggee.runtime.frames()[0];
    this.host.output(text, frame && { path: frame.source.path, line: frame.line, column: frame.column });
  }

  // ---- what can be seen ----

  tasks(): readonly { readonly id: number; readonly name: string; readonly isCurrent: boolean }[] {
    const tasks = this.debuggee.runtime.tasks().filter((task) => task.state !== "done" || task.current);
    return tasks.map(({ id, name, lp, state, inside, isGuest, current }) => {
      const what = [
        ...(isGuest ? ["guest"] : []),
        ...(inside === undefined ? [] : [`in ${inside}`]),
        ...(state === "waiting" ? ["waits"] : []),
      ];
      return { id, name: [name, `LP ${lp}`, ...what].join(" · "), isCurrent: current };
    });
  }

  stack(task: number): StackFrame[] {
    return stackOf(this.debuggee, task);
  }

  private get context(): ValueContext {
    return { debuggee: this.debuggee, moment: this.inspector.moment };
  }

  /** The call of the module at which a task stands. */
  call(task = this.debuggee.task): CallView | undefined {
    return callView(this.context, task);
  }

  scopes(task: number, frame: StackFrame): Scope[] {
    const { context } = this;
    const { moment } = this.inspector;
    const flow = this.debuggee.frames(task)[frame.flowFrame];
    const lp = flow?.lp ?? 0;
    const call = frame.flowFrame === 0 ? this.call(task) : undefined;
    return [
      ...(flow && frame.kind === "flow"
        ? [{ name: "Locals", items: () => localItems(context, flow), isExpensive: false, kind: "locals" } as const]
        : []),
      ...(call ? [{ name: call.leaf, items: () => call.items, isExpensive: false, kind: "arguments" } as const] : []),
      { name: `LP ${lp}`, items: () => lpFields(moment, lp, "lp"), isExpensive: false, kind: "registers" },
      { name: "Trust Domains", items: () => domainItems(moment), isExpensive: true },
      { name: "Platform", items: () => [...platformItems(moment), ...pamtItems(moment)], isExpensive: true },
    ];
  }

  /** Variables of a flow's frame. */
  locals({ task, flowFrame }: FlowPlace): Item[] {
    const frame = this.debuggee.frames(task)[flowFrame];
    return frame ? localItems(this.context, frame) : [];
  }

  /** What the beginning of an expression may go on with. */
  completions(text: string, at: FlowPlace): CompletionList {
    const fieldsOf = (expression: string): readonly Item[] => {
      const item = this.evaluate(expression, at);
      return "error" in item ? [] : (item.children?.() ?? []);
    };
    return completions(text, this.locals(at), this.debuggee.given(at.flowFrame, at.task), fieldsOf);
  }

  /** Value of an expression as an item. */
  evaluate(expression: string, { task, flowFrame }: FlowPlace): Item | { readonly error: string } {
    const result = this.debuggee.evaluate(expression, flowFrame, task);
    if ("error" in result) return result;
    return valueItem(this.context, `watch/${expression}`, expression, expression, result.value);
  }

  /** `record.field` or `list[index]`, if the text is such an expression and there is one. */
  part(expression: string, at: FlowPlace): Item | undefined {
    const [, whole = "", field, index = ""] = /^(.+)(?:\.([A-Za-z_]\w*)|\[([^[\]]+)\])\s*$/s.exec(expression) ?? [];
    const held = (text: string): unknown => {
      const result = this.debuggee.evaluate(text, at.flowFrame, at.task);
      return "error" in result ? undefined : result.value;
    };
    const dataId = whole === "" ? undefined : partDataId(held(whole), field ?? String(held(index)));
    const item = this.evaluate(expression, at);
    return dataId === undefined || "error" in item ? undefined : { ...item, dataId };
  }

  /** Where a step in of a task can lead. */
  stepTargets(task: number): StepTarget[] {
    return stepTargets(this.debuggee, task);
  }

  /** Why the call behind which the session stands, or with which the flow failed, did not succeed. */
  explanation(): Explanation | undefined {
    return explain(this.timeline, () => this.inspector.look(this.debuggee.machine));
  }
}
