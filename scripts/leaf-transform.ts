/**
 * Makes two programs from the same source of a TDX module leaf.
 *
 * A leaf is a generator that yields a label before each of its steps. Whoever steps wants to know where each label stands,
 * through all the shared steps that the leaf delegated to; whoever runs a million calls wants no generator at all, since
 * resuming one costs more than most steps do. Hence, for each file of src/module that contains `function*`:
 *
 * - the *step* variant (plain import): `yield "x"` becomes `yield "FILE:LINE:x"`, `yield* f(a)` becomes
 *   `yield* at("FILE:LINE", f(a))`;
 * - the *run* variant (import suffix `?run`): `function*` becomes `function`, `yield* f(a)` becomes `f(a)`, statements
 *   `yield …;` are erased. Its relative imports of files that contain `function*` become run variants too; all other
 *   modules are shared by both variants, one instance each.
 *
 * The test "contains `function*`" is on the text, comments included: a table of leaves that declares no generator itself
 * takes part by naming `function*` in a comment. Both variants keep every line where it was.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import type { Plugin } from "rolldown";
import { parseAst } from "rolldown/parseAst";

export type Variant = "step" | "run";

const ROOT = resolve(import.meta.dirname, "..");
const ROOM = join(ROOT, "src", "module") + sep;
const STEP_RUNTIME = join(ROOM, "step.ts");
const QUERY = "?run";

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}
interface YieldExpression extends Node {
  readonly delegate: boolean;
  readonly argument: Node | null;
}
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const holdsGenerators = (text: string): boolean => text.includes("function*");

/** Whether `path` is a source that has two variants. */
export function isLeafSource(path: string): boolean {
  return (
    path.startsWith(ROOM) &&
    path.endsWith(".ts") &&
    !path.endsWith(".d.ts") &&
    path !== STEP_RUNTIME &&
    existsSync(path) &&
    holdsGenerators(readFileSync(path, "utf8"))
  );
}

/**
 * The text of one variant.
 *
 * @param source TypeScript text.
 * @param file how positions name this file, for example `src/module/host/mem_page_add.ts`
 * @param runtime how the step variant imports `at`
 * @param hasVariants whether a relative import of this file names a file with two variants
 * @throws Error with file and line if a yield is used in a way that cannot be erased
 */
export function transformLeaf(
  source: string,
  variant: Variant,
  file: string,
  runtime: string,
  hasVariants: (specifier: string) => boolean,
): string {
  const program = parseAst(source, { lang: "ts", sourceType: "module" }) as unknown as Node;
  const edits: Edit[] = [];
  const replace = (start: number, end: number, text: string): void => {
    edits.push({ start, end, text });
  };
  const lineOf = lineIndex(source);
  const newlines = (start: number, end: number): string => source.slice(start, end).replace(/[^\n]/g, "");

  const visitYield = (node: YieldExpression, isStatement: boolean): void => {
    const place = `${file}:${lineOf(node.start)}`;
    const { argument } = node;
    if (!argument) throw new Error(`${place}: a step needs a label`);
    if (node.delegate) {
      if (variant === "run") replace(node.start, argument.start, newlines(node.start, argument.start));
      else {
        replace(argument.start, argument.start, `$at(${JSON.stringify(place)}, `);
        replace(argument.end, argument.end, ")");
      }
    } else if (!isStatement) {
      throw new Error(`${place}: a step has no value, so its yield must be a statement of its own`);
    } else if (variant === "step") {
      replace(argument.start, argument.start, `${JSON.stringify(`${place}:`)} + (`);
      replace(argument.end, argument.end, ")");
    }
  };

  const visit = (node: Node): void => {
    if (node.type === "ExpressionStatement") {
      const { expression } = node as Node & { expression: Node };
      if (expression.type === "YieldExpression" && !(expression as YieldExpression).delegate) {
        visitYield(expression as YieldExpression, true);
        if (variant === "run") replace(node.start, node.end, `${newlines(node.start, node.end)};`);
        return;
      }
    }
    if (node.type === "YieldExpression") visitYield(node as YieldExpression, false);
    if (variant === "run") {
      if (/Function/.test(node.type) && (node as Node & { generator?: boolean }).generator) {
        // `function*` holds its star in front of the parameters; a method's star stands before its name.
        const star = source.indexOf("*", node.start);
        if (/^(async\s+)?function\s*$/.test(source.slice(node.start, star))) replace(star, star + 1, "");
        else throw new Error(`${file}:${lineOf(node.start)}: write generator methods as function*`);
      }
      const from = node as Node & { source?: (Node & { value: string }) | null; importKind?: string };
      if (/^(Import|Export)/.test(node.type) && from.source && hasVariants(from.source.value)) {
        replace(from.source.start, from.source.end, JSON.stringify(from.source.value + QUERY));
      }
    }
    for (const child of childrenOf(node)) visit(child);
  };
  visit(program);
  if (variant === "step") replace(0, 0, `import { at as $at } from ${JSON.stringify(runtime)};`);
  return apply(source, edits);
}

/** The variant that an import of `id` (with or without `?run`) means, or undefined where the file has none. */
export function loadLeaf(id: string): string | undefined {
  const variant: Variant = id.endsWith(QUERY) ? "run" : "step";
  const path = variant === "run" ? id.slice(0, -QUERY.length) : id;
  if (!isLeafSource(path)) return undefined;
  const folder = dirname(path);
  return transformLeaf(
    readFileSync(path, "utf8"),
    variant,
    slashed(relative(ROOT, path)),
    `./${slashed(relative(folder, STEP_RUNTIME))}`.replace("./../", "../"),
    (specifier) => specifier.startsWith(".") && isLeafSource(resolve(folder, specifier)),
  );
}

/** For rolldown and for Vite, which understand the same plugins. */
export function leafTransform(): Plugin {
  return {
    name: "leaf-transform",
    resolveId(specifier, importer) {
      if (!specifier.endsWith(QUERY) || !specifier.startsWith(".") || !importer) return undefined;
      return resolve(dirname(importer.replace(/\?.*$/, "")), specifier);
    },
    load(id) {
      const code = loadLeaf(id);
      return code === undefined ? undefined : { code, moduleType: "ts" };
    },
  };
}

function lineIndex(source: string): (offset: number) => number {
  const starts = [0];
  for (let i = source.indexOf("\n"); i >= 0; i = source.indexOf("\n", i + 1)) starts.push(i + 1);
  return (offset) => starts.findLastIndex((start) => start <= offset) + 1;
}

function childrenOf(node: Node): Node[] {
  return Object.values(node)
    .flat()
    .filter((value): value is Node => typeof value === "object" && value !== null && typeof value.type === "string");
}

/** Applies edits, which do not overlap, from the front. */
function apply(source: string, edits: readonly Edit[]): string {
  let out = "";
  let done = 0;
  for (const { edit } of edits
    .map((edit, order) => ({ edit, order }))
    .sort((a, b) => a.edit.start - b.edit.start || a.order - b.order)) {
    if (edit.start < done) throw new Error(`overlapping edits at offset ${edit.start}`);
    out += source.slice(done, edit.start) + edit.text;
    done = edit.end;
  }
  return out + source.slice(done);
}

const slashed = (path: string): string => path.split(sep).join("/");
