/**
 * Writes the generated sources: the parser from the grammar, tables from the architecture's data.
 *
 *     npm run generate [-- --check]      --check: exit 1 if that changed a file
 *
 * They are committed, so that a clone builds without it. Each `scripts/generate-NAME.ts` writes its own files.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./set-up.mjs";

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { cwd: ROOT, stdio: "inherit" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}`);
}

/** Text of every file under src/, by path: generators may write anywhere in it. */
function sources(): Map<string, string> {
  const texts = new Map<string, string>();
  for (const name of readdirSync(join(ROOT, "src"), { recursive: true }) as string[]) {
    const path = join(ROOT, "src", name);
    if (statSync(path).isFile()) texts.set(name, readFileSync(path, "utf8"));
  }
  return texts;
}

const before = sources();
const generators = readdirSync(join(ROOT, "scripts")).filter((name) => /^generate-.*\.ts$/.test(name));
for (const name of generators.sort()) run(process.execPath, [join(ROOT, "scripts", name)]);
if (existsSync(join(ROOT, "langium-config.json"))) run(join(ROOT, "node_modules", ".bin", "langium"), ["generate"]);
run(join(ROOT, "node_modules", ".bin", "biome"), ["format", "--write", "src"]);
const after = sources();
const changed = [...after].filter(([name, text]) => before.get(name) !== text).map(([name]) => name);
for (const name of changed) console.log(`generate: src/${name} changed`);
if (!changed.length) console.log("generate: all files were current");
if (process.argv.includes("--check") && changed.length) {
  console.error("generated files were not current; they are now: commit them");
  process.exitCode = 1;
}
