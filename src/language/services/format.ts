/**
 * Lays a flow out: indentation, spaces between words, empty lines. Line breaks stay where the author made them, and no word changes,
 * so the meaning cannot either. What is laid out comes out as it is.
 */

import { AstUtils } from "langium";
import { DiagnosticSink } from "../diagnostics.ts";
import { parseSource } from "../parse.ts";
import { spanOf } from "../places.ts";
import { BEFORE_EXPRESSION, isCloser, isOpener, sourceWords, type Word } from "./tokens.ts";

const INDENT = "    ";

interface Piece {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly word: Word | undefined;
  /** A comment that ends with its line. */
  readonly toLineEnd: boolean;
}

/** The text laid out; undefined if it has syntax errors, so that its structure is not known. */
export function formatText(text: string, indent = INDENT): string | undefined {
  const sink = new DiagnosticSink();
  const { program } = parseSource("", text, sink);
  if (sink.failed) return undefined;
  const { words, comments } = sourceWords("", text);
  const pieces: Piece[] = [
    ...words.map((word) => ({ ...word, word, toLineEnd: false })),
    ...comments.map((comment) => ({ ...comment, word: undefined, toLineEnd: comment.text.startsWith("//") })),
  ].sort((a, b) => a.start - b.start);
  const starts = new Set<number>();
  const platforms = new Set<number>();
  const unary = new Set<number>();
  for (const node of AstUtils.streamAst(program)) {
    const { start } = spanOf(node);
    if (BEGINNINGS.has(node.$type) || node.$containerProperty === "items" || node.$containerProperty === "statements")
      starts.add(start);
    if (node.$type === "PlatformEntry") platforms.add(start);
    if (node.$type === "UnaryExpression") unary.add(start);
  }
  return new Layout(text, pieces, { starts, platforms, unary }, indent).run();
}

/** What begins at a line's indentation; all else that begins a line goes on with the line before. */
const BEGINNINGS = new Set(["Argument", "RecordField", "PlatformEntry"]);

interface Places {
  readonly starts: ReadonlySet<number>;
  readonly platforms: ReadonlySet<number>;
  readonly unary: ReadonlySet<number>;
}

class Layout {
  readonly #text: string;
  readonly #pieces: readonly Piece[];
  readonly #places: Places;
  readonly #indent: string;
  /** Open brackets: whether each made the lines inside it deeper. Brackets that open on one line make one step together. */
  readonly #open: { deeper: boolean }[] = [];
  #line = "";
  readonly #lines: string[] = [];

  constructor(text: string, pieces: readonly Piece[], places: Places, indent: string) {
    this.#text = text;
    this.#pieces = pieces;
    this.#places = places;
    this.#indent = indent;
  }

  run(): string {
    let openedHere = false;
    for (const [index, piece] of this.#pieces.entries()) {
      const before = this.#pieces[index - 1];
      const gap = this.#gap(index);
      const breaks = before === undefined ? 0 : gap.split("\n").length - 1;
      if (before === undefined || breaks > 0) {
        if (before !== undefined) this.#endLine();
        const opens = before?.word !== undefined && isOpener(before.word);
        if (breaks > 1 && !opens && !isCloser(piece.word)) this.#lines.push("");
        openedHere = false;
        this.#beginLine(index);
      } else this.#line += this.#space(before, piece, gap);
      this.#line += piece.text;
      if (isOpener(piece.word)) {
        this.#open.push({ deeper: !openedHere });
        openedHere = true;
      } else if (isCloser(piece.word)) {
        if (this.#open.pop()?.deeper) openedHere = false;
      }
    }
    if (this.#pieces.length > 0) this.#endLine();
    return this.#lines.length === 0 ? "" : `${this.#lines.join("\n")}\n`;
  }

  /** The blank space before a piece. */
  #gap(index: number): string {
    return this.#text.slice(this.#pieces[index - 1]?.end ?? 0, this.#pieces[index]?.start);
  }

  #endLine(): void {
    this.#lines.push(...this.#line.split("\n").map((line) => line.trimEnd()));
    this.#line = "";
  }

  #beginLine(index: number): void {
    const piece = this.#pieces[index] as Piece;
    let depth = this.#open.filter(({ deeper }) => deeper).length;
    // Closing brackets that begin a line stand where the line of the first that they close stands.
    for (let at = index, level = this.#open.length - 1; isCloser(this.#pieces[at]?.word) && level >= 0; at++, level--) {
      if (at > index && this.#gap(at).includes("\n")) break;
      if (this.#open[level]?.deeper) depth--;
    }
    if (this.#goesOn(index, piece)) depth++;
    this.#line = this.#indent.repeat(Math.max(0, depth));
  }

  /** Whether a line that begins with this piece goes on with what the line before began. */
  #goesOn(index: number, { word, start }: Piece): boolean {
    if (word === undefined) {
      const next = this.#pieces.slice(index + 1).find((piece) => piece.word !== undefined);
      return next !== undefined && !isCloser(next.word) && this.#goesOn(index, next);
    }
    return (
      !isCloser(word) &&
      !this.#places.starts.has(start) &&
      word.text !== "else" &&
      word.text !== "on_exception" &&
      word.text !== "{"
    );
  }

  /** What stands between two pieces on one line. */
  #space(before: Piece, piece: Piece, gap: string): string {
    // Comments behind code may be aligned by hand.
    if (piece.word === undefined) return gap.replaceAll("\t", "  ").length > 0 ? gap.replaceAll("\t", "  ") : " ";
    if (before.word === undefined) return before.toLineEnd ? "" : " ";
    const a = before.word;
    const b = piece.word;
    if (b.kind === "sign" && (b.text === "," || b.text === ";" || b.text === ":")) return "";
    if (a.text === "." && a.kind === "sign") return "";
    if (b.text === "." && b.kind === "sign") return "";
    if (a.kind === "sign" && (a.text === "(" || a.text === "[")) return "";
    if (b.kind === "sign" && (b.text === ")" || b.text === "]")) return "";
    if (a.text === "{" && b.text === "}") return "";
    if (this.#places.platforms.has(b.start) && a.text !== "{") return gap.length > 1 ? "  " : " ";
    if (b.kind === "sign" && (b.text === "(" || b.text === "[")) return this.#calls(a) ? "" : " ";
    if (a.kind === "sign" && this.#places.unary.has(a.start)) return "";
    return " ";
  }

  /** Whether a bracket behind this word belongs to it: a call, an index, a parameter list. */
  #calls(word: Word): boolean {
    if (word.kind === "text") return true;
    if (word.kind === "sign") return word.text === ")" || word.text === "]" || this.#places.unary.has(word.start);
    return word.kind === "name" && !SPACED.has(word.text);
  }
}

/** Words before an expression or a list in brackets, that do not call. */
const SPACED = new Set([...BEFORE_EXPRESSION, "let", "else", "join"]);
