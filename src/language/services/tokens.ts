/**
 * A source as words, for what has to work while it is being written: where the syntax tree has holes, its words are still there.
 */
import { firstIndex } from "../bisect.ts";
import type { SourceFile } from "../diagnostics.ts";
import { sourceFile } from "../diagnostics.ts";
import { wholeParser } from "../services.ts";
import { splitString } from "../strings.ts";

/** Words of the language before an expression: a parenthesis behind one is no call. */
export const BEFORE_EXPRESSION: ReadonlySet<string> = new Set(
  "if while for in step return expect fails log fail on_exception lp with guest".split(" "),
);

export interface Word {
  readonly kind: "name" | "number" | "text" | "sign";
  readonly text: string;
  readonly start: number;
  /** Behind its last character. */
  readonly end: number;
}

export interface Comment {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export interface SourceWords {
  readonly source: SourceFile;
  readonly words: readonly Word[];
  readonly comments: readonly Comment[];
}

/** Words of a source, or of the piece of one that begins at `offset`. */
function wordsOf(text: string, offset = 0): { words: Word[]; comments: Comment[] } {
  const { lexer } = wholeParser();
  const tokens = lexer.tokenize(text);
  const placed = (start: number, end: number) => ({
    text: text.slice(start, end),
    start: start + offset,
    end: end + offset,
  });
  const words: Word[] = [];
  for (let at = 0; at < tokens.count; at++) {
    const place = placed(tokens.starts[at] as number, tokens.ends[at] as number);
    words.push({ kind: kindOf(lexer.names[tokens.kinds[at] as number] as string, place.text), ...place });
  }
  const comments: Comment[] = [];
  for (let at = 0; at < tokens.comments.length; at += 2) {
    comments.push(placed(tokens.comments[at] as number, tokens.comments[at + 1] as number));
  }
  return { words, comments };
}

function kindOf(token: string, text: string): Word["kind"] {
  if (token === "NUMBER") return "number";
  if (token === "TEXT") return "text";
  return /^[A-Za-z_]/.test(text) ? "name" : "sign";
}

export function sourceWords(path: string, text: string): SourceWords {
  return { source: sourceFile(path, text), ...wordsOf(text) };
}

/** A piece of code inside a string. */
export interface Hole {
  readonly start: number;
  readonly end: number;
  readonly words: readonly Word[];
}

/** The interpolated expressions of a string. */
export function holesOf(word: Word): Hole[] {
  return splitString(word.text).parts.flatMap((part) => {
    if (part.kind === "text") return [];
    const start = word.start + part.offset;
    const end = start + part.source.length;
    return [{ start, end, words: wordsOf(part.source, start).words }];
  });
}

/** All words, those inside strings' braces instead of the string. */
export function flatWords(words: readonly Word[]): Word[] {
  return words.flatMap((word) => {
    const holes = word.kind === "text" ? holesOf(word) : [];
    return holes.length === 0 ? [word] : holes.flatMap((hole) => flatWords(hole.words));
  });
}

/** Index of the last word that begins before `offset`, or -1. */
export function wordBefore(words: readonly Word[], offset: number): number {
  return firstIndex(words.length, (at) => (words[at] as Word).start >= offset) - 1;
}

/** Whether a word opens a bracket. */
export function isOpener(word: Word | undefined): boolean {
  return word?.kind === "sign" && "([{".includes(word.text);
}

/** Whether a word closes a bracket. */
export function isCloser(word: Word | undefined): boolean {
  return word?.kind === "sign" && ")]}".includes(word.text);
}

/** Index of the bracket that closes the one at `open`; of the last word if none does. */
export function closing(words: readonly Word[], open: number): number {
  let depth = 0;
  for (let at = open; at < words.length; at++) {
    const word = words[at];
    if (isOpener(word)) depth++;
    else if (isCloser(word) && --depth === 0) return at;
  }
  return words.length - 1;
}

/** Index of the bracket that is open in front of the word at `index`, or -1: for a closing bracket, the one that it closes. */
export function enclosing(words: readonly Word[], index: number): number {
  let depth = 0;
  for (let at = index - 1; at >= 0; at--) {
    const word = words[at];
    if (isCloser(word)) depth++;
    else if (isOpener(word) && depth-- === 0) return at;
  }
  return -1;
}

/** The dotted path that ends with the word at `index`: `TDH.MEM.TRACK`; where it begins. Undefined if that is no name. */
export function pathEnding(words: readonly Word[], index: number): { path: string[]; first: number } | undefined {
  if (words[index]?.kind !== "name") return undefined;
  const path = [words[index].text];
  let first = index;
  while (words[first - 1]?.text === "." && words[first - 2]?.kind === "name") {
    first -= 2;
    path.unshift((words[first] as Word).text);
  }
  return words[first - 1]?.text === "." ? undefined : { path, first };
}

/** The path that the name at `index` is part of, whole: also what follows it. */
export function pathAround(
  words: readonly Word[],
  index: number,
): { path: string[]; first: number; last: number } | undefined {
  let last = index;
  while (words[last + 1]?.text === "." && words[last + 2]?.kind === "name") last += 2;
  const found = pathEnding(words, last);
  return found === undefined ? undefined : { ...found, last };
}
