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
import type { Piece, Pieces } from "./pieces.ts";

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

/** Undefined if that needs a look at everything. */
export function parseAroundMistakes(
  pieces: Pieces,
  byLangium: (piece: string, offset: number) => ParseResult<Program>,
): Around | undefined {
  const { tokens } = pieces;
  const statements: AstNode[] = [];
  const regions: Region[] = [];
  let before: Piece | undefined;
  for (let at = 0; at < tokens.count; ) {
    const { whole, broken, stop } = pieces.wholeFrom(at);
    statements.push(...whole.map(({ node }) => node));
    before = whole.at(-1) ?? before;
    if (broken === undefined) break;
    const found = regionAround(pieces, before, Math.max(broken + 1, stop), byLangium);
    if (found === undefined || regions.length === MAX_REGIONS) return undefined;
    if (before !== undefined) statements.pop();
    statements.push(...found.region.result.value.statements);
    regions.push(found.region);
    before = found.last;
    at = found.last?.next ?? tokens.count;
  }
  return { statements, regions };
}

/** What Langium's parser makes of the statement in which the token `stop` does not fit; and the function that the region ends with. */
function regionAround(
  pieces: Pieces,
  before: Piece | undefined,
  stop: number,
  byLangium: (piece: string, offset: number) => ParseResult<Program>,
): { region: Region; last: Piece | undefined } | undefined {
  const { tokens } = pieces;
  const offset = before === undefined ? 0 : (tokens.starts[before.first] as number);
  let attempts = 0;
  for (let at = stop; attempts < MAX_ATTEMPTS; at++) {
    while (at < tokens.count && !pieces.are(at, "fn", "ID", "(")) at++;
    const last = at < tokens.count ? pieces.at(at) : undefined;
    if (typeof last === "number") continue;
    const end = last === undefined ? tokens.text.length : (tokens.ends[last.next - 1] as number);
    const result = byLangium(tokens.text.slice(offset, end), offset);
    if (isSettled(result, offset, before?.node, last?.node)) return { region: { offset, result }, last };
    if (last === undefined) return undefined;
    attempts++;
  }
  return undefined;
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
