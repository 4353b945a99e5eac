/** Bundles what ships: the extension for Node and for the web, and the command line with its debug adapter. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type BuildOptions, build } from "esbuild";
import { leafTransformEsbuild } from "../leaf-transform.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const STAMP = join(ROOT, "dist", ".stamp");
/** Extension hosts of VS Code 1.103 and newer run Node 22. */
const NODE = "node22";

const common: BuildOptions = {
  absWorkingDir: ROOT,
  bundle: true,
  plugins: [leafTransformEsbuild()],
  // Names and lines stay: they appear in the stack traces of errors that users report.
  minifySyntax: true,
  sourcemap: false,
  logLevel: "warning",
  metafile: true,
  loader: { ".tdx": "text" },
};

const bundles: readonly BuildOptions[] = [
  {
    entryPoints: ["src/cli/main.ts"],
    outfile: "dist/tdxflow.js",
    platform: "node",
    format: "esm",
    target: NODE,
    banner: {
      js: '#!/usr/bin/env node\nimport { createRequire as $createRequire } from "node:module";const require = $createRequire(import.meta.url);',
    },
  },
  {
    entryPoints: ["src/extension/extension.ts"],
    outfile: "dist/extension.cjs",
    platform: "node",
    format: "cjs",
    target: NODE,
    external: ["vscode"],
  },
  {
    entryPoints: ["src/extension/language-process.ts"],
    outfile: "dist/language-server.cjs",
    platform: "node",
    format: "cjs",
    target: NODE,
  },
  {
    entryPoints: ["src/extension/language-worker.ts"],
    outfile: "dist/web/language-worker.js",
    platform: "browser",
    format: "iife",
    target: "es2022",
  },
  {
    entryPoints: ["src/extension/web.ts"],
    outfile: "dist/web/extension.cjs",
    platform: "browser",
    format: "cjs",
    target: "es2022",
    external: ["vscode"],
    // @vscode/debugadapter asks for its process only when it is started by itself, which no browser does.
    define: { "process.env": "{}", "process.platform": '"browser"', global: "globalThis" },
    alias: { net: "./scripts/browser/none.ts", fs: "./scripts/browser/none.ts", path: "./scripts/browser/none.ts" },
  },
];

/** A digest of names, sizes and times of everything a bundle can be made of. */
export function sourcesDigest(): string {
  const hash = createHash("sha256");
  for (const folder of ["src", "flows", "scenarios", "scripts"]) {
    if (!existsSync(join(ROOT, folder))) continue;
    for (const name of readdirSync(join(ROOT, folder), { recursive: true }) as string[]) {
      const { mtimeMs, size } = statSync(join(ROOT, folder, name));
      hash.update(`${folder}/${name} ${size} ${mtimeMs}\n`);
    }
  }
  return hash.update(readFileSync(join(ROOT, "package-lock.json"))).digest("hex");
}

/**
 * Builds all bundles if a source has changed since the last time.
 *
 * @throws the bundler's error, whose places it has printed
 */
export async function buildBundles(): Promise<void> {
  const digest = sourcesDigest();
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === digest) return;
  const started = performance.now();
  for (const bundle of bundles) {
    const { metafile } = await build({ ...common, ...bundle });
    for (const [file, { bytes }] of Object.entries(metafile?.outputs ?? {})) {
      console.log(`build: ${file} ${(bytes / 1024).toFixed(0)} KiB`);
    }
  }
  mkdirSync(join(ROOT, "dist"), { recursive: true });
  writeFileSync(STAMP, digest);
  console.log(`build: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
