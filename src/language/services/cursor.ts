/** Where in a source a cursor stands: in which call, behind which dot, inside which string. */
import type { FlowSource } from "./sources.ts";
import {
  BEFORE_EXPRESSION,
  enclosing,
  holesOf,
  isCloser,
  isOpener,
  pathEnding,
  type Word,
  wordBefore,
} from "./tokens.ts";

export interface CallContext {
  /** Dotted name of what is called. */
  readonly callee: string;
  /** Names of the arguments that are given by name, elsewhere than at the cursor. */
  readonly given: readonly string[];
  /** Which argument the cursor is in, from 0, and its name if it has one. */
  readonly position: number;
  readonly argument: string | undefined;
}

export type CursorContext =
  /** No place for a name: in a comment, a number, or where a new name is made up. */
  | { readonly kind: "none" }
  | { readonly kind: "import"; readonly typed: string; readonly start: number }
  /** Behind a dot. `path` is what stands before it, if that is a dotted name; `receiver` the word before the dot. */
  | { readonly kind: "member"; readonly path: readonly string[]; readonly start: number; readonly receiver: number }
  /** A name or the beginning of one. */
  | {
      readonly kind: "name";
      readonly start: number;
      readonly call: CallContext | undefined;
      readonly statement: boolean;
    }
  /** In a platform block: an entry, or the value of the one that has this key. */
  | { readonly kind: "platform"; readonly start: number; readonly key: string | undefined };

export interface Cursor {
  /** The words that the cursor is among: the file's, or those in a string's braces. */
  readonly words: readonly Word[];
  readonly context: CursorContext;
}

const BEFORE_NEW_NAMES = new Set(["let", "fn", "for", "spawn", "as"]);

export function cursorAt(source: FlowSource, offset: number): Cursor {
  const { text } = source.source;
  const none: Cursor = { words: source.words, context: { kind: "none" } };
  if (
    source.comments.some(
      ({ start, end, text }) => start < offset && (offset < end || (offset === end && text.startsWith("//"))),
    )
  )
    return none;
  const line = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
  const importing = /^\s*import\s+"([^"]*)$/.exec(line);
  if (importing !== null) {
    const typed = importing[1] as string;
    return { words: source.words, context: { kind: "import", typed, start: offset - typed.length } };
  }
  const word = source.words[wordBefore(source.words, offset)];
  if (word?.kind !== "text" || word.end <= offset) {
    // The rest of a string that is not closed yet is no code.
    if (unclosedString(line)) return none;
    return { words: source.words, context: contextIn(source.words, offset) };
  }
  const hole = holesOf(word).find(({ start, end }) => start <= offset && offset <= end);
  return hole === undefined ? none : { words: hole.words, context: contextIn(hole.words, offset) };
}

function unclosedString(line: string): boolean {
  const code = line.replace(/"(\\.|[^"\\])*"/g, "").replace(/\/\/.*/, "");
  return code.includes('"');
}

function contextIn(words: readonly Word[], offset: number): CursorContext {
  let last = wordBefore(words, offset);
  const current = words[last];
  let start = offset;
  if (current !== undefined && current.end >= offset) {
    if (current.kind === "number") return { kind: "none" };
    if (current.kind === "name") {
      start = current.start;
      last--;
    }
  }
  const before = words[last];
  if (before?.text === "." && before.kind === "sign") {
    const path = pathEnding(words, last - 1)?.path ?? [];
    return { kind: "member", path, start, receiver: last - 1 };
  }
  if (before?.kind === "name" && BEFORE_NEW_NAMES.has(before.text) && words[last - 1]?.text !== ".")
    return { kind: "none" };
  const open = enclosing(words, last + 1);
  if (isPlatform(words, open))
    return { kind: "platform", start, key: before?.kind === "name" ? before.text : undefined };
  const call = open >= 0 && words[open]?.text === "(" ? callAt(words, open, start) : undefined;
  return { kind: "name", start, call, statement: beginsStatement(words, last) };
}

function isPlatform(words: readonly Word[], open: number): boolean {
  return open > 0 && words[open]?.text === "{" && words[open - 1]?.text === "platform";
}

/** Whether the word at `index` stands in a platform block. */
export function isInPlatform(words: readonly Word[], index: number): boolean {
  return isPlatform(words, enclosing(words, index));
}

/** The call whose arguments the cursor is in; undefined if it is in none. */
export function callAround(words: readonly Word[], offset: number): CallContext | undefined {
  let at = wordBefore(words, offset) + 1;
  for (;;) {
    const open = enclosing(words, at);
    if (open < 0) return undefined;
    const call = words[open]?.text === "(" ? callAt(words, open, offset) : undefined;
    if (call !== undefined) return call;
    if (words[open]?.text === "{" && words[open - 1]?.text === ")") return undefined;
    at = open;
  }
}

function callAt(words: readonly Word[], open: number, offset: number): CallContext | undefined {
  const callee = pathEnding(words, open - 1);
  if (callee === undefined || words[callee.first - 1]?.text === "fn" || BEFORE_EXPRESSION.has(callee.path.join(".")))
    return undefined;
  const given: string[] = [];
  let position = 0;
  let argument: string | undefined;
  let depth = 0;
  for (let at = open; at < words.length; at++) {
    const { text, kind, start, end } = words[at] as Word;
    if (isOpener(words[at])) depth++;
    else if (isCloser(words[at])) {
      if (--depth === 0) break;
    } else if (depth !== 1) continue;
    else if (kind === "sign" && text === "," && start < offset) {
      position++;
      argument = undefined;
    } else if (kind === "name" && words[at + 1]?.text === ":") {
      const here = start <= offset && offset <= end;
      if (!here) given.push(text);
      if (start < offset && !words.slice(at, wordBefore(words, offset) + 1).some((word) => word.text === ","))
        argument = text;
    }
  }
  return { callee: callee.path.join("."), given, position, argument };
}

/** Whether a statement can begin behind the word at `last`: not in the middle of an expression. */
function beginsStatement(words: readonly Word[], last: number): boolean {
  const before = words[last];
  if (before === undefined) return true;
  if (before.kind !== "sign") return before.kind !== "name" || !BEFORE_EXPRESSION.has(before.text);
  if (before.text === "{") {
    // A block's brace, not a record's.
    const head = words[last - 1];
    return head === undefined || head.kind !== "sign" || head.text === ")" || head.text === "}" || head.text === "]";
  }
  if (before.text === ")" || before.text === "]") return enclosing(words, last) >= 0;
  return before.text === "}" || before.text === ";";
}
