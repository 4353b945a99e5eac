/** Compiles a flow: all its files to one program. */

import { compileExpression } from "./compile-expressions.ts";
import { compileFunction, compileImport, compileTest, finishFunction } from "./compile-functions.ts";
import { compilePlatform } from "./compile-platform.ts";
import { compileStatement } from "./compile-statements.ts";
import { type Diagnostic, DiagnosticSink, type Span, sourceFile } from "./diagnostics.ts";
import type { FlowFunction, FlowProgram } from "./flow-code.ts";
import { FunctionContext } from "./function-context.ts";
import type { Import } from "./generated/ast.ts";
import { type LoadOptions, loadFlow, type Module } from "./load.ts";
import { parseExpression } from "./parse.ts";
import { nameSpan, propertySpan, spanOf } from "./places.ts";
import type { PlatformDescription } from "./platform-block.ts";
import { type FunctionSymbol, type GlobalSymbol, type ModuleNames, Scope, type Use } from "./scope.ts";
import { Tables } from "./tables.ts";
import { holdsOf } from "./variables.ts";
import { warnOfUnreachable, warnOfUnusedGlobals } from "./warnings.ts";
import { dropUnfinished } from "./whole.ts";
import type { Work } from "./work.ts";

export interface CompileResult {
  /** Absent if there was an error. */
  readonly program: FlowProgram | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads, checks and compiles the flow at `path`. Never throws for anything that is in a source. */
export async function compileFlow(path: string, options: LoadOptions): Promise<CompileResult> {
  const sink = new DiagnosticSink();
  const { modules } = await loadFlow(path, options, sink);
  const program = compileModules(modules, sink);
  return { program: sink.failed ? undefined : program, diagnostics: sink.sorted };
}

/** What an editor wants to know about a flow, whether or not it has mistakes. */
export interface FlowAnalysis {
  readonly modules: readonly Module[];
  /** What each source offers by name, by its path. */
  readonly names: ReadonlyMap<string, ModuleNames>;
  /** Every place where a name is declared or used. */
  readonly uses: readonly Use[];
  readonly diagnostics: readonly Diagnostic[];
}

export async function analyseFlow(path: string, options: LoadOptions): Promise<FlowAnalysis> {
  const sink = new DiagnosticSink();
  const { modules } = await loadFlow(path, options, sink);
  const uses: Use[] = [];
  const { modules: names } = compileModules(modules, sink, uses);
  return { modules, names, uses, diagnostics: sink.sorted };
}

/** The imports that run the imported file: the first one of each, in the order in which they run. */
function runningImports(entry: Module): ReadonlySet<Import> {
  const running = new Set<Import>();
  const seen = new Set<Module>();
  const visit = (module: Module) => {
    for (const { node, module: imported } of module.imports) {
      if (seen.has(imported)) continue;
      seen.add(imported);
      running.add(node);
      visit(imported);
    }
  };
  visit(entry);
  return running;
}

function compileModules(modules: readonly Module[], sink: DiagnosticSink, uses?: Use[]): FlowProgram {
  const running = runningImports(modules.at(-1) as Module);
  const tables = new Tables();
  const names = new Map<string, ModuleNames>();
  const mains = new Map<Module, number>();
  let platform: PlatformDescription = {};
  for (const module of modules) {
    tables.sources.push(module.source);
    mains.set(module, tables.reserveFunction());
    const isFlow = module === modules.at(-1);
    names.set(module.source.path, compileModule(module, isFlow, names, mains, running, tables, sink, uses));
    if (!module.broken) platform = compilePlatform(module, platform, isFlow, sink);
  }
  const entry = mains.get(modules.at(-1) as Module) as number;
  return { ...tables, modules: names, platform, entry };
}

function compileModule(
  module: Module,
  isFlow: boolean,
  known: ReadonlyMap<string, ModuleNames>,
  mains: ReadonlyMap<Module, number>,
  running: ReadonlySet<Import>,
  tables: Tables,
  sink: DiagnosticSink,
  uses: Use[] | undefined,
): ModuleNames {
  const { source, program } = module;
  const main = mains.get(module) as number;
  const own: ModuleNames = new Map();
  const imported: ModuleNames = new Map();
  const define = (name: string | undefined, span: Span, symbol: GlobalSymbol | FunctionSymbol) => {
    if (name === undefined) return;
    if (own.has(name) && !module.broken)
      sink.error(source, span, "redefinition", `"${name}" is defined twice in this file`);
    else own.set(name, symbol);
    uses?.push({ ...symbol.declared, symbol });
  };
  for (const { node, module: other } of module.imports) {
    const names = known.get(other.source.path) ?? new Map();
    if (node.alias !== undefined) {
      const declared = { source, ...propertySpan(node, "alias") };
      imported.set(node.alias, { kind: "module", name: node.alias, names, declared });
    } else for (const [name, symbol] of names) if (symbol.kind !== "module") imported.set(name, symbol);
  }
  for (const node of program.statements) {
    if (node.$type === "FunctionDeclaration") {
      const span = nameSpan(node);
      const parameters = node.parameters.map((parameter) => parameter.name);
      define(node.name, span, {
        kind: "function",
        name: node.name,
        index: tables.reserveFunction(),
        parameters,
        declaration: node,
        declared: { source, ...span },
      });
    } else if (node.$type === "LetStatement" || node.$type === "SpawnStatement") {
      const span = nameSpan(node);
      const declared = { source, ...span };
      const holds = node.$type === "SpawnStatement" ? "task" : holdsOf(node.value);
      const reads = { count: 0 };
      define(node.name, span, {
        kind: "global",
        name: node.name,
        index: tables.globals.length,
        reads,
        holds,
        declared,
      });
      tables.globals.push({ name: node.name, source });
    }
  }
  // Of a file with syntax errors only the names count, so that those that import it are checked against them.
  // An editor wants to know where they are used all the same.
  if (module.broken && uses === undefined) return new Map([...imported, ...own]);
  if (module.broken) dropUnfinished(program);
  const scope = new Scope(new Scope(undefined, imported), own);
  const work: Work = {
    tables,
    sink: module.broken ? new DiagnosticSink() : sink,
    source,
    pure: false,
    context: new FunctionContext("main", scope),
    uses,
  };
  compileMain(work, module, main, mains, running);
  for (const symbol of own.values()) {
    if (symbol.kind !== "function" || !program.statements.includes(symbol.declaration)) continue;
    work.context = new FunctionContext("function", new Scope(scope));
    compileFunction(
      work,
      symbol.index,
      symbol.name,
      symbol.declaration.parameters.map((parameter) => ({ name: parameter.name, span: nameSpan(parameter) })),
      symbol.declaration.body,
      spanOf(symbol.declaration),
    );
  }
  // Tests of a file that is imported are not this flow's.
  for (const node of isFlow ? program.statements : []) {
    if (node.$type !== "TestBlock") continue;
    work.context = new FunctionContext("test", new Scope(scope));
    compileTest(work, node, main);
  }
  if (isFlow) {
    warnOfUnreachable(work, program.statements);
    warnOfUnusedGlobals(work, program, own);
  }
  return new Map([...imported, ...own]);
}

function compileMain(
  work: Work,
  module: Module,
  main: number,
  mains: ReadonlyMap<Module, number>,
  running: ReadonlySet<Import>,
): void {
  const first = work.tables.statements.length;
  for (const node of module.program.statements) {
    if (node.$type === "Import") {
      const imported = module.imports.find((entry) => entry.node === node)?.module;
      if (imported !== undefined && running.has(node)) compileImport(work, spanOf(node), mains.get(imported) as number);
    } else if (node.$type !== "FunctionDeclaration" && node.$type !== "PlatformBlock" && node.$type !== "TestBlock") {
      compileStatement(work, node);
    }
  }
  const { text, path } = work.source;
  finishFunction(work, main, path.slice(path.lastIndexOf("/") + 1), [], [], { start: 0, end: text.length }, first);
}

/** A watch expression as a little program of its own; its globals are those of the flow. */
export interface WatchExpression {
  readonly program: FlowProgram;
  readonly fn: FlowFunction;
}

/** Slots from here on are no locals but values that whoever evaluates a watch expression gives along. */
export const GIVEN_SLOTS = 1_000_000;

/**
 * Compiles an expression that is looked at, not run, where `fn` stands at `pc`. Gives the message of the first error instead.
 *
 * @param given further names; a local of the same name hides one, and one that yields is hidden by any variable of the flow
 */
export function compileWatch(
  text: string,
  flow: FlowProgram,
  fn: FlowFunction,
  pc: number,
  given: readonly { readonly name: string; readonly yields?: boolean }[] = [],
): WatchExpression | string {
  const sink = new DiagnosticSink();
  const source = sourceFile("expression", text);
  const expression = parseExpression(text, source, 0, sink);
  const tables = new Tables();
  const declared = { source, start: 0, end: 0 };
  const moduleNames = flow.modules.get(fn.source.path) ?? new Map();
  const module = new Scope(undefined, moduleNames);
  const context = new FunctionContext("function", new Scope(module));
  context.emitter.locals = fn.locals;
  given.forEach(({ name, yields }, index) => {
    if (yields && moduleNames.has(name)) return;
    context.scope.names.set(name, {
      kind: "local",
      name,
      slot: GIVEN_SLOTS + index,
      context,
      captured: false,
      reads: { count: 0 },
      holds: "anything",
      declared,
    });
  });
  for (const variable of fn.variables) {
    if (pc < variable.from || pc >= variable.to) continue;
    context.scope.names.set(variable.name, {
      kind: "local",
      name: variable.name,
      slot: variable.slot,
      context,
      captured: false,
      reads: { count: 0 },
      holds: "anything",
      declared,
    });
  }
  const work: Work = { tables, sink, source, pure: true, context, uses: undefined };
  const index = tables.reserveFunction();
  compileExpression(work, expression);
  finishFunction(work, index, "watch", [], [], { start: 0, end: text.length }, 0);
  const error = sink.all[0];
  if (error !== undefined) return error.message;
  const compiled = tables.functions[index] as FlowFunction;
  return { program: { ...flow, ...tables, globals: flow.globals }, fn: compiled };
}
