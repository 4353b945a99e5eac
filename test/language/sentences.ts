/** Sources that the grammar itself makes: their syntax is right, whatever they mean. */
import fc from "fast-check";
import { GrammarAST } from "langium";
import { TdxFlowGrammar } from "../../src/language/generated/grammar.ts";

/** Words for the terminals; many of them mean something, so that more than the parser has work. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  ID: [
    ...[
      "a",
      "b",
      "c",
      "x",
      "r",
      "f",
      "hex",
      "push",
      "pop",
      "length",
      "alloc_page",
      "read64",
      "write64",
      "mutex",
      "rwlock",
    ],
    ...[
      "TDX_SUCCESS",
      "PG_4K",
      "TDH",
      "SYS",
      "INIT",
      "MEM",
      "PAGE",
      "ADD",
      "TRACK",
      "status",
      "ok",
      "rax",
      "read",
      "write",
    ],
  ],
  NUMBER: ["0", "1", "2", "4K", "1G", "0xffff_ffff_ffff_ffff", "0b101", "9007199254740993", "0x8000_0000_0000_0000"],
  TEXT: ['""', '"a"', '"{a}"', '"{hex(1)} {b.c}"', '"lib"', '"\\"\\{\\n"', '"{1 + }"'],
};

/** Rules inside each other, past which the shortest way out is taken. */
const DEEP = 40;
const SHALLOW = 8;

/** Rules below each rule at least: the way out. */
function heights(rules: readonly GrammarAST.AbstractRule[]): (element: GrammarAST.AbstractElement) => number {
  const known = new Map<GrammarAST.AbstractRule, number>();
  const of = (element: GrammarAST.AbstractElement): number => {
    if (element.cardinality === "?" || element.cardinality === "*") return 0;
    if (GrammarAST.isAssignment(element)) return of(element.terminal);
    if (GrammarAST.isGroup(element)) return Math.max(...element.elements.map(of));
    if (GrammarAST.isAlternatives(element)) return Math.min(...element.elements.map(of));
    if (GrammarAST.isRuleCall(element)) return known.get(element.rule.ref as GrammarAST.AbstractRule) ?? Infinity;
    return 0;
  };
  for (let before = -1; before !== [...known.values()].filter(Number.isFinite).length; ) {
    before = [...known.values()].filter(Number.isFinite).length;
    for (const rule of rules) {
      if (GrammarAST.isParserRule(rule)) known.set(rule, 1 + of(rule.definition));
      else known.set(rule, GrammarAST.isInfixRule(rule) ? 1 + of(rule.call) : 1);
    }
  }
  return of;
}

const heightOf = heights(TdxFlowGrammar().rules);

class Writer {
  readonly words: string[] = [];
  readonly #choices: readonly number[];
  #at = 0;
  #depth = 0;

  constructor(choices: readonly number[]) {
    this.#choices = choices;
  }

  /** Nothing is left to choose. */
  get done(): boolean {
    return this.#at >= this.#choices.length;
  }

  element(element: GrammarAST.AbstractElement): void {
    const { cardinality } = element;
    const optional = cardinality === "?" || cardinality === "*";
    let count = optional ? this.#choose(2) : 1;
    if (cardinality === "*" || cardinality === "+") count += this.#choose(3);
    for (let time = 0; time < count; time++) this.#once(element);
  }

  #once(element: GrammarAST.AbstractElement): void {
    if (GrammarAST.isKeyword(element)) this.words.push(element.value);
    else if (GrammarAST.isAssignment(element)) this.element(element.terminal);
    else if (GrammarAST.isGroup(element)) for (const inner of element.elements) this.element(inner);
    else if (GrammarAST.isAlternatives(element)) this.element(this.#nearOf(byHeight(element.elements)));
    else if (GrammarAST.isRuleCall(element)) this.rule(element.rule.ref as GrammarAST.AbstractRule);
  }

  rule(rule: GrammarAST.AbstractRule): void {
    this.#depth++;
    if (GrammarAST.isParserRule(rule)) this.element(rule.definition);
    else if (GrammarAST.isInfixRule(rule)) {
      const operators = rule.operators.precedences.flatMap((level) => level.operators);
      this.element(rule.call);
      for (let more = this.#choose(3); more > 0; more--) {
        this.element(this.#oneOf(operators));
        this.element(rule.call);
      }
    } else this.words.push(this.#oneOf(WORDS[rule.name] as readonly string[]));
    this.#depth--;
  }

  #oneOf<T>(all: readonly T[]): T {
    return all[this.#choose(all.length)] as T;
  }

  /** Deep inside, shorter ones are likelier: nearly everything would be expressions. */
  #nearOf<T>(all: readonly T[]): T {
    const choice = this.#choose(all.length);
    return all[this.#depth > SHALLOW ? Math.min(choice, this.#choose(all.length)) : choice] as T;
  }

  /** 0 where there is nothing left to choose, or where it gets too deep. */
  #choose(count: number): number {
    if (this.#depth > DEEP) return 0;
    const choice = this.#choices[this.#at++];
    return choice === undefined ? 0 : choice % count;
  }
}

function byHeight(elements: readonly GrammarAST.AbstractElement[]): GrammarAST.AbstractElement[] {
  return elements.toSorted((a, b) => heightOf(a) - heightOf(b));
}

export const sentence = fc
  .record({ choices: fc.array(fc.nat(1000), { size: "large", maxLength: 400 }), glue: fc.constantFrom(" ", "\n") })
  .map(({ choices, glue }) => {
    const writer = new Writer(choices);
    const [program] = TdxFlowGrammar().rules;
    while (!writer.done) writer.rule(program as GrammarAST.AbstractRule);
    return writer.words.join(glue);
  });
