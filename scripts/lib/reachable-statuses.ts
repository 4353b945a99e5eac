/** Which status constants the source of a leaf names, itself or through the functions that it uses. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { parseAst } from "rolldown/parseAst";

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

interface Source {
  /** Names used by each top-level declaration. */
  readonly uses: Map<string, Set<string>>;
  /** Imported names: where they come from. */
  readonly imports: Map<string, { file: string; name: string }>;
}

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && typeof (value as Node).type === "string";

function visit(node: unknown, each: (node: Node) => void): void {
  if (Array.isArray(node)) for (const item of node) visit(item, each);
  else if (isNode(node)) {
    each(node);
    for (const value of Object.values(node)) visit(value, each);
  }
}

function namesIn(node: unknown): Set<string> {
  const names = new Set<string>();
  visit(node, ({ type, name }) => {
    if (type === "Identifier") names.add(name as string);
  });
  return names;
}

function parse(path: string): Source {
  const uses: Source["uses"] = new Map();
  const imports: Source["imports"] = new Map();
  const declare = (node: Node): void => {
    const { id, declarations } = node as { id?: { name: string }; declarations?: { id: { name: string } }[] };
    if (id) uses.set(id.name, namesIn(node));
    for (const declaration of declarations ?? []) uses.set(declaration.id.name, namesIn(declaration));
  };
  const program = parseAst(readFileSync(path, "utf8"), { lang: "ts", sourceType: "module" }) as unknown as {
    body: Node[];
  };
  for (const node of program.body) {
    if (node.type === "ImportDeclaration") {
      const from = (node.source as { value: string }).value;
      for (const specifier of node.specifiers as { local: { name: string }; imported?: { name: string } }[]) {
        const name = specifier.imported?.name ?? specifier.local.name;
        imports.set(specifier.local.name, { file: normalize(join(dirname(path), from)), name });
      }
    } else declare(isNode(node.declaration) ? node.declaration : node);
  }
  return { uses, imports };
}

/** Leaf function's name in the sources: TDH.MEM.PAGE.AUG → tdhMemPageAug. */
const functionName = (leaf: string): string =>
  leaf
    .toLowerCase()
    .split(".")
    .map((part, i) => (i === 0 ? part : part[0]!.toUpperCase() + part.slice(1)))
    .join("");

/** Statuses by leaf, for the leaves that src/module implements. */
export function reachableStatuses(root: string, statuses: ReadonlySet<string>): Map<string, Set<string>> {
  const sources = new Map<string, Source>();
  const sourceOf = (path: string): Source | undefined => {
    if (!existsSync(path)) return undefined;
    const source = sources.get(path) ?? parse(path);
    sources.set(path, source);
    return source;
  };
  const { host, guest } = JSON.parse(readFileSync(join(root, "test/vectors/abi/leaves.json"), "utf8"));
  const byFunction = new Map<string, string>(
    [...host, ...guest].map(({ name }: { name: string }) => [functionName(name), name]),
  );
  const found = new Map<string, Set<string>>();
  for (const folder of ["host", "guest"]) {
    const path = join(root, "src/module", folder);
    for (const file of readdirSync(path, { recursive: true }) as string[]) {
      if (!file.endsWith(".ts")) continue;
      const start = join(path, file);
      for (const name of sourceOf(start)!.uses.keys()) {
        const leaf = byFunction.get(name);
        if (leaf !== undefined) found.set(leaf, reach(start, name));
      }
    }
  }
  return found;

  function reach(start: string, name: string): Set<string> {
    const result = new Set<string>();
    const seen = new Set<string>();
    const queue = [{ file: start, name }];
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      if (seen.has(`${at.file}#${at.name}`)) continue;
      seen.add(`${at.file}#${at.name}`);
      const source = sourceOf(at.file);
      for (const used of source?.uses.get(at.name) ?? []) {
        if (statuses.has(used)) result.add(used);
        else if (source!.uses.has(used)) queue.push({ file: at.file, name: used });
        else {
          const imported = source!.imports.get(used);
          if (imported?.file.includes(join("src", "module"))) queue.push(imported);
        }
      }
    }
    return result;
  }
}
