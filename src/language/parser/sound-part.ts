/**
 * What is sure of a source with mistakes: the statements that mean the same however the mistakes are mended. Langium's parser goes
 * on behind a mistake too, but what it makes of the next lines may be another thing than their author meant.
 */
import type { AstNode } from "langium";
import type { Span } from "../diagnostics.ts";
import { mend } from "./mend.ts";
import type { Pieces } from "./pieces.ts";
import { sectionsOf } from "./sections.ts";
import type { WholeParser } from "./whole.ts";

export interface SoundPart {
  readonly statements: readonly AstNode[];
  /** The text around them that has the mistakes, ascending: it may become anything. */
  readonly doubtful: readonly Span[];
}

/** @throws TooDeep */
export function soundPart(parser: WholeParser, pieces: Pieces): SoundPart {
  const { text, starts } = pieces.tokens;
  const statements: AstNode[] = [];
  const doubtful: Span[] = [];
  const sections = sectionsOf(pieces);
  for (const { first, next, statements: whole } of sections ?? []) {
    // What no token is made of belongs to what stands before it.
    const start = first === 0 ? 0 : (starts[first] as number);
    const end = starts[next] as number;
    const mended =
      whole === undefined ? mend(parser, text.slice(start, end), start) : { statements: whole, doubtful: [] };
    statements.push(...(mended?.statements ?? []));
    doubtful.push(...(mended?.doubtful ?? [{ start, end }]));
  }
  return sections === undefined ? { statements, doubtful: [{ start: 0, end: text.length }] } : { statements, doubtful };
}
