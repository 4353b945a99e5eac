/**
 * Breakpoints: where a run stops, what has to hold there, how often it has to have been there, and what it says instead of
 * stopping. They are looked up by tables over the program's statements and the leaf numbers, so that a place without a
 * breakpoint costs one read of an array.
 */
import type { FlowProgram, FlowStatement } from "../language/flow-code.ts";
import { parseTrace } from "../module/step.ts";
import { AT_CALL, AT_STATEMENT, type Debuggee, IN_LEAF } from "./debuggee.ts";
import { globToRegExp } from "./glob.ts";
import { type HitCondition, Hits, parseHitCondition } from "./hit-condition.ts";
import { GUEST_LEAF, LEAVES } from "./leaf-names.ts";
import { type LeafSource, leafPath, stepAtOrAfter } from "./leaf-sources.ts";
import type { Position } from "./timeline.ts";

/** What a client asks for. */
export interface BreakpointRequest {
  /** Line and column from 1. */
  readonly line?: number;
  readonly column?: number;
  readonly condition?: string;
  readonly hitCondition?: string;
  readonly logMessage?: string;
}

/** What became of it. */
export interface Breakpoint {
  readonly id: number;
  readonly verified: boolean;
  /** Why it is not verified, or what it matches. */
  readonly message?: string;
  readonly line?: number;
  readonly column?: number;
}

interface Active {
  readonly id: number;
  readonly condition: string;
  readonly hitCondition: HitCondition | undefined;
  readonly logMessage: string;
  readonly hits: Hits;
}

/** What is to happen at a place. */
export interface BreakpointHit {
  /** Ids of the breakpoints to stop at; none if there are only messages. */
  readonly ids: readonly number[];
  readonly isFunction: boolean;
  readonly messages: readonly string[];
}

type Group = { readonly isFunction: boolean; readonly breakpoints: readonly Placed[] };
interface Placed {
  readonly active: Active;
  readonly statements: readonly number[];
  readonly leaves: readonly number[];
  readonly step?: { readonly path: string; readonly line: number };
}

export class Breakpoints {
  private readonly program: FlowProgram;
  private nextId = 1;
  /** By source path; function breakpoints stand under "". */
  private readonly groups = new Map<string, Group>();

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
    return this.place(path, false, requests, (request) => {
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
    return this.place(source.path, false, requests, (request) => {
      const line = stepAtOrAfter(source, request.line ?? 1);
      if (line === undefined) return "There is no step at or after this line: a leaf stops where it yields one.";
      return { statements: [], leaves: [], step: { path: source.path, line }, place: { line, column: 1 } };
    });
  }

  /** For sources in which nothing can stop. */
  refuse(requests: readonly BreakpointRequest[], reason: string): Breakpoint[] {
    return requests.map(() => ({ id: this.nextId++, verified: false, message: reason }));
  }

  /** Replaces all function breakpoints. */
  setFunctions(requests: readonly (BreakpointRequest & { readonly name: string })[]): Breakpoint[] {
    return this.place("", true, requests, ({ name }) => {
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
    isFunction: boolean,
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
      const { condition = "", hitCondition = "", logMessage = "" } = request;
      const hitTest = hitCondition.trim() === "" ? undefined : parseHitCondition(hitCondition);
      if (hitCondition.trim() !== "" && hitTest === undefined) {
        return { id, verified: false, message: `"${hitCondition}" is no hit count: write 3, >=3 or %3.` };
      }
      const found = find(request);
      if (typeof found === "string") return { id, verified: false, message: found };
      const active: Active = { id, condition: condition.trim(), hitCondition: hitTest, logMessage, hits: new Hits() };
      breakpoints.push({ ...found, active });
      return { id, verified: true, ...found.place, ...(found.message && { message: found.message }) };
    });
    this.groups.set(group, { isFunction, breakpoints });
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
    for (const { breakpoints } of this.groups.values()) {
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
    return [...this.groups.values()].some(({ breakpoints }) => breakpoints.some(({ active }) => active.hitCondition));
  }

  /** Whether a breakpoint's condition holds at a call that is about to be made. */
  mayStopAtCall(debuggee: Debuggee, callee: number): boolean {
    return (this.byLeaf.get(callee) ?? []).some(({ active }) => conditionHolds(active, debuggee, []));
  }

  /** Whether a breakpoint's condition holds at the present place; counts nothing. */
  mayHit(debuggee: Debuggee): boolean {
    return (this.placedAt(debuggee) ?? []).some(({ active }) => conditionHolds(active, debuggee, []));
  }

  /** What the breakpoints want at the place where the debuggee stands. */
  hit(debuggee: Debuggee, position: Position): BreakpointHit | undefined {
    const placed = this.placedAt(debuggee);
    if (placed === undefined) return undefined;
    const ids: number[] = [];
    const messages: string[] = [];
    let isFunction = false;
    for (const { active, step, leaves, statements } of placed) {
      if (!conditionHolds(active, debuggee, messages)) continue;
      if (active.hitCondition && !active.hitCondition(active.hits.count(position.step, position.sub))) continue;
      if (active.logMessage !== "") messages.push(interpolate(active.logMessage, debuggee));
      else {
        ids.push(active.id);
        isFunction ||= step === undefined && (leaves.length > 0 || statements.length > 1);
      }
    }
    return ids.length || messages.length ? { ids, isFunction, messages } : undefined;
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

function conditionHolds(active: Active, debuggee: Debuggee, messages: string[]): boolean {
  if (active.condition === "") return true;
  const result = debuggee.evaluate(active.condition);
  if ("error" in result) {
    // Stops: a person then sees what is wrong, rather than wait for a stop that never comes.
    messages.push(`Condition "${active.condition}": ${result.error}`);
    return true;
  }
  return result.value === true || (result.value !== false && result.value !== 0 && result.value !== null);
}

/** Replaces {expression} in a log message by its value. */
function interpolate(message: string, debuggee: Debuggee): string {
  return message.replace(/\{([^{}]+)\}/g, (_, expression: string) => {
    const result = debuggee.evaluate(expression);
    return "error" in result ? `{${result.error}}` : debuggee.show(result.value);
  });
}
