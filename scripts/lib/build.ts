/** Bundles what ships: the extension for Node and for the web, and the command line with its debug adapter. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Bundle, bundle } from "./bundle.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const STAMP = join(ROOT, "dist", ".stamp");
const bundles: readonly Bundle[] = [
  {
    entry: "src/cli/main.ts",
    file: "dist/tdxflow.js",
    platform: "node",
    format: "esm",
    banner: "#!/usr/bin/env node",
  },
  {
    entry: "src/extension/extension.ts",
    file: "dist/extension.cjs",
    platform: "node",
    format: "cjs",
    external: ["vscode"],
  },
  {
    entry: "src/extension/language-process.ts",
    file: "dist/language-server.cjs",
    platform: "node",
    format: "cjs",
  },
  {
    entry: "src/extension/language-worker.ts",
    file: "dist/web/language-worker.js",
    platform: "browser",
    format: "iife",
  },
  {
    entry: "src/extension/web.ts",
    file: "dist/web/extension.cjs",
    platform: "browser",
    format: "cjs",
    external: ["vscode"],
    // @vscode/debugadapter asks for its process only when it is started by itself, which no browser does.
    define: { "process.env": "{}", "process.platform": '"browser"', global: "globalThis" },
    alias: { net: "scripts/browser/none.ts", fs: "scripts/browser/none.ts", path: "scripts/browser/none.ts" },
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
 * @throws the bundler's error, with the places in the sources
 */
export async function buildBundles(): Promise<void> {
  const digest = sourcesDigest();
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === digest) return;
  const started = performance.now();
  for (const one of bundles) {
    console.log(`build: ${one.file} ${((await bundle(one)) / 1024).toFixed(0)} KiB`);
  }
  mkdirSync(join(ROOT, "dist"), { recursive: true });
  writeFileSync(STAMP, digest);
  console.log(`build: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
