/**
 * Parses a source with a few mistakes nearly as fast as a whole one: Langium's parser reads the statements with the mistakes, and
 * what it says of them is what it says when it reads everything.
 *
 * For that it gets the statement before too, as its end decides how a mistake is told, and a function behind: where that comes
 * out whole, Langium's parser has recovered, and whatever follows it is whole for it as well.
 */
import type { AstNode, ParseResult } from "langium";
import type { Program } from "../generated/ast.ts";
import { spanOf } from "../places.ts";
import type { Tokens } from "./lexer.ts";
import type { WholeParser } from "./whole.ts";

export interface Region {
  /** Where the text of the region begins. */
  readonly offset: number;
  readonly result: ParseResult<Program>;
}

export interface Around {
  readonly statements: AstNode[];
  readonly regions: readonly Region[];
}

/** More mistakes than these are for one look at everything. */
const MAX_REGIONS = 8;
/** Functions behind a mistake that are tried for its end. */
const MAX_ATTEMPTS = 3;

/** A whole statement, by its first token and the one behind it. */
interface Statement {
  readonly node: AstNode;
  readonly first: number;
  readonly next: number;
}

/** Undefined if that needs a look at everything. */
export function parseAroundMistakes(
  parser: WholeParser,
  text: string,
  byLangium: (piece: string, offset: number) => ParseResult<Program>,
): Around | undefined {
  const tokens = parser.lexer.tokenize(text);
  const statements: AstNode[] = [];
  const regions: Region[] = [];
  let before: Statement | undefined;
  for (let at = 0; at < tokens.count; ) {
    if (text[tokens.starts[at] as number] === ";" && statements.length > 0) {
      at++;
      continue;
    }
    const statement = wholeStatement(parser, tokens, at);
    if (typeof statement !== "number") {
      statements.push(statement.node);
      before = statement;
      at = statement.next;
      continue;
    }
    const found = regionAround(parser, tokens, before, Math.max(at + 1, statement), byLangium);
    if (found === undefined || regions.length === MAX_REGIONS) return undefined;
    if (before !== undefined) statements.pop();
    statements.push(...found.region.result.value.statements);
    regions.push(found.region);
    before = found.last;
    at = found.last?.next ?? tokens.count;
  }
  return { statements, regions };
}

/** The statement that begins with a token, or the token that does not fit. */
function wholeStatement(parser: WholeParser, tokens: Tokens, first: number): Statement | number {
  const { node, next } = parser.parsePiece(tokens, first, "TopStatement");
  if (node === undefined) return next;
  const from = first === 0 ? 0 : (tokens.ends[first - 1] as number);
  const to = tokens.starts[next] as number;
  return (firstFrom(tokens.junk, from) ?? to) < to ? next : { node, first, next };
}

/** The first of places in ascending order that is not before `from`. */
function firstFrom(places: readonly number[], from: number): number | undefined {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((places[middle] as number) < from) low = middle + 1;
    else high = middle;
  }
  return places[low];
}

/** What Langium's parser makes of the statement in which the token `stop` does not fit; and the function that the region ends with. */
function regionAround(
  parser: WholeParser,
  tokens: Tokens,
  before: Statement | undefined,
  stop: number,
  byLangium: (piece: string, offset: number) => ParseResult<Program>,
): { region: Region; last: Statement | undefined } | undefined {
  const offset = before === undefined ? 0 : (tokens.starts[before.first] as number);
  const isFunction = (at: number) => ["fn", "ID", "("].every((name, index) => is(parser, tokens, at + index, name));
  let attempts = 0;
  for (let at = stop; attempts < MAX_ATTEMPTS; at++) {
    while (at < tokens.count && !isFunction(at)) at++;
    const last = at < tokens.count ? wholeStatement(parser, tokens, at) : undefined;
    if (typeof last === "number") continue;
    const end = last === undefined ? tokens.text.length : (tokens.ends[last.next - 1] as number);
    const result = byLangium(tokens.text.slice(offset, end), offset);
    if (isSettled(result, offset, before?.node, last?.node)) return { region: { offset, result }, last };
    if (last === undefined) return undefined;
    attempts++;
  }
  return undefined;
}

function is(parser: WholeParser, tokens: Tokens, at: number, name: string): boolean {
  return at < tokens.count && tokens.kinds[at] === parser.lexer.kindOf(name);
}

/** Whether a region begins and ends with the same statements as in its source, and all mistakes lie between. */
function isSettled(
  { value, lexerErrors, parserErrors }: ParseResult<Program>,
  offset: number,
  before: AstNode | undefined,
  last: AstNode | undefined,
): boolean {
  const lies = (node: AstNode | undefined, as: AstNode | undefined) => {
    if (as === undefined) return true;
    if (node?.$type !== as.$type) return false;
    const [here, there] = [spanOf(node), spanOf(as)];
    return here.start + offset === there.start && here.end + offset === there.end;
  };
  const limit = last === undefined ? Number.POSITIVE_INFINITY : spanOf(last).start - offset;
  return (
    lies(value.statements[0], before) &&
    lies(value.statements.at(-1), last) &&
    lexerErrors.every((error) => error.offset < limit) &&
    // At the end of the text there is no token, and no number.
    parserErrors.every(({ token }) => last === undefined || token.startOffset <= limit)
  );
}
