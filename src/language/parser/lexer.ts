/** Splits a source into its tokens, by the terminals and keywords of the grammar: the same as Langium's lexer, in a tenth of its time. */
import { AstUtils, GrammarAST, GrammarUtils } from "langium";

/** Kind of what stands behind the last token. */
export const END = 0;

export interface Tokens {
  readonly text: string;
  /** How many there are; behind them stands one of kind `END`. */
  readonly count: number;
  readonly kinds: Uint16Array;
  readonly starts: Uint32Array;
  /** Behind the last character of each. */
  readonly ends: Uint32Array;
  /** Start and end of each comment, in turn. */
  readonly comments: readonly number[];
  /** Places of the characters that belong to nothing. */
  readonly junk: readonly number[];
}

export class FlowLexer {
  /** Name of each kind: that of a terminal, or a keyword's own text. */
  readonly names: readonly string[];
  /** Kinds by the text of keywords. */
  readonly #keywords = new Map<string, number>();
  readonly #terminals: readonly { readonly kind: number; readonly whole: RegExp }[];
  readonly #token: RegExp;
  readonly #blank: RegExp;
  readonly #comment: RegExp;

  constructor(grammar: GrammarAST.Grammar) {
    const names = ["end of text"];
    const add = (name: string) => names.push(name) - 1;
    const terminals = grammar.rules.filter((rule) => GrammarAST.isTerminalRule(rule));
    const expression = (rule: GrammarAST.TerminalRule) => GrammarUtils.terminalRegex(rule).source;
    const isBlank = (rule: GrammarAST.TerminalRule) => GrammarUtils.terminalRegex(rule).test(" ");
    const visible = terminals.filter(({ hidden }) => !hidden);
    const hidden = terminals.filter((rule) => rule.hidden);
    this.#terminals = visible.map((rule) => ({ kind: add(rule.name), whole: new RegExp(`^(?:${expression(rule)})$`) }));
    for (const rule of grammar.rules) {
      if (GrammarAST.isTerminalRule(rule)) continue;
      for (const node of AstUtils.streamAllContents(rule)) {
        if (GrammarAST.isKeyword(node) && !this.#keywords.has(node.value)) {
          this.#keywords.set(node.value, add(node.value));
        }
      }
    }
    this.names = names;
    const signs = [...this.#keywords.keys()]
      .filter((keyword) => !this.#terminals.some(({ whole }) => whole.test(keyword)))
      .sort((a, b) => b.length - a.length);
    const quoted = signs.map((sign) => sign.replace(/[^A-Za-z0-9]/g, "\\$&"));
    const sticky = (sources: readonly string[]) => new RegExp(sources.map((source) => `(?:${source})`).join("|"), "y");
    this.#token = sticky([...visible.map(expression), ...quoted]);
    this.#blank = sticky(hidden.filter(isBlank).map(expression));
    this.#comment = sticky(hidden.filter((rule) => !isBlank(rule)).map(expression));
  }

  kindOf(name: string): number {
    return this.names.indexOf(name);
  }

  tokenize(text: string): Tokens {
    // No token is shorter than a character.
    let kinds = new Uint16Array(text.length / 2 + 16);
    let starts = new Uint32Array(kinds.length);
    let ends = new Uint32Array(kinds.length);
    const comments: number[] = [];
    const known = new Map(this.#keywords);
    const [token, blank, comment] = [this.#token, this.#blank, this.#comment];
    let count = 0;
    const junk: number[] = [];
    let at = 0;
    while (at < text.length) {
      token.lastIndex = blank.lastIndex = comment.lastIndex = at;
      if (blank.test(text)) at = blank.lastIndex;
      else if (comment.test(text)) {
        comments.push(at, comment.lastIndex);
        at = comment.lastIndex;
      } else if (token.test(text)) {
        const end = token.lastIndex;
        const image = text.slice(at, end);
        let kind = known.get(image);
        if (kind === undefined) known.set(image, (kind = this.#terminalOf(image)));
        if (count + 1 >= kinds.length) {
          kinds = grown(kinds, new Uint16Array(kinds.length * 2));
          starts = grown(starts, new Uint32Array(kinds.length));
          ends = grown(ends, new Uint32Array(kinds.length));
        }
        kinds[count] = kind;
        starts[count] = at;
        ends[count++] = end;
        at = end;
      } else {
        junk.push(at++);
      }
    }
    kinds[count] = END;
    starts[count] = ends[count] = text.length;
    return { text, count, kinds, starts, ends, comments, junk };
  }

  #terminalOf(image: string): number {
    return this.#terminals.find(({ whole }) => whole.test(image))?.kind ?? END;
  }
}

function grown<T extends Uint16Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
