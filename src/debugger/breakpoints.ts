/**
 * Breakpoints: where a run stops, what has to hold there, how often it has to have been there, and what it says instead of
 * stopping. They are looked up by tables over the program's statements and the leaf numbers, so that a place without a
 * breakpoint costs one read of an array.
 */
import type { FlowProgram, FlowStatement } from "../language/flow-code.ts";
import type { Machine } from "../module/machine.ts";
import { parseTrace } from "../module/step.ts";
import {
  type ActiveBreakpoint,
  activeBreakpoint,
  type Breakpoint,
  type BreakpointHit,
  type BreakpointKind,
  type BreakpointRequest,
  conditionHolds,
  meet,
} from "./active-breakpoint.ts";
import { type DataBreakpointRequest, DataBreakpoints } from "./data-breakpoints.ts";
import { AT_CALL, AT_STATEMENT, type Debuggee, IN_LEAF } from "./debuggee.ts";
import { globToRegExp } from "./glob.ts";
import { GUEST_LEAF, LEAVES } from "./leaf-names.ts";
import { type LeafSource, leafPath, stepAtOrAfter } from "./leaf-sources.ts";
import type { Position } from "./timeline.ts";

interface Placed {
  readonly active: ActiveBreakpoint;
  readonly statements: readonly number[];
  readonly leaves: readonly number[];
  readonly step?: { readonly path: string; readonly line: number };
}

export class Breakpoints {
  readonly data = new DataBreakpoints();
  private readonly program: FlowProgram;
  private nextId = 1;
  /** By source path; function breakpoints stand under "". */
  private readonly groups = new Map<string, readonly Placed[]>();

  private byStatement = new Map<number, Placed[]>();
  private byLeaf = new Map<number, Placed[]>();
  /** By "path:line" of a leaf source. */
  private byStep = new Map<string, Placed[]>();
  /** Statements with a breakpoint: what the run reads at each statement. */
  readonly statementFlags: Uint8Array;
  /** Leaves, host and guest, with a breakpoint on their call or inside. */
  readonly leafFlags = new Uint8Array(GUEST_LEAF + 0x100);
  /** Leaves that have to be stepped since there is a breakpoint in a source that they may reach. */
  private readonly steppedFlags = new Uint8Array(GUEST_LEAF + 0x100);

  constructor(program: FlowProgram) {
    this.program = program;
    this.statementFlags = new Uint8Array(program.statements.length);
  }

  // ---- setting ----

  /** Replaces all breakpoints of a flow source. `path` as the program names it. */
  setFlowLines(path: string, requests: readonly BreakpointRequest[]): Breakpoint[] {
    const statements = this.program.statements
      .filter((statement) => statement.source.path === path)
      .sort((a, b) => a.line - b.line || a.column - b.column);
    return this.place(path, "line", requests, (request) => {
      if (!this.program.sources.some((source) => source.path === path)) {
        return "The running flow does not use this file. It can be imported, or opened and debugged itself.";
      }
      const found = statementAt(statements, request);
      if (found === undefined) return "There is no statement at or after this line.";
      const { id, line, column } = found;
      return { statements: [id], leaves: [], place: { line, column } };
    });
  }

  /** Replaces all breakpoints of a leaf source. */
  setLeafLines(source: LeafSource, requests: readonly BreakpointRequest[]): Breakpoint[] {
    return this.place(source.path, "line", requests, (request) => {
      const line = stepAtOrAfter(source, request.line ?? 1);
      if (line === undefined) return "There is no step at or after this line: a leaf stops where it yields one.";
      return { statements: [], leaves: [], step: { path: source.path, line }, place: { line, column: 1 } };
    });
  }

  /** Replaces all data breakpoints. */
  setData(machine: Machine, requests: readonly DataBreakpointRequest[]): Breakpoint[] {
    return this.data.set(machine, requests, () => this.nextId++);
  }

  /** For sources in which nothing can stop. */
  refuse(requests: readonly BreakpointRequest[], reason: string): Breakpoint[] {
    return requests.map(() => ({ id: this.nextId++, verified: false, message: reason }));
  }

  /** Replaces all function breakpoints. */
  setFunctions(requests: readonly (BreakpointRequest & { readonly name: string })[]): Breakpoint[] {
    return this.place("", "function", requests, ({ name }) => {
      const pattern = globToRegExp(name);
      const leaves = LEAVES.filter((leaf) => pattern.test(leaf.name));
      const functions = this.program.functions.filter((fn) => fn.kind === "function" && pattern.test(fn.name));
      const statements = functions.flatMap((fn) => {
        const inside = this.program.statements.filter((statement) => statement.fn === fn.index);
        return inside.sort((a, b) => a.pc - b.pc).slice(0, 1);
      });
      if (leaves.length === 0 && statements.length === 0) return noFunction(name, this.program);
      const only = statements.length === 1 && leaves.length === 0 ? statements[0] : undefined;
      const names = [...leaves.map((leaf) => leaf.name), ...functions.map((fn) => fn.name)];
      return {
        statements: statements.map(({ id }) => id),
        leaves: leaves.map(({ number }) => number),
        ...(only && { place: { line: only.line, column: only.column } }),
        message:
          names.length === 1
            ? (names[0] as string)
            : `${names.length} functions: ${names.slice(0, 5).join(", ")}${names.length > 5 ? ", …" : ""}`,
      };
    });
  }

  private place<R extends BreakpointRequest>(
    group: string,
    kind: BreakpointKind,
    requests: readonly R[],
    find: (
      request: R,
    ) =>
      | string
      | (Omit<Placed, "active"> & { readonly place?: { line: number; column: number }; readonly message?: string }),
  ): Breakpoint[] {
    const breakpoints: Placed[] = [];
    const answers = requests.map((request): Breakpoint => {
      const id = this.nextId++;
      const active = activeBreakpoint(id, kind, request);
      if (typeof active === "string") return { id, verified: false, message: active };
      const found = find(request);
      if (typeof found === "string") return { id, verified: false, message: found };
      breakpoints.push({ ...found, active });
      return { id, verified: true, ...found.place, ...(found.message && { message: found.message }) };
    });
    this.groups.set(group, breakpoints);
    this.index();
    return answers;
  }

  /** Makes the tables anew. */
  private index(): void {
    this.byStatement = new Map();
    this.byLeaf = new Map();
    this.byStep = new Map();
    this.statementFlags.fill(0);
    this.leafFlags.fill(0);
    this.steppedFlags.fill(0);
    const add = <K>(map: Map<K, Placed[]>, key: K, placed: Placed): void => {
      map.set(key, [...(map.get(key) ?? []), placed]);
    };
    for (const breakpoints of this.groups.values()) {
      for (const placed of breakpoints) {
        for (const id of placed.statements) {
          add(this.byStatement, id, placed);
          this.statementFlags[id] = 1;
        }
        for (const leaf of placed.leaves) {
          add(this.byLeaf, leaf, placed);
          this.leafFlags[leaf] = 1;
        }
        if (placed.step) {
          const { path, line } = placed.step;
          add(this.byStep, `${path}:${line}`, placed);
          // A leaf's own source is reached by that leaf only, a shared one by any.
          const own = LEAVES.filter(({ name }) => leafPath(name) === path);
          for (const { number } of own.length ? own : LEAVES) this.leafFlags[number] = this.steppedFlags[number] = 1;
        }
      }
    }
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

  /** Whether counts of hits are needed: they are from the start of the run. */
  get counts(): boolean {
    return this.data.counts || [...this.groups.values()].flat().some(({ active }) => active.hitCondition !== undefined);
  }

  /** Forgets the hits at or behind a position. */
  forgetHits({ step, sub }: Position): void {
    for (const { active } of [...this.groups.values()].flat()) active.hits.forget(step, sub);
    this.data.forgetHits(step, sub);
  }

  /** Whether a breakpoint's condition holds at a call that is about to be made. */
  mayStopAtCall(debuggee: Debuggee, callee: number): boolean {
    return (this.byLeaf.get(callee) ?? []).some(({ active }) => conditionHolds(active, debuggee));
  }

  /** Whether a breakpoint's condition holds at the present place; counts nothing. */
  mayHit(debuggee: Debuggee): boolean {
    return (this.placedAt(debuggee) ?? []).some(({ active }) => conditionHolds(active, debuggee));
  }

  /** What the breakpoints want at the place where the debuggee stands. `more`: data breakpoints whose data just changed. */
  hit(debuggee: Debuggee, position: Position, more: readonly ActiveBreakpoint[]): BreakpointHit | undefined {
    const placed = this.placedAt(debuggee);
    if (placed === undefined && more.length === 0) return undefined;
    return meet([...(placed ?? []).map(({ active }) => active), ...more], debuggee, position);
  }

  private placedAt(debuggee: Debuggee): readonly Placed[] | undefined {
    switch (debuggee.place) {
      case AT_STATEMENT:
        return this.statementFlags[debuggee.statement] ? this.byStatement.get(debuggee.statement) : undefined;
      case AT_CALL:
        return this.leafFlags[debuggee.callee] ? this.byLeaf.get(debuggee.callee) : undefined;
      case IN_LEAF: {
        if (this.byStep.size === 0) return undefined;
        const step = parseTrace(debuggee.trace).frames.at(-1);
        return step && this.byStep.get(`${step.file}:${step.line}`);
      }
      default:
        return undefined;
    }
  }
}

/** The first statement at or after a line; with a column, the first on that line from there on. */
function statementAt(statements: readonly FlowStatement[], request: BreakpointRequest): FlowStatement | undefined {
  const { line = 1, column = 1 } = request;
  return (
    statements.find((statement) => statement.line === line && statement.column >= column) ??
    statements.find((statement) => statement.line >= line)
  );
}

function noFunction(name: string, program: FlowProgram): string {
  const functions = program.functions.filter((fn) => fn.kind === "function").map((fn) => fn.name);
  const start = name.replace(/\*.*$/, "").slice(0, 7).toUpperCase();
  const near = [...LEAVES.map((leaf) => leaf.name), ...functions].filter((known) =>
    known.toUpperCase().startsWith(start),
  );
  const hint = near.length ? ` Did you mean ${near.slice(0, 3).join(", ")}?` : "";
  return `No leaf function and no function of the flow is called ${name}.${hint}`;
}
