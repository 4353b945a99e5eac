/** Takes the lines with the mistakes out of a piece of a source, so that the statements around them are whole. */
import { type AstNode, AstUtils } from "langium";
import type { Span } from "../diagnostics.ts";
import type { Program } from "../generated/ast.ts";
import { spanOf as spanOfNode } from "../places.ts";
import type { Tokens } from "./lexer.ts";
import { firstFrom, Pieces } from "./pieces.ts";
import { GOES_ON } from "./sections.ts";
import type { WholeParser } from "./whole.ts";

export interface Mended {
  readonly statements: readonly AstNode[];
  /** What was taken out. */
  readonly doubtful: readonly Span[];
}

/** Mistakes that are mended in one piece, and its lines: one with more is all in doubt. */
const MAX_MISTAKES = 4;
const MAX_LINES = 500;

/** A line with words on it. */
interface Line extends Span {
  readonly firstToken: number;
  readonly nextToken: number;
  /** Characters. */
  readonly indent: number;
  /** It goes on with a statement that began above: a closing bracket, `else`. */
  readonly goesOn: boolean;
}

/** A run of lines, by the first and the one behind. */
interface Run {
  readonly from: number;
  readonly to: number;
}

/**
 * Undefined if nothing of the piece is sure.
 *
 * @param shift where the text begins in its source
 * @throws TooDeep
 */
export function mend(parser: WholeParser, text: string, shift: number): Mended | undefined {
  const doubtful: Span[] = [];
  let pieces = new Pieces(parser, parser.lexer.tokenize(text));
  for (let mistake = mistakeIn(pieces); mistake !== undefined; mistake = mistakeIn(pieces)) {
    const lines = linesOf(pieces);
    if (doubtful.length === MAX_MISTAKES || lines.length > MAX_LINES) return undefined;
    const run = bestRun(parser, pieces, lines, mistake);
    if (run === undefined) return undefined;
    doubtful.push(spanOf(lines, run));
    pieces = new Pieces(parser, parser.lexer.tokenize(without(pieces.tokens.text, spanOf(lines, run))));
  }
  const program = parser.parse(pieces.tokens.text, "Program", shift, pieces.tokens) as Program | undefined;
  if (program === undefined || !doubtful.every(({ end }) => isBetween(program, pieces.tokens, end, shift))) {
    return undefined;
  }
  return {
    statements: program.statements,
    doubtful: doubtful.map(({ start, end }) => ({ start: start + shift, end: end + shift })),
  };
}

/** The lines with words on them, or with characters that are none. */
function linesOf({ tokens, holes }: Pieces): Line[] {
  const { text, count, starts, ends } = tokens;
  const lines: Line[] = [];
  const words = Array.from(starts.subarray(0, count));
  let at = 0;
  for (const first of [...words, ...holes].sort((a, b) => a - b)) {
    if (first < (lines.at(-1)?.end ?? 0)) continue;
    const start = text.lastIndexOf("\n", first - 1) + 1;
    const newline = text.indexOf("\n", first);
    const end = newline < 0 ? text.length : newline;
    const firstToken = at;
    while (at < count && (words[at] as number) < end) at++;
    const goesOn = /[)\]}]/.test(text[first] as string) || GOES_ON.test(text.slice(first, ends[firstToken]));
    lines.push({ start, end, firstToken, nextToken: at, indent: first - start, goesOn });
  }
  return lines;
}

/** Where the first mistake is: of the first token that does not fit, or the first character that belongs to nothing. */
function mistakeIn(pieces: Pieces): number | undefined {
  const { tokens, holes } = pieces;
  const { broken, stop } = pieces.wholeFrom(0);
  if (broken === undefined) return holes[0];
  const place = tokens.starts[stop] as number;
  return Math.min(place, firstFrom(holes, broken === 0 ? 0 : (tokens.starts[broken] as number)) ?? place);
}

/** The lines around a mistake without which the parser gets furthest: as few as do. */
function bestRun(parser: WholeParser, pieces: Pieces, lines: readonly Line[], mistake: number): Run | undefined {
  const { tokens } = pieces;
  const here = Math.max(
    0,
    lines.findLastIndex(({ start }) => start <= mistake),
  );
  const line = lines[here] as Line;
  const before = lines[here - 1];
  // A line that ends in the middle of something is noticed on the next one.
  const isBefore = tokens.starts[line.firstToken] === mistake || (before !== undefined && endsOpen(tokens, before));
  const tried = (isBefore ? [here - 1, here] : [here, here - 1]).filter((at) => at >= 0);
  const reach = (run: Run): number => {
    if ((run.from === 0 && run.to === lines.length) || !isBalanced(tokens, lines, run)) return -1;
    const rest = new Pieces(parser, parser.lexer.tokenize(without(tokens.text, spanOf(lines, run))));
    return mistakeIn(rest) ?? Number.POSITIVE_INFINITY;
  };
  const farthest = (runs: readonly Run[]): Run | undefined => {
    let best: Run | undefined;
    let most = Math.max(line.end, mistake);
    for (const run of runs) {
      const end = reach(run);
      if (end > most) [best, most] = [run, end];
    }
    return best;
  };
  const single = farthest(tried.map((at) => ({ from: at, to: at + 1 })));
  if (single !== undefined) return single;
  let around = tried.map((at) => statementAround(lines, at, (lines[at] as Line).indent));
  while (around.length > 0) {
    const found = farthest(around);
    if (found !== undefined) return found;
    const inner = around.filter(({ from }) => from > 0);
    around = inner.map(({ from }) => statementAround(lines, from, (lines[from] as Line).indent - 1));
  }
  return undefined;
}

/** The lines of the statement that a line is of, by their indentation: at most `indent`. */
function statementAround(lines: readonly Line[], at: number, indent: number): Run {
  let from = at;
  while (from > 0 && ((lines[from] as Line).goesOn || (lines[from] as Line).indent > indent)) from--;
  const first = lines[from] as Line;
  let to = Math.max(from, at) + 1;
  while (to < lines.length) {
    const { indent: next, goesOn } = lines[to] as Line;
    if (next < first.indent || (next === first.indent && !goesOn)) break;
    to++;
  }
  return { from, to };
}

const spanOf = (lines: readonly Line[], { from, to }: Run): Span => ({
  start: (lines[from] as Line).start,
  end: (lines[to - 1] as Line).end,
});

function without(text: string, { start, end }: Span): string {
  return text.slice(0, start) + text.slice(start, end).replace(/[^\r\n]/g, " ") + text.slice(end);
}

/** Whether a line ends with a sign that wants something behind it. */
function endsOpen({ text, starts }: Tokens, { nextToken }: Line): boolean {
  return /[^\w"'\])};]/.test(text[starts[nextToken - 1] as number] ?? "");
}

/** Whether the braces of the lines belong together, and no bracket of a list of arguments is open before them. */
function isBalanced({ text, starts, junk }: Tokens, lines: readonly Line[], { from, to }: Run): boolean {
  const open: string[] = [];
  for (let index = 0; index < to; index++) {
    const { firstToken, nextToken, start, end } = lines[index] as Line;
    if (index === from) {
      if (open.length > 0 && open.at(-1) !== "{") return false;
      open.length = 0;
    }
    // What stands behind a quote that nothing ends is no code.
    const quote = junk.find((at) => at >= start && at < end && text[at] === '"') ?? end;
    for (let at = firstToken; at < nextToken && (starts[at] as number) < quote; at++) {
      const sign = text[starts[at] as number] as string;
      if (sign === "{" || (index < from && /[([]/.test(sign))) open.push(sign);
      else if (sign === "}" || (index < from && /[)\]]/.test(sign))) {
        if (open.pop() === undefined && index >= from) return false;
      }
    }
  }
  return open.length === 0;
}

/** Whether what was taken out before `end` stood between whole statements, and not inside one: that would be another one without it. */
function isBetween(program: Program, { text, starts, ends }: Tokens, end: number, shift: number): boolean {
  const token = starts.findIndex((start) => start >= end);
  const next = starts[token] as number;
  const word = text.slice(next, ends[token]);
  if (word === "" || word === "}" || GOES_ON.test(word)) return true;
  return AstUtils.streamAst(program).some(
    (node) =>
      spanOfNode(node).start === next + shift &&
      (node.$containerProperty === "statements" || node.$type === "PlatformEntry"),
  );
}
