/**
 * The sections of a source: where a line begins without indentation, a statement of the top level does, as sources are laid out.
 * So a bracket that is missing or too many spoils its own section only.
 */
import type { AstNode } from "langium";
import type { Tokens } from "./lexer.ts";
import type { Pieces } from "./pieces.ts";

/** A part of a source, by its first token and the one behind it. */
export interface Section {
  readonly first: number;
  readonly next: number;
  /** Undefined if not all of it is whole. */
  readonly statements: readonly AstNode[] | undefined;
}

/**
 * Undefined if nothing is sure.
 *
 * @throws TooDeep
 */
export function sectionsOf(pieces: Pieces): Section[] | undefined {
  const { tokens } = pieces;
  if (hasHalfComment(tokens)) return undefined;
  const margin = Array.from({ length: tokens.count }, (_, at) => at).filter((at) => at === 0 || isAtMargin(tokens, at));
  // Where statements go on at the margin, only what can be nowhere else begins a section.
  return split(pieces, margin) ?? split(pieces, [0, ...margin.filter((at) => at > 0 && isDeclaration(pieces, at))]);
}

/** What a comment's missing half would make of the text around it is not known. */
function hasHalfComment({ text, count, starts }: Tokens): boolean {
  for (let at = 0; at + 1 < count; at++) {
    const start = starts[at] as number;
    if (starts[at + 1] === start + 1 && /\/\*|\*\//.test(text.slice(start, start + 2))) return true;
  }
  return false;
}

/** Words with which a statement goes on behind a block. */
export const GOES_ON = /^(else|on_exception)$/;

/** Whether a token begins a line without indentation, and can begin a statement there. */
function isAtMargin({ text, starts, ends }: Tokens, at: number): boolean {
  const start = starts[at] as number;
  if (start > 0 && text[start - 1] !== "\n") return false;
  return /[A-Za-z_]/.test(text[start] as string) && !GOES_ON.test(text.slice(start, ends[at]));
}

/** Whether what begins here can only stand at the top level. */
function isDeclaration(pieces: Pieces, at: number): boolean {
  return (
    pieces.are(at, "fn", "ID", "(") ||
    pieces.are(at, "test", "TEXT", "{") ||
    pieces.are(at, "platform", "{") ||
    pieces.are(at, "import", "TEXT")
  );
}

/** Undefined if a statement begins in one section and ends in another one. */
function split(pieces: Pieces, starts: readonly number[]): Section[] | undefined {
  const found: Section[] = [];
  for (const [index, first] of starts.entries()) {
    const next = starts[index + 1] ?? pieces.tokens.count;
    const { whole, broken, stop } = pieces.wholeFrom(first, next);
    if (broken === undefined && stop > next) return undefined;
    const statements = broken === undefined ? whole.map(({ node }) => node) : undefined;
    const before = found.at(-1);
    if (before !== undefined && before.statements === undefined && !isClosed(pieces, before)) {
      found[found.length - 1] = { first: before.first, next, statements: undefined };
    } else found.push({ first, next, statements });
  }
  return found;
}

/** Whether a section ends where the next one begins, as far as its braces tell. */
function isClosed(pieces: Pieces, { first, next }: Section): boolean {
  const { text, starts } = pieces.tokens;
  let depth = 0;
  let last = "";
  for (let at = first; at < next; at++) {
    const start = starts[at] as number;
    const sign = text[start] as string;
    if (sign === "{") depth++;
    else if (sign === "}") depth--;
    if (start === 0 || text[start - 1] === "\n") last = sign;
  }
  return depth <= 0 || last === "}" || isDeclaration(pieces, next);
}
