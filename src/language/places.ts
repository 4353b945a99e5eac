/** Where the nodes of a syntax tree lie in their source. */
import { type AstNode, type CstNode, GrammarUtils } from "langium";
import type { Span } from "./diagnostics.ts";
import { FlowNode } from "./parser/node.ts";

/** How far a tree of Langium's that was parsed from a piece of a source lies behind that source's start. By its root. */
const shifts = new WeakMap<CstNode, number>();

/** Remembers that a tree was parsed from the piece of its source that begins at `offset`. */
export function shiftTree(tree: AstNode, offset: number): void {
  const root = tree.$cstNode?.root;
  if (root !== undefined) shifts.set(root, offset);
}

export function spanOf(node: AstNode): Span {
  return node instanceof FlowNode ? { start: node.$start, end: node.$end } : spanOfCst(node.$cstNode);
}

/** Where the name that a node declares lies. */
export function nameSpan(node: AstNode): Span {
  return propertySpan(node, "name");
}

/** Where a part of a node lies; the node itself, if it lacks that part. */
export function propertySpan(node: AstNode, property: string): Span {
  if (node instanceof FlowNode) return node.spanOf(property);
  const part = GrammarUtils.findNodeForProperty(node.$cstNode, property);
  return part === undefined ? spanOf(node) : spanOfCst(part);
}

function spanOfCst(cst: CstNode | undefined): Span {
  if (cst === undefined) return { start: 0, end: 0 };
  const shift = shifts.get(cst.root) ?? 0;
  return { start: cst.offset + shift, end: cst.end + shift };
}
