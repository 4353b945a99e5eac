/**
 * Checks who imports whom: rooms stand on floors and import from lower ones only, `vscode` stays in the extension, Node's
 * own modules in the entry points.
 *
 *     node scripts/check-rules.ts [PROJECT_FOLDER]
 *
 * Prints each violation with file and line; exit 1 if there is one.
 */
import { readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join, posix, resolve, sep } from "node:path";
import { parseArgs } from "node:util";
import { parseAst } from "rolldown/parseAst";

/** The rooms of `src/` by floor. A room imports from itself and from lower floors, and from what is named besides. */
const FLOORS: Readonly<Record<string, { floor: number; only?: readonly string[] }>> = {
  arch: { floor: 1 },
  state: { floor: 2 },
  platform: { floor: 3 },
  module: { floor: 4 },
  language: { floor: 5, only: ["arch"] },
  runtime: { floor: 6 },
  debugger: { floor: 7 },
  adapter: { floor: 8 },
  extension: { floor: 9 },
  cli: { floor: 9 },
};

/** Where Node's own modules may be used: what only ever runs in Node. The extension runs in browsers too. */
const NODE_CODE = /^src\/cli\//;

interface Import {
  readonly specifier: string;
  readonly line: number;
}

/** Every module that a source names, by static, dynamic and type imports and by exports. */
function importsOf(text: string): Import[] {
  const found: Import[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    const { type, source, start } = node as { type?: string; source?: { value?: unknown }; start?: number };
    if (type && /^(Import|Export|TSImportType)/.test(type) && typeof source?.value === "string") {
      found.push({ specifier: source.value, line: text.slice(0, start).split("\n").length });
    }
    Object.values(node).forEach(visit);
  };
  visit(parseAst(text, { lang: "ts", sourceType: "module" }));
  return found;
}

const roomOf = (path: string): string => path.split("/")[1] ?? "";

/** What is wrong with `file` importing `specifier`, or undefined. Both in project paths with forward slashes. */
function violation(file: string, specifier: string): string | undefined {
  const from = FLOORS[roomOf(file)];
  if (!from) return `${roomOf(file)} is no room of src/`;
  if (specifier === "vscode") return roomOf(file) === "extension" ? undefined : "only the extension may import vscode";
  if (isBuiltin(specifier)) return NODE_CODE.test(file) ? undefined : "only the command line may import Node's modules";
  if (!specifier.startsWith(".")) return undefined;
  const target = posix.join(posix.dirname(file), specifier);
  if (!target.startsWith("src/"))
    return /^(flows|scenarios)\//.test(target) ? undefined : `${target} is not shipped code`;
  const name = roomOf(target);
  const to = FLOORS[name];
  if (name === roomOf(file)) return undefined;
  if (!to) return `${name} is no room of src/`;
  if (to.floor >= from.floor) return `${roomOf(file)} (floor ${from.floor}) may not import ${name} (floor ${to.floor})`;
  if (from.only && !from.only.includes(name)) return `${roomOf(file)} may import ${from.only.join(", ")} only`;
  return undefined;
}

const { positionals } = parseArgs({ allowPositionals: true });
const root = resolve(positionals[0] ?? join(import.meta.dirname, ".."));
let files = 0;
let wrong = 0;
for (const name of readdirSync(join(root, "src"), { recursive: true }) as string[]) {
  if (!/\.tsx?$/.test(name)) continue;
  files++;
  const file = `src/${name.split(sep).join("/")}`;
  for (const { specifier, line } of importsOf(readFileSync(join(root, file), "utf8"))) {
    const reason = violation(file, specifier);
    if (reason) {
      wrong++;
      console.error(`${file}:${line}: ${reason} ("${specifier}")`);
    }
  }
}
console.log(`dependency rules: ${files} files, ${wrong} violations`);
process.exitCode = wrong ? 1 : 0;
