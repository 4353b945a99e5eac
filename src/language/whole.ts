/** Takes what syntax errors left unfinished out of a tree, so that the rest can be looked at. */
import { type AstNode, AstUtils } from "langium";
import { type Block, type Program, reflection } from "./generated/ast.ts";
import { FlowNode } from "./parser/node.ts";

/** Drops each innermost statement that lacks something that the grammar asks for. Changes the tree. */
export function dropUnfinished(program: Program): void {
  const doubtful = program.statements.filter((statement) => !(statement instanceof FlowNode));
  for (const node of doubtful.flatMap((statement) => AstUtils.streamAst(statement).toArray()).reverse()) {
    // The innermost blocks come first: what is around them is whole without their unfinished statements.
    if (node.$type === "Block") keepWhole(node as Block);
  }
  keepWhole(program);
}

function keepWhole(block: Block | Program): void {
  block.statements.splice(0, block.statements.length, ...(block.statements as never[]).filter(isWhole));
}

function isWhole(statement: AstNode): boolean {
  if (statement instanceof FlowNode) return true;
  return AstUtils.streamAst(statement).every((node) => {
    const { properties } = reflection.getTypeMetaData(node.$type);
    const values = node as unknown as Readonly<Record<string, unknown>>;
    return Object.values(properties).every(({ name, optional }) => optional === true || values[name] !== undefined);
  });
}
