/** The statements of a source, each by itself: those that are whole although others are not. */
import type { AstNode } from "langium";
import { firstIndex } from "../bisect.ts";
import type { Tokens } from "./lexer.ts";
import type { WholeParser } from "./whole.ts";

/** A whole statement of a file's top level, by its first token and the one behind it. */
export interface Piece {
  readonly node: AstNode;
  readonly first: number;
  readonly next: number;
}

/** Statements in a row. */
export interface WholeRun {
  readonly whole: readonly Piece[];
  /** Where the one begins that is not whole. */
  readonly broken: number | undefined;
  /** The token that does not fit there; else the one behind the last statement. */
  readonly stop: number;
}

export class Pieces {
  readonly tokens: Tokens;
  /** Places of what belongs to no statement. */
  readonly holes: readonly number[];
  readonly #parser: WholeParser;
  readonly #known = new Map<number, Piece | number>();

  constructor(parser: WholeParser, tokens: Tokens) {
    this.#parser = parser;
    this.tokens = tokens;
    this.holes = parser.holesIn(tokens);
  }

  /**
   * The statement that begins with a token, or the token that does not fit.
   *
   * @throws TooDeep
   */
  at(first: number): Piece | number {
    let known = this.#known.get(first);
    if (known === undefined) this.#known.set(first, (known = this.#read(first)));
    return known;
  }

  #read(first: number): Piece | number {
    const { tokens } = this;
    const { node, next } = this.#parser.parsePiece(tokens, first, "TopStatement");
    if (node === undefined) return next;
    const from = first === 0 ? 0 : (tokens.ends[first - 1] as number);
    const to = tokens.starts[next] as number;
    return (firstFrom(this.holes, from) ?? to) < to ? next : { node, first, next };
  }

  /** The whole statements from a token on; behind them one may begin that is not. */
  wholeFrom(first: number, next = this.tokens.count): WholeRun {
    const { text, starts } = this.tokens;
    const whole: Piece[] = [];
    let at = first;
    while (at < next) {
      if (at > 0 && text[starts[at] as number] === ";") {
        if (this.#isHoleBehind(at)) return { whole, broken: at, stop: at + 1 };
        at++;
      } else {
        const piece = this.at(at);
        if (typeof piece === "number") return { whole, broken: at, stop: Math.max(at, piece) };
        whole.push(piece);
        at = piece.next;
      }
    }
    return { whole, broken: undefined, stop: at };
  }

  /** Whether something that belongs to no statement stands between a token and the next one. */
  #isHoleBehind(token: number): boolean {
    const { starts, ends } = this.tokens;
    const next = starts[token + 1] as number;
    return (firstFrom(this.holes, ends[token] as number) ?? next) < next;
  }

  /** Whether the tokens from one on are of these kinds. */
  are(first: number, ...names: readonly string[]): boolean {
    const { kinds, count } = this.tokens;
    const { lexer } = this.#parser;
    return names.every((name, index) => first + index < count && kinds[first + index] === lexer.kindOf(name));
  }
}

/** The first of places in ascending order that is not before `from`. */
export function firstFrom(places: readonly number[], from: number): number | undefined {
  return places[firstIndex(places.length, (at) => (places[at] as number) >= from)];
}
