/**
 * Makes one file of an entry and all that it imports, TypeScript and the leaves' variants included.
 *
 * By rolldown, for what it does with constants: those of other modules are written as literals where they are used, and what
 * stands at the top of a file stays `const`. Where they are variables of the bundle (esbuild makes them `var`), V8 loads each
 * and checks its type at each use, which was a sixth of all instructions of a SEAMCALL.
 */
import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Plugin, rolldown } from "rolldown";
import { leafTransform } from "../leaf-transform.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** Extension hosts of VS Code 1.103 and newer run Node 22. */
const TARGETS = { node: "node22", browser: "es2022" } as const;

export interface Bundle {
  /** The first source, by its path in the project; or its text, as if it lay in the project's folder. */
  readonly entry: string | { readonly text: string };
  /** The bundle's path, in the project or absolute. */
  readonly file: string;
  readonly platform: keyof typeof TARGETS;
  readonly format: "esm" | "cjs" | "iife";
  /** Modules that whoever runs the bundle provides. */
  readonly external?: readonly string[];
  /** Text at the top of the bundle. */
  readonly banner?: string;
  /** What expressions are replaced by, as source text. */
  readonly define?: Readonly<Record<string, string>>;
  /** Files of the project that stand in for modules. */
  readonly alias?: Readonly<Record<string, string>>;
  /** Positions of the sources, in the bundle itself. */
  readonly sourcemap?: boolean;
}

/**
 * Writes the bundle.
 *
 * @returns its size in bytes
 * @throws the bundler's error, with the places in the sources
 */
export async function bundle(options: Bundle): Promise<number> {
  const { entry, platform, format, external, banner, define, alias, sourcemap } = options;
  const file = resolve(ROOT, options.file);
  const built = await rolldown({
    input: typeof entry === "string" ? resolve(ROOT, entry) : TEXT_ENTRY,
    cwd: ROOT,
    platform,
    external: [...(external ?? [])],
    plugins: [...(typeof entry === "string" ? [] : [textEntry(entry.text)]), leafTransform()],
    moduleTypes: { ".tdx": "text" },
    resolve: {
      alias: Object.fromEntries(Object.entries(alias ?? {}).map(([name, path]) => [name, resolve(ROOT, path)])),
    },
    transform: { target: TARGETS[platform], define: { ...define } },
    // Constants are made of constants: one pass for each level of them.
    optimization: { inlineConst: { mode: "all", pass: 3 } },
    logLevel: "warn",
  });
  await built.write({
    file,
    format,
    codeSplitting: false,
    sourcemap: sourcemap ? "inline" : false,
    ...(banner === undefined ? {} : { banner }),
  });
  await built.close();
  return statSync(file).size;
}

const TEXT_ENTRY = join(ROOT, "entry.ts");

/** Serves the entry that is no file. */
function textEntry(text: string): Plugin {
  return {
    name: "text-entry",
    resolveId: (id) => (id === TEXT_ENTRY ? id : undefined),
    load: (id) => (id === TEXT_ENTRY ? { code: text, moduleType: "ts" } : undefined),
  };
}
