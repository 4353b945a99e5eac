/**
 * The parser of whole sources. It is made from the grammar that Langium's parser is made from, and makes the same tree ten times
 * faster, as it keeps no concrete tree, hardly looks ahead and does not recover: what it does not understand is
 * for Langium's parser to explain.
 */
import type { AstNode, AstReflection, GrammarAST } from "langium";
import { STATEMENT_WORDS } from "../statement-words.ts";
import type { Read } from "./decide.ts";
import { checkBrackets, checkChains } from "./depth.ts";
import { FlowLexer, type Tokens } from "./lexer.ts";
import { Mismatch, Reader } from "./node.ts";
import { Rules } from "./rules.ts";

export class WholeParser {
  readonly lexer: FlowLexer;
  readonly #grammar: GrammarAST.Grammar;
  readonly #rules: Rules;
  readonly #dot: number;
  readonly #statementWords: ReadonlySet<number>;

  constructor(grammar: GrammarAST.Grammar, reflection: AstReflection) {
    this.#grammar = grammar;
    this.lexer = new FlowLexer(grammar);
    this.#rules = new Rules(this.lexer, reflection);
    this.#dot = this.lexer.kindOf(".");
    this.#statementWords = new Set(STATEMENT_WORDS.map((word) => this.lexer.kindOf(word)));
  }

  /**
   * The tree of a text, or undefined if it is not whole: then it is shallow enough for Langium's parser.
   *
   * @param shift where the text begins in its source
   * @param tokens the text's, if they are known already
   * @throws TooDeep whether whole or not
   */
  parse(
    text: string,
    ruleName: string,
    shift: number,
    tokens: Tokens = this.lexer.tokenize(text),
  ): AstNode | undefined {
    checkBrackets(tokens, shift);
    const node = this.holesIn(tokens).length === 0 ? this.#tree(tokens, ruleName, shift) : undefined;
    if (node === undefined) checkChains(tokens, shift);
    return node;
  }

  /** Dots behind which a name is missing: what follows begins the next line, and a statement there, though any word can be a name. */
  danglingDots({ text, kinds, count, starts, ends }: Tokens): number[] {
    const found: number[] = [];
    for (let at = 0; at < count; at++) {
      if (kinds[at] !== this.#dot || !this.#statementWords.has(kinds[at + 1] as number)) continue;
      if (text.slice(ends[at], starts[at + 1]).includes("\n")) found.push(starts[at] as number);
    }
    return found;
  }

  /** The places that make a source no whole one even if its words fit the grammar, ascending. */
  holesIn(tokens: Tokens): readonly number[] {
    return [...tokens.junk, ...this.danglingDots(tokens)].sort((a, b) => a - b);
  }

  /** The piece of a source that begins with a token: where the piece ends, or where it stops to fit its rule. */
  parsePiece(tokens: Tokens, first: number, ruleName: string): { node: AstNode | undefined; next: number } {
    const reader = new Reader(tokens, 0);
    reader.at = first;
    const node = attempt(this.#read(ruleName), reader);
    return { node, next: reader.at };
  }

  #tree(tokens: Tokens, ruleName: string, shift: number): AstNode | undefined {
    const reader = new Reader(tokens, shift);
    const node = attempt(this.#read(ruleName), reader);
    return reader.at === tokens.count ? node : undefined;
  }

  #read(name: string): Read {
    const rule = this.#grammar.rules.find((candidate) => candidate.name === name);
    if (rule === undefined) throw new Error(`the grammar has no rule ${name}`);
    return this.#rules.rule(rule);
  }
}

function attempt(read: Read, reader: Reader): AstNode | undefined {
  try {
    return read(reader) as unknown as AstNode;
  } catch (error) {
    if (error instanceof Mismatch) return undefined;
    throw error;
  }
}
