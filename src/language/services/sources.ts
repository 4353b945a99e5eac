/** The sources that a language server knows: those open in the editor, and those that lie in files. By URI. */
import { URI } from "langium";
import { analyseFlow, type FlowAnalysis } from "../compile.ts";
import type { LoadOptions } from "../load.ts";
import { candidatePaths } from "../paths.ts";
import { type Declaration, declarations } from "./names.ts";
import { type SourceWords, sourceWords } from "./tokens.ts";

/** Files, as far as a language server needs them. */
export interface FlowFiles {
  /** Text of a file, undefined if it cannot be read. */
  read(uri: string): Promise<string | undefined>;
  /** URIs of all flows in the workspace. */
  list(): Promise<readonly string[]>;
  /** URI of the folder of the flows that are shipped. */
  readonly flowsFolder: string | undefined;
}

export interface FlowSource extends SourceWords {
  readonly uri: string;
  readonly declarations: readonly Declaration[];
}

/** URIs differ in how they are written; this is how we write them. */
export function canonicalUri(uri: string): string {
  return URI.parse(uri).toString();
}

/** The sources that are open in the editor, whose text is the editor's. */
export interface OpenSources {
  text(uri: string): string | undefined;
  uris(): readonly string[];
}

export class Sources {
  readonly files: FlowFiles;
  readonly #open: OpenSources;
  readonly #read = new Map<string, Promise<string | undefined>>();
  readonly #known = new Map<string, FlowSource>();
  readonly #analyses = new Map<string, Promise<FlowAnalysis>>();

  constructor(files: FlowFiles, open: OpenSources) {
    this.files = files;
    this.#open = open;
  }

  /** URIs of all sources that can be known: open ones, and files. */
  async all(): Promise<ReadonlySet<string>> {
    return new Set([...this.#open.uris(), ...(await this.files.list())]);
  }

  /** Text of a source; unsaved changes count. */
  async text(uri: string): Promise<string | undefined> {
    const canonical = canonicalUri(uri);
    const open = this.#open.text(canonical);
    if (open !== undefined) return open;
    let text = this.#read.get(canonical);
    if (text === undefined) {
      text = this.files.read(canonical).catch(() => undefined);
      this.#read.set(canonical, text);
    }
    return text;
  }

  async source(uri: string): Promise<FlowSource | undefined> {
    const canonical = canonicalUri(uri);
    const text = await this.text(canonical);
    if (text === undefined) return undefined;
    let known = this.#known.get(canonical);
    if (known === undefined || known.source.text !== text) {
      const words = sourceWords(canonical, text);
      known = { uri: canonical, ...words, declarations: declarations(words) };
      this.#known.set(canonical, known);
    }
    return known;
  }

  /** What the compiler knows of the flow at `uri`, imports included. Kept until a source changes. */
  analysis(uri: string): Promise<FlowAnalysis> {
    const canonical = canonicalUri(uri);
    let analysis = this.#analyses.get(canonical);
    if (analysis === undefined) {
      analysis = analyseFlow(canonical, this.loadOptions);
      this.#analyses.set(canonical, analysis);
    }
    return analysis;
  }

  /** An open source has changed. Any flow may import it, or look for it. */
  changed(): void {
    this.#analyses.clear();
  }

  /** A file has changed on the disk, or is there no more. */
  forget(uri: string): void {
    this.#read.delete(canonicalUri(uri));
    this.changed();
  }

  get loadOptions(): LoadOptions {
    const { flowsFolder } = this.files;
    return { readSource: (path) => this.text(path), ...(flowsFolder === undefined ? {} : { flowsFolder }) };
  }

  /** The source that an import names: its word with the quotes. */
  async imported(path: string, from: string): Promise<FlowSource | undefined> {
    for (const candidate of candidatePaths(path.slice(1, -1), from, this.files.flowsFolder)) {
      const source = await this.source(candidate);
      if (source !== undefined) return source;
    }
    return undefined;
  }
}

export interface ImportedSource {
  readonly source: FlowSource;
  /** Its name here, if the import gives it one. */
  readonly alias: string | undefined;
  /** Index of the path in the importing source's words. */
  readonly index: number;
}

/** The sources that a source imports itself, as far as they can be read. */
export async function importsOf(sources: Sources, from: FlowSource): Promise<ImportedSource[]> {
  const found: ImportedSource[] = [];
  for (const [index, word] of from.words.entries()) {
    if (word.kind !== "text" || from.words[index - 1]?.text !== "import") continue;
    const source = await sources.imported(word.text, from.uri);
    const alias = from.words[index + 1]?.text === "as" ? from.words[index + 2]?.text : undefined;
    if (source !== undefined) found.push({ source, alias, index });
  }
  return found;
}

export interface ImportedName {
  readonly source: FlowSource;
  readonly declaration: Declaration;
}

/** What a source offers to those that import it: its own top-level names, and what it imports without a name. */
export async function offeredNames(
  sources: Sources,
  from: FlowSource,
  seen = new Set<string>(),
): Promise<Map<string, ImportedName>> {
  const names = new Map<string, ImportedName>();
  if (seen.has(from.uri)) return names;
  seen.add(from.uri);
  for (const { source, alias } of await importsOf(sources, from)) {
    if (alias !== undefined) continue;
    for (const [name, value] of await offeredNames(sources, source, seen)) names.set(name, value);
  }
  for (const declaration of from.declarations) {
    if (declaration.top && declaration.kind !== "import") names.set(declaration.name, { source: from, declaration });
  }
  return names;
}
