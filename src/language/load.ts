/** Reads a flow with everything that it imports. */
import { DiagnosticSink, type SourceFile, type Span } from "./diagnostics.ts";
import type { Import, TopStatement } from "./generated/ast.ts";
import { parseSource } from "./parse.ts";
import { candidatePaths } from "./paths.ts";
import { spanOf } from "./places.ts";

/** Text of a source, or undefined if there is none at that path. */
export type ReadSource = (path: string) => string | undefined | Promise<string | undefined>;

export interface LoadOptions {
  readonly readSource: ReadSource;
  /** Folder of the shipped flows, for imports that are not found beside the importing file. */
  readonly flowsFolder?: string;
}

/** A source, with what its syntax errors leave of it. */
export interface Module {
  readonly source: SourceFile;
  /** Those that are sure. */
  readonly statements: readonly TopStatement[];
  /** The text around them that has syntax errors, ascending. */
  readonly doubtful: readonly Span[];
  /** What Langium's parser made of that text, with holes: what else is wrong with it may only follow from the errors. */
  readonly unfinished: readonly TopStatement[];
  readonly imports: readonly { readonly node: Import; readonly module: Module | undefined }[];
}

export interface LoadedFlow {
  /** Each after those that it imports; the last is the flow itself. */
  readonly modules: readonly Module[];
}

/** Reads `path` and its imports; what is wrong goes to `sink`. */
export async function loadFlow(path: string, options: LoadOptions, sink: DiagnosticSink): Promise<LoadedFlow> {
  const text = await options.readSource(path);
  if (text === undefined) {
    const none = parseSource(path, "", sink);
    sink.error(none.source, { start: 0, end: 0 }, "no-source", `cannot read ${path}`);
    return { modules: [{ source: none.source, statements: [], doubtful: [], unfinished: [], imports: [] }] };
  }
  const modules: Module[] = [];
  await loadModule(path, text, { options, sink, modules, loading: [] });
  return { modules };
}

interface Loading {
  readonly options: LoadOptions;
  readonly sink: DiagnosticSink;
  readonly modules: Module[];
  readonly loading: string[];
}

async function loadModule(path: string, text: string, state: Loading): Promise<Module> {
  const { source, program, sound } = parseSource(path, text, state.sink);
  const { statements, doubtful } = sound() as { statements: TopStatement[]; doubtful: Span[] };
  const isDoubtful = ({ start, end }: Span) => doubtful.some((range) => range.start < end && start < range.end);
  const unfinished = doubtful.length === 0 ? [] : program.statements.filter((node) => isDoubtful(spanOf(node)));
  const imports: { node: Import; module: Module | undefined }[] = [];
  state.loading.push(path);
  for (const node of [...statements, ...unfinished]) {
    if (node.$type !== "Import" || node.path === undefined) continue;
    const { sink } = statements.includes(node) ? state : { sink: new DiagnosticSink() };
    imports.push({ node, module: await loadImport(node, source, state, sink) });
  }
  state.loading.pop();
  const module: Module = { source, statements, doubtful, unfinished, imports };
  state.modules.push(module);
  return module;
}

/** @param sink for what is wrong with the import itself */
async function loadImport(
  node: Import,
  from: SourceFile,
  state: Loading,
  sink: DiagnosticSink,
): Promise<Module | undefined> {
  const name = node.path.slice(1, -1);
  const candidates = candidatePaths(name, from.path, state.options.flowsFolder);
  for (const path of candidates) {
    const known = state.modules.find((module) => module.source.path === path);
    if (known !== undefined) return known;
    if (state.loading.includes(path)) {
      sink.error(from, spanOf(node), "import-cycle", `"${name}" imports this file again`);
      return undefined;
    }
    const text = await state.options.readSource(path);
    if (text !== undefined) return loadModule(path, text, state);
  }
  sink.error(from, spanOf(node), "no-import", `no flow "${name}": looked for ${candidates.join(" and ")}`);
  return undefined;
}
