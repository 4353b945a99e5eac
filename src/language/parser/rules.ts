/** Makes functions that parse of the rules of the grammar. They know whole sources only: at the first mistake they give up. */
import { type AstReflection, GrammarAST, GrammarUtils } from "langium";
import { BeginningsOf, ruleOf } from "./beginnings.ts";
import { candidates, furthest, presence, type Read } from "./decide.ts";
import { infix } from "./infix.ts";
import type { FlowLexer } from "./lexer.ts";
import { FlowNode, Mismatch, type Reader, setProperty } from "./node.ts";

/** Reads a part of a rule into the reader's node. */
type Step = (reader: Reader) => void;

type Defaults = readonly (readonly [name: string, value: unknown])[];

export class Rules {
  readonly #lexer: FlowLexer;
  readonly #reflection: AstReflection;
  readonly #beginnings: BeginningsOf;
  readonly #rules = new Map<GrammarAST.AbstractRule, Read>();
  readonly #defaults = new Map<string, Defaults>();

  constructor(lexer: FlowLexer, reflection: AstReflection) {
    this.#lexer = lexer;
    this.#reflection = reflection;
    this.#beginnings = new BeginningsOf((name) => lexer.kindOf(name));
  }

  /** @throws if the rule uses something of Langium's grammars that is not supported here */
  rule(rule: GrammarAST.AbstractRule): Read {
    const known = this.#rules.get(rule);
    if (known !== undefined) return known;
    // Rules call each other in circles.
    let made: Read | undefined;
    this.#rules.set(rule, (reader) => (made as Read)(reader));
    made = this.#make(rule);
    this.#rules.set(rule, made);
    return made;
  }

  #make(rule: GrammarAST.AbstractRule): Read {
    if (GrammarAST.isInfixRule(rule)) {
      const type = GrammarUtils.getTypeName(rule);
      return infix(rule, type, this.rule(ruleOf(rule.call)), this.#lexer);
    }
    if (!GrammarAST.isParserRule(rule) || rule.fragment || rule.parameters.length > 0) {
      throw new Error(`${rule.$type} ${rule.name} is not supported`);
    }
    const { definition } = rule;
    if (isDelegation(definition)) return this.#nodeOf(definition);
    const body = this.#step(definition);
    const type = GrammarUtils.getTypeName(rule);
    return (reader) => {
      const { node: outerNode, height: outerHeight } = reader;
      reader.depth++;
      reader.height = 0;
      reader.checkDepth();
      reader.node = new FlowNode(type, reader.start);
      body(reader);
      const { node } = reader;
      this.#complete(node, reader);
      reader.depth--;
      reader.height = Math.max(outerHeight, reader.height + 1);
      reader.node = outerNode;
      return node;
    };
  }

  #complete(node: FlowNode, reader: Reader): void {
    node.$end = reader.end;
    let defaults = this.#defaults.get(node.$type);
    if (defaults === undefined) {
      const { properties } = this.#reflection.getTypeMetaData(node.$type);
      defaults = Object.values(properties)
        .filter(({ defaultValue }) => defaultValue !== undefined)
        .map(({ name, defaultValue }) => [name, defaultValue]);
      this.#defaults.set(node.$type, defaults);
    }
    if (defaults.length === 0) return;
    const values = node as unknown as Record<string, unknown>;
    for (const [name, value] of defaults) values[name] ??= Array.isArray(value) ? [...value] : value;
  }

  #step(element: GrammarAST.AbstractElement): Step {
    const once = this.#once(element);
    const { cardinality } = element;
    if (cardinality === undefined) return once;
    const isThere = presence(this.#beginnings.once(element), this.#lexer.names.length);
    if (cardinality === "?") {
      return (reader) => {
        if (isThere(reader)) once(reader);
      };
    }
    return (reader) => {
      if (cardinality === "+") once(reader);
      while (isThere(reader)) once(reader);
    };
  }

  #once(element: GrammarAST.AbstractElement): Step {
    if (GrammarAST.isKeyword(element)) return this.#token(this.#lexer.kindOf(element.value));
    if (GrammarAST.isAssignment(element)) return this.#assignment(element);
    if (GrammarAST.isAction(element)) return this.#action(element);
    if (GrammarAST.isGroup(element)) {
      const steps = element.elements.map((inner) => this.#step(inner));
      return (reader) => {
        for (const step of steps) step(reader);
      };
    }
    if (GrammarAST.isAlternatives(element)) {
      const steps = element.elements.map((inner) => this.#step(inner));
      const choose = this.#candidates(element);
      return (reader) => {
        const [index, another] = choose(reader);
        // Two are for Langium's parser to choose from.
        if (another !== undefined) throw new Mismatch();
        (steps[index as number] as Step)(reader);
      };
    }
    if (GrammarAST.isRuleCall(element) && isFirst(element)) {
      const read = this.rule(ruleOf(element));
      return (reader) => {
        reader.node = read(reader);
      };
    }
    throw new Error(`${element.$type} in the grammar is not supported there`);
  }

  #candidates(element: GrammarAST.Alternatives): (reader: Reader) => readonly number[] {
    const parts = element.elements.map((inner) => this.#beginnings.of(inner));
    return candidates(parts, this.#lexer.names.length);
  }

  #token(kind: number): Step {
    return (reader) => {
      if (reader.kinds[reader.at] !== kind) throw new Mismatch();
      reader.at++;
    };
  }

  #action({ feature, operator, ...rest }: GrammarAST.Action): Step {
    const type = GrammarUtils.getTypeName({ feature, operator, ...rest } as GrammarAST.Action);
    if (feature === undefined || operator === undefined) {
      return (reader) => {
        reader.node.$type = type;
      };
    }
    return (reader) => {
      const inner = reader.node;
      this.#complete(inner, reader);
      reader.height++;
      reader.checkDepth();
      reader.node = new FlowNode(type, inner.$start);
      setProperty(reader.node, feature, operator, inner);
    };
  }

  #assignment({ feature, operator, terminal }: GrammarAST.Assignment): Step {
    const words = this.#words(terminal);
    if (words === undefined) {
      const read = this.#nodeOf(terminal);
      return (reader) => {
        const { node } = reader;
        setProperty(node, feature, operator, read(reader));
      };
    }
    return (reader) => {
      const { node, at, shift } = reader;
      if (words[reader.kinds[at] as number] !== 1) throw new Mismatch();
      const start = reader.starts[at] as number;
      const end = reader.ends[at] as number;
      reader.at++;
      setProperty(node, feature, operator, reader.text.slice(start, end));
      if (node.$parts === undefined) node.$parts = [feature, start + shift, end + shift];
      else node.$parts.push(feature, start + shift, end + shift);
    };
  }

  /** The kinds of token that an element is one of, as a table; undefined if it makes a node. */
  #words(element: GrammarAST.AbstractElement): Uint8Array | undefined {
    const table = new Uint8Array(this.#lexer.names.length);
    const visit = (inner: GrammarAST.AbstractElement): boolean => {
      if (inner.cardinality !== undefined) return false;
      if (GrammarAST.isAlternatives(inner)) return inner.elements.every(visit);
      if (GrammarAST.isKeyword(inner)) return (table[this.#lexer.kindOf(inner.value)] = 1) > 0;
      if (!GrammarAST.isRuleCall(inner)) return false;
      const rule = ruleOf(inner);
      if (GrammarAST.isTerminalRule(rule)) return (table[this.#lexer.kindOf(rule.name)] = 1) > 0;
      return GrammarAST.isParserRule(rule) && GrammarUtils.isDataTypeRule(rule) && visit(rule.definition);
    };
    return visit(element) ? table : undefined;
  }

  /** Reads the node that a rule, or one of several, makes. */
  #nodeOf(element: GrammarAST.AbstractElement): Read {
    if (GrammarAST.isRuleCall(element)) return this.rule(ruleOf(element));
    if (!GrammarAST.isAlternatives(element)) throw new Error(`${element.$type} in the grammar is not supported there`);
    const reads = element.elements.map((inner) => this.#nodeOf(inner));
    const choose = this.#candidates(element);
    return (reader) => {
      const found = choose(reader);
      if (found.length === 1) return (reads[found[0] as number] as Read)(reader);
      return furthest(
        found.map((index) => reads[index] as Read),
        reader,
      );
    };
  }
}

/** Whether a rule is only a name for others: it makes no node of its own. */
function isDelegation(element: GrammarAST.AbstractElement): boolean {
  if (element.cardinality !== undefined) return false;
  if (GrammarAST.isAlternatives(element)) return element.elements.every(isDelegation);
  return GrammarAST.isRuleCall(element);
}

/** Whether nothing stands before an element in its rule: then the node that it makes can take the place of the rule's own. */
function isFirst(element: GrammarAST.AbstractElement): boolean {
  const { $container: container } = element;
  if (!GrammarAST.isGroup(container) && !GrammarAST.isAlternatives(container)) return true;
  return (GrammarAST.isAlternatives(container) || container.elements[0] === element) && isFirst(container);
}
