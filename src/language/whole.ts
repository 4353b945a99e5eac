/** Takes what syntax errors left unfinished out of a tree, so that the rest can be looked at. */
import { type AstNode, AstUtils } from "langium";
import { type Block, type Program, reflection } from "./generated/ast.ts";

/** Drops each innermost statement that lacks something that the grammar asks for. Changes the tree. */
export function dropUnfinished(program: Program): void {
  for (const node of AstUtils.streamAst(program).toArray().reverse()) {
    // The innermost blocks come first: what is around them is whole without their unfinished statements.
    if (node.$type === "Block" || node.$type === "Program") {
      const block = node as Block | Program;
      block.statements.splice(0, block.statements.length, ...(block.statements as never[]).filter(isWhole));
    }
  }
}

function isWhole(statement: AstNode): boolean {
  return AstUtils.streamAst(statement).every((node) => {
    const { properties } = reflection.getTypeMetaData(node.$type);
    const values = node as unknown as Readonly<Record<string, unknown>>;
    return Object.values(properties).every(({ name, optional }) => optional === true || values[name] !== undefined);
  });
}
