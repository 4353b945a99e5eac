/** Parses an infix rule: operands with operators between them, to a tree by the operators' precedence. */
import type { GrammarAST } from "langium";
import type { Read } from "./decide.ts";
import type { FlowLexer } from "./lexer.ts";
import { FlowNode, type Reader, setProperty } from "./node.ts";

interface Operator {
  /** 0 binds most. */
  readonly level: number;
  readonly fromRight: boolean;
}

export function infix(rule: GrammarAST.InfixRule, type: string, operand: Read, lexer: FlowLexer): Read {
  const operators: (Operator | undefined)[] = lexer.names.map(() => undefined);
  rule.operators.precedences.forEach(({ operators: names, associativity }, level) => {
    for (const { value } of names) operators[lexer.kindOf(value)] = { level, fromRight: associativity === "right" };
  });
  return (reader) => {
    const { start, height: outerHeight } = reader;
    reader.height = 0;
    const operands = [operand(reader)];
    const waiting: { operator: Operator; text: string }[] = [];
    const all: FlowNode[] = [];
    const join = () => {
      const right = operands.pop() as FlowNode;
      const left = operands.pop() as FlowNode;
      const node = new FlowNode(type, start);
      setProperty(node, "left", "=", left);
      setProperty(node, "operator", "=", (waiting.pop() as { text: string }).text);
      setProperty(node, "right", "=", right);
      all.push(node);
      operands.push(node);
    };
    for (let next = operatorAt(reader); next !== undefined; next = operatorAt(reader)) {
      const text = reader.text.slice(reader.starts[reader.at], reader.ends[reader.at]);
      for (let top = waiting.at(-1)?.operator; top !== undefined; top = waiting.at(-1)?.operator) {
        if (top.level > next.level || (top.level === next.level && next.fromRight)) break;
        join();
      }
      waiting.push({ operator: next, text });
      reader.at++;
      operands.push(operand(reader));
    }
    while (waiting.length > 0) join();
    // As in Langium's trees, each lies where the whole chain of operators does.
    for (const node of all) node.$end = reader.end;
    reader.height += all.length;
    reader.checkDepth();
    reader.height = Math.max(outerHeight, reader.height);
    return operands[0] as FlowNode;
  };
  function operatorAt(reader: Reader): Operator | undefined {
    return operators[reader.kinds[reader.at] as number];
  }
}
