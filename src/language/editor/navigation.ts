/**
 * What an editor asks about the names of a flow: where they are declared and used, and the outline of a source. Plain functions of the text, a place in it, and the last analysis of the flow; the
 * extension hands them to VS Code.
 */
import type { FlowAnalysis } from "../compile.ts";
import type { Span } from "../diagnostics.ts";
import type { Declared, Use } from "../scope.ts";

/** Where a name is used or declared at `offset`. */
export function useAt(analysis: FlowAnalysis, path: string, offset: number): Use | undefined {
  return analysis.uses.find((use) => use.source.path === path && use.start <= offset && offset <= use.end);
}

/** Where the name at `offset` is declared. */
export function definitionAt(analysis: FlowAnalysis, path: string, offset: number): Declared | undefined {
  const use = useAt(analysis, path, offset);
  if (use !== undefined) return use.symbol.declared;
  const module = analysis.modules.find((candidate) => candidate.source.path === path);
  const imported = module?.imports.find(
    ({ node }) => node.$cstNode !== undefined && node.$cstNode.offset <= offset && offset <= node.$cstNode.end,
  );
  return imported === undefined ? undefined : { source: imported.module.source, start: 0, end: 0 };
}

/** All places of the name at `offset`, its declaration first. */
export function referencesAt(analysis: FlowAnalysis, path: string, offset: number): Use[] {
  const symbol = useAt(analysis, path, offset)?.symbol;
  if (symbol === undefined) return [];
  const { source, start } = symbol.declared;
  const same = (use: Use) => use.symbol.declared.source.path === source.path && use.symbol.declared.start === start;
  const seen = new Set<string>();
  return analysis.uses
    .filter(
      (use) => same(use) && !seen.has(`${use.source.path}:${use.start}`) && seen.add(`${use.source.path}:${use.start}`),
    )
    .toSorted((a, b) => Number(isDeclaration(b)) - Number(isDeclaration(a)));
}

export function isDeclaration(use: Use): boolean {
  return use.source.path === use.symbol.declared.source.path && use.start === use.symbol.declared.start;
}

/** What to replace by a new name; or why the name at `offset` cannot be changed. */
export function renameAt(analysis: FlowAnalysis, path: string, offset: number, name: string): readonly Use[] | string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return `"${name}" is not a name`;
  const uses = referencesAt(analysis, path, offset);
  if (uses.length === 0) return "only names of the flow can be changed";
  const taken = uses.find((use) => analysis.names.get(use.source.path)?.has(name));
  return taken === undefined ? uses : `"${name}" is taken in ${taken.source.path}`;
}

export interface OutlineItem {
  readonly name: string;
  readonly kind: "function" | "variable" | "task" | "guest" | "platform";
  readonly span: Span;
  readonly nameSpan: Span;
}

/** The functions, top-level variables, tasks and guests of a source, in order. */
export function outlineOf(analysis: FlowAnalysis, path: string): OutlineItem[] {
  const module = analysis.modules.find((candidate) => candidate.source.path === path);
  const items: OutlineItem[] = [];
  for (const node of module?.program.statements ?? []) {
    const cst = node.$cstNode;
    if (cst === undefined) continue;
    const span = { start: cst.offset, end: cst.end };
    const declared =
      "name" in node && typeof node.name === "string" ? analysis.names.get(path)?.get(node.name)?.declared : undefined;
    const nameSpan = declared === undefined ? span : { start: declared.start, end: declared.end };
    if (node.$type === "FunctionDeclaration" && node.name !== undefined)
      items.push({ name: node.name, kind: "function", span, nameSpan });
    else if (node.$type === "LetStatement" && node.name !== undefined)
      items.push({ name: node.name, kind: "variable", span, nameSpan });
    else if (node.$type === "SpawnStatement" && node.name !== undefined)
      items.push({ name: node.name, kind: "task", span, nameSpan });
    else if (node.$type === "GuestStatement")
      items.push({ name: `guest ${node.vcpu?.$cstNode?.text ?? ""}`, kind: "guest", span, nameSpan });
    else if (node.$type === "PlatformBlock") items.push({ name: "platform", kind: "platform", span, nameSpan });
  }
  return items;
}
