/**
 * Breakpoints: where a run stops, what has to hold there, how often it has to have been there, and what it says instead of
 * stopping. They are looked up by tables over the program's statements and the leaf numbers, so that a place without a
 * breakpoint costs one read of an array.
 */
import type { FlowProgram } from "../language/flow-code.ts";
import { parseTrace } from "../module/step.ts";
import { GUEST_LEAF } from "../runtime/hooks.ts";
import {
  type ActiveBreakpoint,
  activeBreakpoint,
  type Breakpoint,
  type BreakpointKind,
  type BreakpointRequest,
  parseCondition,
} from "./active-breakpoint.ts";
import { flowPlaces, functionPlaces, leafPlaces, type Places, triggerPlaces } from "./breakpoint-places.ts";
import { type Condition, holds, type Trigger } from "./condition.ts";
import { type DataBreakpointRequest, DataBreakpoints } from "./data-breakpoints.ts";
import { AT_CALL, AT_STATEMENT, type Debuggee, IN_LEAF, IN_STATEMENT, type Outcome } from "./debuggee.ts";
import { filterConditionError } from "./exceptions.ts";
import type { Hits } from "./hit-condition.ts";
import { LEAVES } from "./leaf-names.ts";
import { type LeafSource, leafPath } from "./leaf-sources.ts";
import type { Position } from "./position.ts";

interface Placed extends Places {
  readonly active: ActiveBreakpoint;
}

/** Group of the function breakpoints, where others have the path of their source. */
const FUNCTIONS = "";
const DATA = "data";
const STEPS = "steps";
const EXCEPTIONS = "exceptions";

/** Answers, where that has to be known, whether the function that the next statement belongs to returns with it. */
export type ReturnsNext = () => boolean;

export class Breakpoints {
  readonly data = new DataBreakpoints();
  /** Another one when the tables are others. */
  version = 0;
  private readonly program: FlowProgram;
  private nextId = 1;

  /** The breakpoints that are set next get ids from this one on. */
  numberFrom(id: number): void {
    this.nextId = id;
  }
  /** By source path; function breakpoints stand under "". */
  private readonly groups = new Map<string, readonly Placed[]>();

  private byStatement = new Map<number, Placed[]>();
  private byReturning = new Map<number, Placed[]>();
  private byLeaf = new Map<number, Placed[]>();
  private byReturned = new Map<number, Placed[]>();
  /** By "path:line" of a leaf source. */
  private byStep = new Map<string, Placed[]>();
  /** Statements with a breakpoint: what the run reads at each statement. */
  readonly statementFlags: Uint8Array;
  /** Leaves, host and guest, with a breakpoint on their call or inside. */
  readonly leafFlags = new Uint8Array(GUEST_LEAF + 0x100);
  /** Leaves with any breakpoint, also behind their call. */
  readonly anyLeafFlags = new Uint8Array(GUEST_LEAF + 0x100);
  /** Leaves that have to be stepped since there is a breakpoint in a source that they may reach. */
  private readonly steppedFlags = new Uint8Array(GUEST_LEAF + 0x100);

  constructor(program: FlowProgram) {
    this.program = program;
    this.statementFlags = new Uint8Array(program.statements.length);
  }

  // ---- setting ----

  /** Replaces all breakpoints of a flow source. `path` as the program names it. */
  setFlowLines(path: string, requests: readonly BreakpointRequest[]): Breakpoint[] {
    return this.place(path, "line", requests, (request) => flowPlaces(this.program, path, request));
  }

  /** Replaces all breakpoints of a leaf source. */
  setLeafLines(source: LeafSource, requests: readonly BreakpointRequest[]): Breakpoint[] {
    return this.place(source.path, "line", requests, (request) => leafPlaces(source, request));
  }

  /** Replaces all data breakpoints. */
  setData(debuggee: Debuggee, requests: readonly DataBreakpointRequest[]): Breakpoint[] {
    const triggers: Placed[] = [];
    const trigger = (wanted: Trigger): Hits | string => this.trigger(wanted, this.entryPath, triggers);
    const answers = this.data.set(debuggee, requests, () => this.nextId++, trigger);
    this.replace(DATA, triggers);
    return answers;
  }

  /** Conditions of exception filters, in place of those before; a text says what is wrong with one. */
  setExceptionConditions(texts: readonly string[]): (Condition | string)[] {
    const triggers: Placed[] = [];
    const trigger = (wanted: Trigger): Hits | string => this.trigger(wanted, this.entryPath, triggers);
    const conditions = texts.map((text) => filterConditionError(text.trim()) ?? parseCondition(text, trigger));
    this.replace(EXCEPTIONS, triggers);
    return conditions;
  }

  /** Replaces all breakpoints on steps of the module by their place; a text as place says why there is none. */
  setSteps(
    requests: readonly (BreakpointRequest & {
      readonly at: { readonly path: string; readonly line: number } | string;
    })[],
  ): Breakpoint[] {
    return this.place(STEPS, "instruction", requests, ({ at }) =>
      typeof at === "string" ? at : { step: at, place: { line: at.line, column: 1 } },
    );
  }

  /** For sources in which nothing can stop. */
  refuse(requests: readonly BreakpointRequest[], reason: string): Breakpoint[] {
    return requests.map(() => ({ id: this.nextId++, verified: false, message: reason }));
  }

  /** Replaces all function breakpoints. */
  setFunctions(requests: readonly (BreakpointRequest & { readonly name: string })[]): Breakpoint[] {
    return this.place(FUNCTIONS, "function", requests, ({ name }) => functionPlaces(this.program, name));
  }

  /** Where a line stands that names no file. */
  private get entryPath(): string {
    return this.program.functions[this.program.entry]?.source.path ?? "";
  }

  private place<R extends BreakpointRequest>(
    group: string,
    kind: BreakpointKind,
    requests: readonly R[],
    find: (request: R) => Places | string,
  ): Breakpoint[] {
    const all: Placed[] = [];
    const path = kind === "line" ? group : this.entryPath;
    const answers = requests.map((request): Breakpoint => {
      const id = this.nextId++;
      const active = activeBreakpoint(id, kind, request, (wanted) => this.trigger(wanted, path, all));
      if (typeof active === "string") return { id, verified: false, message: active };
      const found = find(request);
      if (typeof found === "string") return { id, verified: false, message: found };
      all.push({ ...found, active });
      return { id, verified: true, ...found.place, ...(found.message && { message: found.message }) };
    });
    this.replace(group, all);
    return answers;
  }

  /** A place whose passing is noted for `after(…)`; it goes to `all`. */
  private trigger({ place, condition }: Trigger, path: string, all: Placed[]): Hits | string {
    const found = triggerPlaces(this.program, place, path);
    if (typeof found === "string") return found;
    const nested = (): string => "one after(…) cannot stand in another";
    const active = activeBreakpoint(0, "trigger", { condition }, nested);
    if (typeof active === "string") return active;
    all.push({ ...found, active });
    return active.hits;
  }

  private replace(group: string, placed: readonly Placed[]): void {
    this.groups.set(group, placed);
    this.index();
  }

  /** Makes the tables anew. */
  private index(): void {
    this.version++;
    this.byStatement = new Map();
    this.byReturning = new Map();
    this.byLeaf = new Map();
    this.byReturned = new Map();
    this.byStep = new Map();
    this.statementFlags.fill(0);
    for (const flags of [this.leafFlags, this.anyLeafFlags, this.steppedFlags]) flags.fill(0);
    const add = <K>(map: Map<K, Placed[]>, key: K, placed: Placed): void => {
      map.set(key, [...(map.get(key) ?? []), placed]);
    };
    for (const placed of [...this.groups.values()].flat()) {
      for (const id of placed.statements ?? []) add(this.byStatement, id, placed);
      for (const id of placed.returning ?? []) add(this.byReturning, id, placed);
      for (const leaf of placed.leaves ?? []) add(this.byLeaf, leaf, placed);
      for (const leaf of placed.returned ?? []) add(this.byReturned, leaf, placed);
      if (placed.step) {
        const { path, line } = placed.step;
        add(this.byStep, `${path}:${line}`, placed);
        // A leaf's own source is reached by that leaf only, a shared one by any.
        const own = LEAVES.filter(({ name }) => leafPath(name) === path);
        for (const { number } of own.length ? own : LEAVES) this.leafFlags[number] = this.steppedFlags[number] = 1;
      }
    }
    for (const id of [...this.byStatement.keys(), ...this.byReturning.keys()]) this.statementFlags[id] = 1;
    for (const leaf of this.byLeaf.keys()) this.leafFlags[leaf] = 1;
    this.anyLeafFlags.set(this.leafFlags);
    for (const leaf of this.byReturned.keys()) this.anyLeafFlags[leaf] = 1;
  }

  // ---- asking ----

  /** Whether the leaf that is about to be called has to be run step by step. */
  isStepped(callee: number): boolean {
    return this.steppedFlags[callee] === 1;
  }

  /** Whether there is a breakpoint on any leaf, or inside one. */
  get hasLeaves(): boolean {
    return this.byLeaf.size + this.byStep.size > 0;
  }

  /** Whether there is a breakpoint behind any leaf. */
  get hasReturned(): boolean {
    return this.byReturned.size > 0;
  }

  /** Whether counts of hits are needed: they are from the start of the run. */
  get counts(): boolean {
    const all = [...this.groups.values()].flat();
    return this.data.counts || all.some(({ active }) => active.hitCondition !== undefined || active.kind === "trigger");
  }

  /** Forgets the hits at or behind a position. */
  forgetHits({ step, sub }: Position): void {
    for (const { active } of [...this.groups.values()].flat()) active.hits.forget(step, sub);
    this.data.forgetHits(step, sub);
  }

  /** Whether a breakpoint's condition holds at a call that is about to be made. `now`: at or behind it. */
  mayStopAtCall(debuggee: Debuggee, callee: number, now: Position): boolean {
    return (this.byLeaf.get(callee) ?? []).some(({ active }) => holds(active.condition, debuggee, now));
  }

  /** The same behind a call. */
  mayStopBehindCall(debuggee: Debuggee, { callee }: Outcome, now: Position): boolean {
    if (this.anyLeafFlags[callee] !== 1) return false;
    return (this.byReturned.get(callee) ?? []).some(({ active }) => holds(active.condition, debuggee, now));
  }

  /** Whether a breakpoint's condition holds at the present place; counts nothing. */
  mayHit(debuggee: Debuggee, position: Position, returnsNext: ReturnsNext): boolean {
    return this.activeAt(debuggee, returnsNext).some(({ condition }) => holds(condition, debuggee, position));
  }

  /** The breakpoints of the place where the debuggee stands, whether or not their conditions hold. */
  activeAt(debuggee: Debuggee, returnsNext: ReturnsNext): ActiveBreakpoint[] {
    return this.placedAt(debuggee, returnsNext).map(({ active }) => active);
  }

  private placedAt(debuggee: Debuggee, returnsNext: ReturnsNext): readonly Placed[] {
    switch (debuggee.place) {
      case AT_STATEMENT: {
        if (this.statementFlags[debuggee.statement] !== 1) return [];
        const before = this.byStatement.get(debuggee.statement) ?? [];
        const returning = this.byReturning.get(debuggee.statement);
        return returning && returnsNext() ? [...before, ...returning] : before;
      }
      case AT_CALL:
        if (this.leafFlags[debuggee.callee] !== 1) return [];
        return ofStatement(debuggee, this.byLeaf.get(debuggee.callee) ?? []);
      case IN_STATEMENT:
        if (debuggee.outcome === undefined) return [];
        return ofStatement(debuggee, this.byReturned.get(debuggee.outcome.callee) ?? []);
      case IN_LEAF: {
        if (this.byStep.size === 0) return [];
        const step = parseTrace(debuggee.trace).frames.at(-1);
        return (step && this.byStep.get(`${step.file}:${step.line}`)) ?? [];
      }
      default:
        return [];
    }
  }
}

/** Those that stand on calls of any statement, or of the one that makes the present call. */
function ofStatement(debuggee: Debuggee, placed: readonly Placed[]): readonly Placed[] {
  if (placed.every(({ callsOf }) => callsOf === undefined)) return placed;
  const { callStatement } = debuggee;
  return placed.filter(({ callsOf }) => callsOf === undefined || callsOf === callStatement);
}
