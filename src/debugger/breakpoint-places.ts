/** Where breakpoints stand: the statements, leaves and steps that a line or a name means, or why it means none. */
import type { FlowFunction, FlowProgram, FlowStatement } from "../language/flow-code.ts";
import type { BreakpointRequest } from "./active-breakpoint.ts";
import { globToRegExp } from "./glob.ts";
import { LEAVES } from "./leaf-names.ts";
import { type LeafSource, stepAtOrAfter } from "./leaf-sources.ts";
import { calleesOf, UnitScans } from "./unit-scan.ts";

export interface Places {
  /** Numbers of statements: before them. */
  readonly statements?: readonly number[];
  /** Numbers of statements: before them, if the function returns with them. */
  readonly returning?: readonly number[];
  /** Leaves, TDCALLs from GUEST_LEAF on: before their calls. */
  readonly leaves?: readonly number[];
  /** Leaves: behind their calls. */
  readonly returned?: readonly number[];
  readonly step?: { readonly path: string; readonly line: number };
  /** Only calls that this statement makes. */
  readonly callsOf?: number;
  /** The one place where it stands, if it is one. */
  readonly place?: { readonly line: number; readonly column: number };
  /** What it matches. */
  readonly message?: string;
}

/** A line of a flow. `path` as the program names the source. */
export function flowPlaces(program: FlowProgram, path: string, request: BreakpointRequest): Places | string {
  if (!program.sources.some((source) => source.path === path)) {
    return "The running flow does not use this file. It can be imported, or opened and debugged itself.";
  }
  const statements = program.statements
    .filter((statement) => statement.source.path === path)
    .sort((a, b) => a.line - b.line || a.column - b.column);
  const found = statementAt(statements, request);
  if (found === undefined) return "There is no statement at or after this line.";
  const { id, line, column } = found;
  const place = { line, column };
  const { mode = "" } = request;
  if (mode === "" || mode === "entry") return { statements: [id], place };
  if (mode !== "call" && mode !== "return") return `There is no breakpoint mode "${mode}".`;
  const scan = new UnitScans(program).at(program.functions[found.fn] as FlowFunction, found.pc);
  const callees = calleesOf(program, scan) ?? LEAVES.map(({ number }) => number);
  if (callees.length === 0) return "The statement calls no leaf function itself.";
  return { ...(mode === "call" ? { leaves: callees } : { returned: callees }), callsOf: id, place };
}

/** A line of a source of the module. */
export function leafPlaces(source: LeafSource, request: BreakpointRequest): Places | string {
  const line = stepAtOrAfter(source, request.line ?? 1);
  if (line === undefined) return "There is no step at or after this line: a leaf stops where it yields one.";
  return { step: { path: source.path, line }, place: { line, column: 1 } };
}

/** As `perf probe` writes it, or as DTrace does. */
const ON_RETURN = /\s*[%:]\s*return\s*$/i;

/** A function by name or pattern: leaves, and functions of the flow; `NAME%return` where it returns. */
export function functionPlaces(program: FlowProgram, text: string): Places | string {
  const name = text.replace(ON_RETURN, "").trim();
  const isReturn = ON_RETURN.test(text);
  const pattern = globToRegExp(name);
  const leaves = LEAVES.filter((leaf) => pattern.test(leaf.name));
  const functions = program.functions.filter((fn) => fn.kind === "function" && pattern.test(fn.name));
  const inside = functions.map((fn) =>
    program.statements.filter((statement) => statement.fn === fn.index).sort((a, b) => a.pc - b.pc),
  );
  const scans = new UnitScans(program);
  const mayReturn = ({ fn, pc }: FlowStatement): boolean => scans.at(program.functions[fn] as FlowFunction, pc).returns;
  const statements = inside.flatMap((all) => (isReturn ? all.filter(mayReturn) : all.slice(0, 1)));
  if (leaves.length === 0 && functions.length === 0) return noFunction(name, program);
  if (leaves.length === 0 && statements.length === 0) return "The function has no statement to stop at.";
  const numbers = leaves.map(({ number }) => number);
  const ids = statements.map(({ id }) => id);
  const only = statements.length === 1 && leaves.length === 0 ? statements[0] : undefined;
  const names = [...leaves.map((leaf) => leaf.name), ...functions.map((fn) => fn.name)];
  const what = isReturn ? "return of " : "";
  return {
    ...(isReturn ? { returning: ids, returned: numbers } : { statements: ids, leaves: numbers }),
    ...(only && { place: { line: only.line, column: only.column } }),
    message:
      names.length === 1
        ? `${what}${names[0]}`
        : `${what}${names.length} functions: ${names.slice(0, 5).join(", ")}${names.length > 5 ? ", …" : ""}`,
  };
}

/** What `after(…)` names. `path`: the file of the breakpoint that asks. */
export function triggerPlaces(program: FlowProgram, text: string, path: string): Places | string {
  const [, file, line] = /^(?:(.+):)?(\d+)$/.exec(text) ?? [];
  if (line === undefined) return functionPlaces(program, text);
  const source =
    file === undefined
      ? path
      : program.sources.find((known) => known.path === file || known.path.endsWith(`/${file}`))?.path;
  return flowPlaces(program, source ?? file ?? "", { line: Number(line) });
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
