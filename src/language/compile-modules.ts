/** Compiles the files of a flow, each after those that it imports, to one program. */
import { compileFunction, compileImport, compileTest, finishFunction } from "./compile-functions.ts";
import { compilePlatform } from "./compile-platform.ts";
import { compileStatement, isBlockOfForm } from "./compile-statements.ts";
import { isBuiltIn } from "./constants.ts";
import { DiagnosticSink } from "./diagnostics.ts";
import { Doubt } from "./doubt.ts";
import type { FlowProgram } from "./flow-code.ts";
import { FunctionContext } from "./function-context.ts";
import type { FunctionDeclaration, Import, TopStatement } from "./generated/ast.ts";
import type { Module } from "./load.ts";
import { baseName } from "./paths.ts";
import { nameSpan, propertySpan, spanOf } from "./places.ts";
import type { PlatformDescription } from "./platform-block.ts";
import { type Declared, type FunctionSymbol, type GlobalSymbol, type ModuleNames, Scope, type Use } from "./scope.ts";
import { Tables } from "./tables.ts";
import { holdsOf } from "./variables.ts";
import { warnOfUnreachable, warnOfUnusedGlobals } from "./warnings.ts";
import { finished } from "./whole.ts";
import type { Work } from "./work.ts";

/** What the modules of a flow share while they are compiled. */
interface Flow {
  readonly tables: Tables;
  readonly sink: DiagnosticSink;
  readonly uses: Use[] | undefined;
  readonly running: ReadonlySet<Import>;
  /** Number of the function that runs a module's own statements. */
  readonly mains: Map<Module, number>;
  readonly known: Map<Module, Offered>;
}

/** What a module offers to those that import it. */
interface Offered {
  readonly names: ModuleNames;
  readonly doubt: Doubt;
}

/** @param uses where names are used, to be filled for editors */
export function compileModules(modules: readonly Module[], sink: DiagnosticSink, uses?: Use[]): FlowProgram {
  const entry = modules.at(-1) as Module;
  const tables = new Tables();
  const flow: Flow = { tables, sink, uses, running: runningImports(entry), mains: new Map(), known: new Map() };
  let platform: PlatformDescription = {};
  for (const module of modules) {
    tables.sources.push(module.source);
    flow.mains.set(module, tables.reserveFunction());
    const offered = compileModule(flow, module, module === entry);
    flow.known.set(module, offered);
    platform = compilePlatform(module, offered.doubt, platform, module === entry, sink);
  }
  const names = new Map([...flow.known].map(([{ source }, offered]) => [source.path, offered.names]));
  return { ...tables, modules: names, platform, entry: flow.mains.get(entry) as number };
}

/** The imports that run the imported file: the first one of each, in the order in which they run. */
function runningImports(entry: Module): ReadonlySet<Import> {
  const running = new Set<Import>();
  const seen = new Set<Module>();
  const visit = (module: Module) => {
    for (const { node, module: imported } of module.imports) {
      if (imported === undefined || seen.has(imported)) continue;
      seen.add(imported);
      running.add(node);
      visit(imported);
    }
  };
  visit(entry);
  return running;
}

function compileModule(flow: Flow, module: Module, isFlow: boolean): Offered {
  const { source, statements } = module;
  const { names: imported, doubt } = importedNames(flow, module);
  const own: ModuleNames = new Map();
  const functions = declareNames(flow, module, own, imported);
  const outer = new Scope(undefined, imported);
  const scope = new Scope(outer, own);
  const work: Work = {
    tables: flow.tables,
    sink: flow.sink,
    source,
    pure: false,
    context: new FunctionContext("main", scope),
    doubt,
    uses: flow.uses,
  };
  const main = flow.mains.get(module) as number;
  compileMain(flow, work, module, statements, main);
  for (const { index, declaration } of functions) compileDeclared(work, scope, declaration, index);
  // Tests of a file that is imported are not this flow's.
  if (isFlow) {
    compileTests(work, scope, statements, main);
    warnOfUnreachable(work, statements);
    warnOfUnusedGlobals(work, statements, own);
  }
  if (flow.uses !== undefined && module.unfinished.length > 0)
    flow.uses.push(...doubtfulUses(flow, work, module, new Scope(outer, new Map(own))));
  return { names: new Map([...imported, ...own]), doubt };
}

/** The names that imports bring, and what is not known of them and of the module itself. */
function importedNames(flow: Flow, { source, imports, doubtful }: Module): Offered {
  const names: ModuleNames = new Map();
  const missing: (string | undefined)[] = [];
  const others: Doubt[] = [];
  for (const { node, module } of imports) {
    const offered = module && flow.known.get(module);
    if (offered === undefined) missing.push(node.alias);
    else if (node.alias !== undefined) {
      const declared = { source, ...propertySpan(node, "alias") };
      names.set(node.alias, { kind: "module", name: node.alias, ...offered, declared });
    } else {
      for (const [name, symbol] of offered.names) if (symbol.kind !== "module") names.set(name, symbol);
      others.push(offered.doubt);
    }
  }
  return { names, doubt: new Doubt(source, doubtful, missing, others) };
}

/** Declares what is known in the whole file before anything is compiled; gives its functions. */
function declareNames(
  flow: Flow,
  { source, statements, unfinished }: Module,
  own: ModuleNames,
  imported: ModuleNames,
): FunctionSymbol[] {
  const { tables, sink, uses } = flow;
  const functions: FunctionSymbol[] = [];
  const sure = new Set(statements);
  for (const node of [...statements, ...unfinished]) {
    const symbol = declaredBy(tables, node, { source, ...nameSpan(node) }, sure.has(node));
    if (symbol === undefined) continue;
    if (sure.has(node)) {
      if (symbol.kind === "function") functions.push(symbol);
      if (own.has(symbol.name))
        sink.error(source, symbol.declared, "redefinition", `"${symbol.name}" is defined twice in this file`);
      else if (imported.get(symbol.name)?.kind === "module")
        sink.error(source, symbol.declared, "redefinition", `"${symbol.name}" is the name of an import already`);
    } else if (own.has(symbol.name) || isBuiltIn(symbol.name)) continue;
    if (!own.has(symbol.name)) own.set(symbol.name, symbol);
    uses?.push({ ...symbol.declared, symbol });
  }
  return functions;
}

/** @param isSure whether all of the declaration is understood */
function declaredBy(
  tables: Tables,
  node: TopStatement,
  declared: Declared,
  isSure: boolean,
): FunctionSymbol | GlobalSymbol | undefined {
  if (node.$type === "FunctionDeclaration" && node.name !== undefined) {
    const parameters = isSure ? node.parameters.map(({ name }) => name) : undefined;
    const index = tables.reserveFunction();
    return { kind: "function", name: node.name, index, parameters, declaration: node, declared };
  }
  if ((node.$type !== "LetStatement" && node.$type !== "SpawnStatement") || node.name === undefined) return undefined;
  const holds = node.$type === "SpawnStatement" ? "task" : holdsOf(node.value);
  const index = tables.globals.push({ name: node.name, source: declared.source }) - 1;
  return { kind: "global", name: node.name, index, reads: { count: 0 }, holds, declared, ready: spanOf(node).end };
}

function compileMain(
  flow: Flow,
  work: Work,
  { imports }: Module,
  statements: readonly TopStatement[],
  main: number,
): void {
  const first = work.tables.statements.length;
  for (const [index, node] of statements.entries()) {
    if (isBlockOfForm(work, statements[index - 1], node)) continue;
    if (node.$type === "Import") {
      const imported = imports.find((entry) => entry.node === node)?.module;
      if (imported !== undefined && flow.running.has(node))
        compileImport(work, spanOf(node), flow.mains.get(imported) as number);
    } else if (node.$type !== "FunctionDeclaration" && node.$type !== "PlatformBlock" && node.$type !== "TestBlock") {
      compileStatement(work, node);
    }
  }
  const { text, path } = work.source;
  finishFunction(work, main, baseName(path), [], [], { start: 0, end: text.length }, first);
}

function compileDeclared(work: Work, scope: Scope, declaration: FunctionDeclaration, index: number): void {
  work.context = new FunctionContext("function", new Scope(scope));
  const parameters = declaration.parameters.map((parameter) => ({ name: parameter.name, span: nameSpan(parameter) }));
  compileFunction(work, index, declaration.name, parameters, declaration.body, spanOf(declaration));
}

function compileTests(work: Work, scope: Scope, statements: readonly TopStatement[], main: number): void {
  for (const node of statements) {
    if (node.$type !== "TestBlock") continue;
    work.context = new FunctionContext("test", new Scope(scope));
    compileTest(work, node, main);
  }
}

/** What an editor can know of the text that is in doubt. What is wrong there follows from its mistakes, which were told. */
function doubtfulUses(flow: Flow, known: Work, module: Module, scope: Scope): Use[] {
  const uses: Use[] = [];
  const context = new FunctionContext("main", scope);
  const work: Work = { ...known, sink: new DiagnosticSink(), context, uses };
  const unfinished = finished(module.unfinished);
  compileMain(flow, work, module, unfinished, flow.tables.reserveFunction());
  for (const node of unfinished) {
    if (node.$type === "FunctionDeclaration") compileDeclared(work, scope, node, flow.tables.reserveFunction());
  }
  compileTests(work, scope, unfinished, flow.mains.get(module) as number);
  return uses.filter((use) => known.doubt.isIn(use));
}
