/** Gives a name another name, in every file, unless that one means something there already. */
import type { Range, WorkspaceEdit } from "vscode-languageserver";
import { isBuiltIn } from "../constants.ts";
import { baseName } from "../paths.ts";
import type { Use } from "../scope.ts";
import { wholeParser } from "../services.ts";
import { wordsAround } from "./hover.ts";
import { type Declaration, wordAt } from "./names.ts";
import { locationOf, type Target, targetAt, usesOf } from "./navigation.ts";
import { positionOf, rangeOf } from "./places.ts";
import { canonicalUri, type FlowSource, importsOf, offeredNames, type Sources } from "./sources.ts";
import { flatWords, pathAround, type Word } from "./tokens.ts";

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
  if (isBuiltIn(name)) throw new RenameRefused(`"${name}" is built in`);
  const changes: Record<string, { range: Range; newText: string }[]> = {};
  const uses = await usesOf(sources, target);
  for (const use of uses) {
    const { uri, range } = locationOf(use);
    (changes[uri] ??= []).push({ range, newText: name });
  }
  const isOffered = target.symbol.kind === "global" || target.symbol.kind === "function";
  for (const uri of new Set([...Object.keys(changes), ...(isOffered ? await sources.all() : [])])) {
    const other = await sources.source(uri);
    if (other === undefined) continue;
    await checkClash(sources, other, target, name, uses);
    await checkUnderstood(sources, other, target, uses);
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

/**
 * The new name must mean nothing else in a file that uses what is renamed, nor in one that would get it by an import.
 *
 * @throws RenameRefused
 */
async function checkClash(
  sources: Sources,
  source: FlowSource,
  target: Target,
  name: string,
  uses: readonly Use[],
): Promise<void> {
  const isUsed = uses.some((use) => canonicalUri(use.source.path) === source.uri && !isApart(use));
  const declared = isUsed ? source.declarations.find((declaration) => declaration.name === name) : undefined;
  if (declared !== undefined) throw new RenameRefused(`"${name}" is declared in ${placeIn(source, declared)} already`);
  if (!isUsed && !source.source.text.includes(name)) return;
  let brings = isUsed;
  let clash: { readonly path: Word; readonly from: FlowSource; readonly declaration: Declaration } | undefined;
  for (const imported of await importsOf(sources, source)) {
    if (imported.alias !== undefined) continue;
    const offered = await offeredNames(sources, imported.source);
    brings ||= offered.get(target.symbol.name)?.source.uri === target.uri;
    const other = offered.get(name);
    if (other !== undefined)
      clash = { path: source.words[imported.index] as Word, from: other.source, declaration: other.declaration };
  }
  if (!brings || clash === undefined) return;
  const { path, from, declaration } = clash;
  throw new RenameRefused(
    `"${name}" comes into ${lineOf(source, path)} with import ${path.text}: it is declared in ${placeIn(from, declaration)}`,
  );
}

/**
 * A file that uses the name, or may, must not have it where it is not understood: it would keep the old one there.
 *
 * @throws RenameRefused
 */
async function checkUnderstood(
  sources: Sources,
  source: FlowSource,
  { symbol }: Target,
  uses: readonly Use[],
): Promise<void> {
  if (!source.source.text.includes(symbol.name)) return;
  const { modules } = await sources.analysis(source.uri);
  const doubtful = modules.find(({ source: { path } }) => canonicalUri(path) === source.uri)?.doubtful ?? [];
  const known = new Set(uses.flatMap((use) => (canonicalUri(use.source.path) === source.uri ? [use.start] : [])));
  const word = flatWords(source.words).find(
    ({ text, start }) =>
      text === symbol.name && !known.has(start) && doubtful.some((range) => range.start <= start && start < range.end),
  );
  if (word !== undefined) {
    throw new RenameRefused(
      `"${symbol.name}" is in ${lineOf(source, word)} too, which has a syntax error: mend that first`,
    );
  }
}

/** Whether no other name can hide this one there: behind the name of its import (`lib.add`), or where a caller names a parameter. */
function isApart({ source: { text }, symbol, start }: Use): boolean {
  return symbol.kind === "parameter" || /\.\s*$/.test(text.slice(0, start));
}

function placeIn(source: FlowSource, { index }: Declaration): string {
  return lineOf(source, source.words[index] as Word);
}

/** `lib.tdx:3`. */
function lineOf({ uri, source }: FlowSource, { start }: Word): string {
  return `${decodeURIComponent(baseName(uri))}:${positionOf(source, start).line + 1}`;
}
