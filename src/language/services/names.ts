/** What names a source declares, found by its words. */
import type { SourceWords, Word } from "./tokens.ts";
import { closing, wordBefore } from "./tokens.ts";

export interface Declaration {
  readonly kind: "function" | "variable" | "parameter" | "task" | "import";
  readonly name: string;
  /** Its name's place in `words`. */
  readonly index: number;
  /** Offsets between which it is known. */
  readonly from: number;
  readonly to: number;
  /** Known in the whole file, and to those that import it. */
  readonly top: boolean;
  readonly parameters: readonly string[];
}

/** All declarations, in their order. */
export function declarations({ source, words }: SourceWords): Declaration[] {
  const found: Declaration[] = [];
  /** Blocks around the current word: where each ends. */
  const ends: number[] = [];
  const whole = source.text.length;
  const add = (
    kind: Declaration["kind"],
    index: number,
    from: number,
    to: number,
    parameters: readonly string[] = [],
  ) => {
    const word = words[index];
    if (word?.kind === "name") {
      const top = ends.length === 0 && kind !== "parameter";
      found.push({ kind, name: word.text, index, from: top ? 0 : from, to, top, parameters });
    }
  };
  const blockFrom = (index: number): number => {
    let open = index;
    while (open < words.length && words[open]?.text !== "{") open++;
    return words[closing(words, open)]?.end ?? whole;
  };
  for (const [index, word] of words.entries()) {
    if (word.kind === "sign" && word.text === "{") ends.push(words[closing(words, index)]?.end ?? whole);
    else if (word.kind === "sign" && word.text === "}") ends.pop();
    if (word.kind !== "name" || words[index - 1]?.text === "." || words[index + 1]?.text === ":") continue;
    const name = words[index + 1];
    const inside = ends.at(-1) ?? whole;
    if (word.text === "let") add("variable", index + 1, name?.end ?? word.end, inside);
    else if (word.text === "spawn") add("task", index + 1, name?.end ?? word.end, inside);
    else if (word.text === "import" && words[index + 2]?.text === "as") add("import", index + 3, 0, whole);
    else if (word.text === "for" && words[index + 2]?.text === "in") {
      add("parameter", index + 1, word.end, blockFrom(index + 3));
    } else if (word.text === "on_exception") {
      for (const parameter of parametersAt(words, index + 1)) add("parameter", parameter, word.end, blockFrom(index));
    } else if (word.text === "fn" && name?.kind === "name") {
      const parameters = parametersAt(words, index + 2);
      add(
        "function",
        index + 1,
        0,
        whole,
        parameters.map((at) => (words[at] as Word).text),
      );
      for (const parameter of parameters) add("parameter", parameter, word.end, blockFrom(index));
    }
  }
  return found;
}

/** Indexes of the names in the parentheses at `open`. */
function parametersAt(words: readonly Word[], open: number): number[] {
  if (words[open]?.text !== "(") return [];
  const close = closing(words, open);
  const indexes: number[] = [];
  for (let at = open + 1; at < close; at++) if (words[at]?.kind === "name") indexes.push(at);
  return indexes;
}

/** Those that are known at an offset; the innermost of each name. */
export function visibleAt(all: readonly Declaration[], offset: number): Map<string, Declaration> {
  const visible = new Map<string, Declaration>();
  for (const declaration of all) {
    if (offset < declaration.from || declaration.to < offset) continue;
    // What begins later is further inside: names of the whole file begin with it, wherever they stand.
    const known = visible.get(declaration.name);
    if (known === undefined || known.from <= declaration.from) visible.set(declaration.name, declaration);
  }
  return visible;
}

/** The comment lines right above a declaration, as text. */
export function commentAbove({ source, words, comments }: SourceWords, index: number): string {
  const { text } = source;
  const statement = words[index - 1] ?? words[index];
  let line = text.lastIndexOf("\n", (statement?.start ?? 0) - 1);
  const lines: string[] = [];
  for (let at = comments.length - 1; at >= 0 && line >= 0; at--) {
    const comment = comments[at] as (typeof comments)[number];
    if (comment.start > line) continue;
    if (comment.end !== line && text.slice(comment.end, line).trim() !== "") break;
    if (text.slice(comment.end, line).includes("\n")) break;
    const begin = text.lastIndexOf("\n", comment.start - 1);
    if (text.slice(begin + 1, comment.start).trim() !== "") break;
    lines.unshift(comment.text.replace(/^\/\/ ?|^\/\*+ ?|\s*\*\/$/g, ""));
    line = begin;
  }
  return lines.join("\n");
}

/** Index of the word at an offset, also right behind it; -1 if there is none. Names win over signs. */
export function wordAt(words: readonly Word[], offset: number): number {
  const index = wordBefore(words, offset + 1);
  const word = words[index];
  const touching = (at: number): boolean =>
    (words[at]?.end ?? -1) >= offset && (words[at]?.start ?? offset + 1) <= offset;
  if (word?.start === offset && word.kind === "sign" && touching(index - 1)) return index - 1;
  return touching(index) ? index : -1;
}
