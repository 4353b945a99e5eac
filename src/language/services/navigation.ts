/** Where a name is declared and used, across files; and giving it another name. */
import type { Location, Range, WorkspaceEdit } from "vscode-languageserver";
import { builtinNumbers } from "../builtins.ts";
import { baseName } from "../paths.ts";
import type { FlowSymbol, Use } from "../scope.ts";
import { wholeParser } from "../services.ts";
import { wordsAround } from "./hover.ts";
import { wordAt } from "./names.ts";
import { rangeOf } from "./places.ts";
import { canonicalUri, type FlowSource, type Sources } from "./sources.ts";
import { pathAround } from "./tokens.ts";

/** What a name stands for: where it is declared says which one it is. */
interface Target {
  readonly symbol: FlowSymbol;
  readonly uri: string;
  readonly use: Use;
}

async function targetAt(sources: Sources, source: FlowSource, offset: number): Promise<Target | undefined> {
  const { uses } = await sources.analysis(source.uri);
  const use = uses.find(
    ({ source: { path }, start, end }) => canonicalUri(path) === source.uri && start <= offset && offset <= end,
  );
  if (use === undefined) return undefined;
  return { symbol: use.symbol, uri: canonicalUri(use.symbol.declared.source.path), use };
}

const locationOf = (use: Use | FlowSymbol["declared"]): Location => ({
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
async function usesOf(sources: Sources, { symbol, uri }: Target): Promise<Use[]> {
  const { start } = symbol.declared;
  const found = new Map<string, Use>();
  const candidates =
    symbol.kind === "local" || symbol.kind === "module" ? [uri] : new Set([uri, ...(await sources.all())]);
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

function isSame(a: FlowSymbol, b: FlowSymbol): boolean {
  return a.declared.start === b.declared.start && a.declared.source.path === b.declared.source.path;
}

/** Why something cannot be renamed, in words for the user. */
export class RenameRefused extends Error {}

/** What would be renamed. @throws RenameRefused */
export async function renameRange(sources: Sources, source: FlowSource, offset: number): Promise<Range> {
  const target = await renamed(sources, source, offset);
  return rangeOf(target.use.source, target.use.start, target.use.end);
}

/** @throws RenameRefused */
export async function renameAt(
  sources: Sources,
  source: FlowSource,
  offset: number,
  name: string,
): Promise<WorkspaceEdit> {
  const target = await renamed(sources, source, offset);
  if (!/^[A-Za-z_]\w*$/.test(name)) throw new RenameRefused(`"${name}" is not a name: letters, digits and _`);
  if (isKeyword(name)) throw new RenameRefused(`"${name}" is a word of the language`);
  if (name === "TDH" || name === "TDG" || builtinNumbers.has(name)) throw new RenameRefused(`"${name}" is built in`);
  const changes: Record<string, { range: Range; newText: string }[]> = {};
  for (const use of await usesOf(sources, target)) {
    const { uri, range } = locationOf(use);
    const using = await sources.source(uri);
    if (using?.declarations.some((declaration) => declaration.name === name)) {
      throw new RenameRefused(`"${name}" is declared in ${decodeURIComponent(baseName(uri))} already`);
    }
    (changes[uri] ??= []).push({ range, newText: name });
  }
  return { changes };
}

/** Whether the grammar takes a word for no name. */
function isKeyword(word: string): boolean {
  return wholeParser().parse(`let ${word} = 0`, "Program", 0) === undefined;
}

async function renamed(sources: Sources, source: FlowSource, offset: number): Promise<Target> {
  const target = await targetAt(sources, source, offset);
  if (target === undefined) {
    const words = wordsAround(source, offset);
    const path = pathAround(words, wordAt(words, offset))?.path.join(".");
    throw new RenameRefused(path === undefined ? "there is no name here" : `${path} is not declared in a flow`);
  }
  const { flowsFolder } = sources.files;
  if (flowsFolder !== undefined && target.uri.startsWith(`${flowsFolder}/`)) {
    throw new RenameRefused(`"${target.symbol.name}" is declared in a flow that comes with the debugger`);
  }
  return target;
}
