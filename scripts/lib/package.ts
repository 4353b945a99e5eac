import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildBundles, sourcesDigest } from "./build.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const TEXTS = ["package.json", "README.md", "CHANGELOG.md", "LICENSE", ".vscodeignore"];
const BUNDLES = ["dist/extension.cjs", "dist/language-server.cjs", "dist/tdxflow.js"];
const FOLDERS = ["dist/web", "media", "flows", "scenarios", "src"];

/** Packs the extension as it would be published, unless nothing has changed since. @returns path of the .vsix */
export async function packageExtension(): Promise<string> {
  await buildBundles();
  const vsix = join(ROOT, "dist", "tdx-flow-debugger.vsix");
  const stamp = `${vsix}.stamp`;
  const hash = createHash("sha256").update(sourcesDigest());
  for (const file of TEXTS) hash.update(readFileSync(join(ROOT, file)));
  const digest = hash.digest("hex");
  if (existsSync(vsix) && existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return vsix;

  const started = performance.now();
  pack(vsix);
  writeFileSync(stamp, digest);
  const size = (statSync(vsix).size / 1024).toFixed(0);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`package: dist/tdx-flow-debugger.vsix ${size} KiB, ${seconds} s`);
  return vsix;
}

/**
 * Runs vsce on a copy of what may be packed: in the project itself it would look at every file of .tools and node_modules
 * to find that .vscodeignore excludes it, which takes ten times as long.
 */
function pack(vsix: string): void {
  const copy = join(ROOT, "dist", "package");
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  for (const name of [...TEXTS, ...FOLDERS, ...BUNDLES]) {
    if (existsSync(join(ROOT, name))) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  }
  // The shipped sources are read in the debugger: an editor should find nothing wrong with them.
  const { compilerOptions } = JSON.parse(readFileSync(join(ROOT, "tsconfig.json"), "utf8"));
  const config = { compilerOptions: { ...compilerOptions, types: [] }, include: ["src"] };
  writeFileSync(join(copy, "tsconfig.json"), JSON.stringify(config));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(ROOT, "node_modules", "@vscode", "vsce", "vsce"),
      ...["package", "--no-dependencies", "--allow-missing-repository", "--no-rewrite-relative-links", "--out", vsix],
    ],
    { cwd: copy, encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`the extension was not packed:\n${stdout}${stderr}`);
}
