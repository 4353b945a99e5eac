/** Takes what syntax errors left unfinished out of statements, so that the rest can be looked at. */
import { type AstNode, AstUtils } from "langium";
import { type Block, reflection } from "./generated/ast.ts";
import { FlowNode } from "./parser/node.ts";

/** Without each innermost statement that lacks something that the grammar asks for. Changes the blocks in the tree. */
export function finished<T extends AstNode>(statements: readonly T[]): T[] {
  const doubtful = statements.filter((statement) => !(statement instanceof FlowNode));
  for (const node of doubtful.flatMap((statement) => AstUtils.streamAst(statement).toArray()).reverse()) {
    // The innermost blocks come first: what is around them is whole without their unfinished statements.
    if (node.$type === "Block") {
      const block = node as Block;
      block.statements.splice(0, block.statements.length, ...block.statements.filter(isWhole));
    }
  }
  return statements.filter(isWhole);
}

function isWhole(statement: AstNode): boolean {
  if (statement instanceof FlowNode) return true;
  return AstUtils.streamAst(statement).every((node) => {
    const { properties } = reflection.getTypeMetaData(node.$type);
    const values = node as unknown as Readonly<Record<string, unknown>>;
    return Object.values(properties).every(({ name, optional }) => optional === true || values[name] !== undefined);
  });
}
