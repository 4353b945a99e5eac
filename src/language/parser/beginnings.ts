/** What the parts of the grammar can begin with: the tokens by which a parser decides, two of them. */
import { GrammarAST } from "langium";

/** For each token that can be first, those that can be second. `OPEN` among them: anything can, as the part may end there. */
export type Beginnings = ReadonlyMap<number, ReadonlySet<number>>;

export const OPEN = -1;

type Element = GrammarAST.AbstractElement;

/** The beginnings of the parts of one grammar. @throws if a part has something that flows do not need */
export class BeginningsOf {
  readonly #kindOf: (name: string) => number;
  // Each element is asked about by all that can begin with it.
  readonly #known = new Map<Element, Beginnings>();
  readonly #knownFirsts = new Map<Element, ReadonlySet<number>>();

  constructor(kindOf: (name: string) => number) {
    this.#kindOf = kindOf;
  }

  /** Of an element that is there, once or as often as it says. */
  of(element: Element): Beginnings {
    const repeats = element.cardinality === "*" || element.cardinality === "+";
    return repeats ? this.#followed(this.once(element), [element]) : this.once(element);
  }

  /** Of an element that is there once, whatever it says. */
  once(element: Element): Beginnings {
    let known = this.#known.get(element);
    if (known === undefined) this.#known.set(element, (known = this.#compute(element)));
    return known;
  }

  #compute(element: Element): Beginnings {
    const parts = partsOf(element);
    if (parts === undefined) {
      const kind = this.#kindOf(wordOf(element));
      if (kind < 0) throw new Error(`the lexer does not know ${wordOf(element)}`);
      return new Map([[kind, new Set([OPEN])]]);
    }
    if (parts.kind === "either") return union(parts.elements.map((inner) => this.of(inner)));
    const found: Beginnings[] = [];
    for (const [index, inner] of parts.elements.entries()) {
      found.push(this.#followed(this.of(inner), parts.elements.slice(index + 1)));
      if (!canBeNothing(inner)) break;
    }
    return union(found);
  }

  /** What begins with `beginnings` and goes on with `rest`. */
  #followed(beginnings: Beginnings, rest: readonly Element[]): Beginnings {
    const next = this.#firsts(rest);
    return new Map(
      [...beginnings].map(([first, seconds]) => [
        first,
        seconds.has(OPEN) ? new Set([...[...seconds].filter((kind) => kind !== OPEN), ...next]) : seconds,
      ]),
    );
  }

  /** What a sequence begins with, `OPEN` if it can be nothing. */
  #firsts(elements: readonly Element[]): Set<number> {
    const firsts = new Set<number>();
    for (const element of elements) {
      for (const kind of this.#firstsOf(element)) firsts.add(kind);
      if (!canBeNothing(element)) return firsts;
    }
    return firsts.add(OPEN);
  }

  /** The tokens that an element begins with if it is there. */
  #firstsOf(element: Element): ReadonlySet<number> {
    let known = this.#knownFirsts.get(element);
    if (known === undefined) {
      const parts = partsOf(element);
      if (parts === undefined) known = new Set([this.#kindOf(wordOf(element))]);
      else if (parts.kind === "sequence") known = this.#firsts(parts.elements);
      else known = new Set(parts.elements.flatMap((inner) => [...this.#firstsOf(inner)]));
      known = new Set([...known].filter((kind) => kind !== OPEN));
      this.#knownFirsts.set(element, known);
    }
    return known;
  }
}

export function ruleOf(call: GrammarAST.RuleCall): GrammarAST.AbstractRule {
  const rule = call.rule.ref;
  if (rule === undefined) throw new Error(`no rule ${call.rule.$refText}`);
  return rule;
}

interface Parts {
  readonly kind: "sequence" | "either";
  readonly elements: readonly Element[];
}

/** What an element consists of; undefined if it is a token. By the types' names, as Langium's own questions cost a start its time. */
function partsOf(element: Element): Parts | undefined {
  const sequence = (...elements: readonly Element[]): Parts => ({ kind: "sequence", elements });
  switch (element.$type) {
    case GrammarAST.Keyword.$type:
      return undefined;
    case GrammarAST.Action.$type:
      return sequence();
    case GrammarAST.Assignment.$type:
      return sequence((element as GrammarAST.Assignment).terminal);
    case GrammarAST.Group.$type:
      return sequence(...(element as GrammarAST.Group).elements);
    case GrammarAST.Alternatives.$type:
      return { kind: "either", elements: (element as GrammarAST.Alternatives).elements };
    case GrammarAST.RuleCall.$type: {
      const rule = ruleOf(element as GrammarAST.RuleCall);
      if (GrammarAST.isTerminalRule(rule)) return undefined;
      if (GrammarAST.isInfixRule(rule)) return sequence(rule.call, operatorsOf(rule));
      if (GrammarAST.isParserRule(rule)) return sequence(rule.definition);
    }
  }
  throw new Error(`${element.$type} in the grammar is not supported`);
}

/** What can stand behind an operand. */
function operatorsOf({ operators }: GrammarAST.InfixRule): Element {
  const elements = operators.precedences.flatMap((level) => level.operators);
  return { $type: GrammarAST.Alternatives.$type, elements, cardinality: "*" } as unknown as Element;
}

function wordOf(element: Element): string {
  if (GrammarAST.isKeyword(element)) return element.value;
  return GrammarAST.isRuleCall(element) ? ruleOf(element).name : "";
}

function canBeNothing(element: Element): boolean {
  if (element.cardinality === "?" || element.cardinality === "*") return true;
  const parts = partsOf(element);
  if (parts === undefined) return false;
  return parts.kind === "either" ? parts.elements.some(canBeNothing) : parts.elements.every(canBeNothing);
}

function union(all: readonly Beginnings[]): Beginnings {
  const found = new Map<number, Set<number>>();
  for (const beginnings of all) {
    for (const [first, seconds] of beginnings) found.set(first, new Set([...(found.get(first) ?? []), ...seconds]));
  }
  return found;
}
