/**
 * Measures: npm run bench [-- NAME…]
 *
 * Each file `bench/NAME.bench.ts` exports `run(): Figure[] | Promise<Figure[]>`. It is bundled as the shipped code is (so
 * that the run variants of the leaves count) and runs in a process of its own, as the command line does. A loop of plain arithmetic stands above all
 * figures, as a baseline to compare machines by.
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { bundle } from "./lib/bundle.ts";
import { ROOT } from "./set-up.mjs";

const PRINT = `
for (const { name, value, unit, aim } of await run()) {
  const show = (n) => n.toLocaleString("en-US", { maximumFractionDigits: n < 100 ? 2 : 0 });
  console.log(\`  \${name.padEnd(64)} \${show(value).padStart(14)} \${unit}\${aim === undefined ? "" : \`   (aim \${show(aim)})\`}\`);
}`;

/** Millions of dependent integer multiplications a second, on one core. */
function baseline(): number {
  const count = 200_000_000;
  const started = performance.now();
  let x = 1;
  for (let i = 0; i < count; i++) x = (Math.imul(x, 1664525) + 1013904223) | 0;
  return (x === 0.5 ? 0 : count) / (performance.now() - started) / 1000;
}

const wanted = process.argv.slice(2);
const names = readdirSync(join(ROOT, "bench"))
  .filter((file) => file.endsWith(".bench.ts"))
  .filter((file) => !wanted.length || wanted.some((name) => file.startsWith(`${name}.`)));
if (!names.length) throw new Error(`no benchmark ${wanted.join(", ")} in bench/`);

console.log(`${cpus()[0]?.model.trim()} (${availableParallelism()} cores), Node ${process.version}`);
console.log(`baseline: ${baseline().toFixed(0)} million multiply-adds a second`);
for (const name of names) {
  const file = join(ROOT, "dist", "bench", name.replace(/\.ts$/, ".mjs"));
  await bundle({
    entry: { text: `import "./src/cli/inlining.ts"; import { run } from "./bench/${name}";${PRINT}` },
    file,
    platform: "node",
    format: "esm",
    define: { "import.meta.dirname": JSON.stringify(join(ROOT, "bench")) },
  });
  console.log(`\n${name.replace(".bench.ts", "")}`);
  const { status } = spawnSync(process.execPath, ["--expose-gc", file], { cwd: ROOT, stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}
