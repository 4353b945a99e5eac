/** Reads a flow with everything that it imports. */
import type { DiagnosticSink, SourceFile } from "./diagnostics.ts";
import type { Import } from "./generated/ast.ts";
import { type ParsedSource, parseSource } from "./parse.ts";
import { spanOf } from "./places.ts";

/** Text of a source, or undefined if there is none at that path. */
export type ReadSource = (path: string) => string | undefined | Promise<string | undefined>;

export interface LoadOptions {
  readonly readSource: ReadSource;
  /** Folder of the shipped flows, for imports that are not found beside the importing file. */
  readonly flowsFolder?: string;
}

export interface Module extends ParsedSource {
  /** It has syntax errors: its tree has holes, and what else is wrong with it may only follow from them. */
  readonly broken: boolean;
  readonly imports: readonly { readonly node: Import; readonly module: Module }[];
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
    return { modules: [{ ...none, broken: false, imports: [] }] };
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
  const before = state.sink.all.length;
  const parsed = parseSource(path, text, state.sink);
  const broken = state.sink.all.length > before;
  const imports: { node: Import; module: Module }[] = [];
  state.loading.push(path);
  for (const node of parsed.program.statements) {
    if (node.$type !== "Import" || node.path === undefined) continue;
    const module = await loadImport(node, parsed.source, state);
    if (module !== undefined) imports.push({ node, module });
  }
  state.loading.pop();
  const module: Module = { ...parsed, broken, imports };
  state.modules.push(module);
  return module;
}

async function loadImport(node: Import, from: SourceFile, state: Loading): Promise<Module | undefined> {
  const name = node.path.slice(1, -1);
  const candidates = candidatePaths(name, from.path, state.options.flowsFolder);
  for (const path of candidates) {
    const known = state.modules.find((module) => module.source.path === path);
    if (known !== undefined) return known;
    if (state.loading.includes(path)) {
      state.sink.error(from, spanOf(node), "import-cycle", `"${name}" imports this file again`);
      return undefined;
    }
    const text = await state.options.readSource(path);
    if (text !== undefined) return loadModule(path, text, state);
  }
  state.sink.error(from, spanOf(node), "no-import", `no flow "${name}": looked for ${candidates.join(" and ")}`);
  return undefined;
}

/** Where an import of `name` is looked for, in this order. Paths or URIs, with forward slashes. */
export function candidatePaths(name: string, from: string, flowsFolder: string | undefined): string[] {
  const file = name.endsWith(".tdx") ? name : `${name}.tdx`;
  const slash = Math.max(from.lastIndexOf("/"), from.lastIndexOf("\\"));
  const paths = [normalize(slash < 0 ? file : `${from.slice(0, slash)}/${file}`)];
  if (flowsFolder !== undefined) paths.push(normalize(`${flowsFolder}/${file}`));
  return paths;
}

/** Resolves "." and ".." in a path; that of a Windows drive gets forward slashes, which Windows takes as well. */
function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of (/^[A-Za-z]:\\/.test(path) ? path.replaceAll("\\", "/") : path).split("/")) {
    if (part === "..") {
      const last = parts.at(-1);
      if (last !== undefined && last !== "" && last !== "..") {
        parts.pop();
        continue;
      }
    }
    if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}
