/** Where a name is declared and used, across files. */
import type { Location, Range } from "vscode-languageserver";
import type { Declared, Use } from "../scope.ts";
import { wordAt } from "./names.ts";
import { rangeOf } from "./places.ts";
import { canonicalUri, type FlowSource, type Sources } from "./sources.ts";

/** What a name stands for: where it is declared says which one it is. */
export interface Target {
  readonly symbol: Use["symbol"];
  readonly uri: string;
  readonly use: Use;
}

export async function targetAt(sources: Sources, source: FlowSource, offset: number): Promise<Target | undefined> {
  const { uses } = await sources.analysis(source.uri);
  const use = uses.find(
    ({ source: { path }, start, end }) => canonicalUri(path) === source.uri && start <= offset && offset <= end,
  );
  if (use === undefined) return undefined;
  return { symbol: use.symbol, uri: canonicalUri(use.symbol.declared.source.path), use };
}

export const locationOf = (use: Declared): Location => ({
  uri: canonicalUri(use.source.path),
  range: rangeOf(use.source, use.start, use.end),
});

/** Where the name at an offset is declared; for the path of an import, the imported file. */
export async function definitionAt(
  sources: Sources,
  source: FlowSource,
  offset: number,
): Promise<Location | undefined> {
  const target = await targetAt(sources, source, offset);
  if (target !== undefined) return locationOf(target.symbol.declared);
  const index = wordAt(source.words, offset);
  if (source.words[index]?.kind !== "text" || source.words[index - 1]?.text !== "import") return undefined;
  const imported = await sources.imported(source.words[index].text, source.uri);
  return imported === undefined ? undefined : { uri: imported.uri, range: rangeOf(imported.source, 0, 0) };
}

/** Every place where what `target` means is declared or used. */
export async function usesOf(sources: Sources, { symbol, uri }: Target): Promise<Use[]> {
  const { start } = symbol.declared;
  const found = new Map<string, Use>();
  const source = await sources.source(uri);
  // Callers in other files may name a parameter.
  const isParameter = source?.declarations.some(
    ({ kind, index }) => kind === "parameter" && source.words[index]?.start === start,
  );
  const isOwn = (symbol.kind === "local" && isParameter !== true) || symbol.kind === "module";
  const candidates = isOwn ? [uri] : new Set([uri, ...(await sources.all())]);
  for (const candidate of candidates) {
    const text = await sources.text(candidate);
    if (text === undefined || !text.includes(symbol.name)) continue;
    const { uses } = await sources.analysis(candidate);
    for (const use of uses) {
      const { declared } = use.symbol;
      if (declared.start !== start || canonicalUri(declared.source.path) !== uri) continue;
      found.set(`${canonicalUri(use.source.path)} ${use.start}`, use);
    }
  }
  return [...found.values()];
}

export async function referencesAt(
  sources: Sources,
  source: FlowSource,
  offset: number,
  withDeclaration: boolean,
): Promise<Location[]> {
  const target = await targetAt(sources, source, offset);
  if (target === undefined) return [];
  const { declared } = target.symbol;
  const uses = await usesOf(sources, target);
  return uses
    .filter((use) => withDeclaration || use.start !== declared.start || use.source.path !== declared.source.path)
    .map(locationOf);
}

/** Uses in the same file, to be marked while the cursor is on one. */
export async function highlightsAt(sources: Sources, source: FlowSource, offset: number): Promise<Range[]> {
  const target = await targetAt(sources, source, offset);
  if (target === undefined) return [];
  const { uses } = await sources.analysis(source.uri);
  return uses
    .filter((use) => canonicalUri(use.source.path) === source.uri && isSame(use.symbol, target.symbol))
    .map((use) => rangeOf(use.source, use.start, use.end));
}

function isSame(a: Use["symbol"], b: Use["symbol"]): boolean {
  return a.declared.start === b.declared.start && a.declared.source.path === b.declared.source.path;
}
