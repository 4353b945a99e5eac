/**
 * Runs every check, in the order in which they fail fastest.
 *
 *     npm test [-- STAGE…]      stages: types lint rules unused unit editor
 *
 * The last line is `N passed, N failed`, counting each test and each stage without tests of its own as one. What this
 * machine cannot run is named; with CI=true that is a failure.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bringChromium, ROOT } from "./set-up.mjs";

interface Stage {
  readonly name: string;
  readonly commands: readonly (readonly string[])[];
  /** Name of the vitest project that the stage runs, if it is one. */
  readonly project?: string;
  /** Why this machine cannot run the stage, or undefined if it can. */
  readonly missing?: () => string | undefined;
}

const OUTPUT = join(ROOT, "test-output");
const bin = (name: string): string => join(ROOT, "node_modules", ".bin", name);

const vitest = (project: string): Stage["commands"] => [
  [
    ...[bin("vitest"), "run", "--project", project, "--reporter=default"],
    ...["--reporter=json", `--outputFile.json=${join(OUTPUT, `${project}.json`)}`],
  ],
];

const STAGES: readonly Stage[] = [
  {
    name: "types",
    commands: [
      [bin("tsc"), "-p", "."],
      [bin("tsc"), "-p", "tsconfig.browser.json"],
    ],
  },
  { name: "lint", commands: [[bin("biome"), "check", "--error-on-warnings"]] },
  { name: "rules", commands: [[process.execPath, join(ROOT, "scripts", "check-rules.ts")]] },
  { name: "unused", commands: [[bin("knip")]] },
  { name: "unit", commands: vitest("unit"), project: "unit" },
  {
    name: "editor",
    commands: vitest("editor"),
    project: "editor",
    missing: () => {
      const chromium = bringChromium();
      if (chromium) process.env.CHROMIUM = chromium;
      return chromium
        ? undefined
        : "no Chromium on this machine, and no right to install Debian's (CHROMIUM=path names one)";
    },
  },
];

let passed = 0;
let failed = 0;
const notRun: string[] = [];

/** Adds up what vitest reported; a run that died without a report is one failure. */
function count(project: string, ok: boolean): void {
  const report = join(OUTPUT, `${project}.json`);
  const { numPassedTests = 0, numFailedTests = 0 } = existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : {};
  passed += numPassedTests;
  failed += ok ? numFailedTests : Math.max(1, numFailedTests);
}

function runStage({ name, commands, project, missing }: Stage): void {
  const reason = missing?.();
  if (reason) {
    notRun.push(`${name}: ${reason}`);
    return;
  }
  console.log(`\n== ${name}`);
  const started = performance.now();
  if (project) rmSync(join(OUTPUT, `${project}.json`), { force: true });
  const ok = commands.every(([command, ...args]) => {
    const { status, error } = spawnSync(command!, args, { cwd: ROOT, stdio: "inherit" });
    if (error) console.error(`${command}: ${error.message}`);
    return status === 0;
  });
  if (project) count(project, ok);
  else if (ok) passed++;
  else failed++;
  console.log(`== ${name}: ${ok ? "ok" : "FAILED"}, ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !STAGES.some((stage) => stage.name === name));
if (unknown.length) {
  console.error(`no stage ${unknown.join(", ")}; there are ${STAGES.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}
mkdirSync(OUTPUT, { recursive: true });
for (const stage of STAGES) if (!wanted.length || wanted.includes(stage.name)) runStage(stage);

for (const line of notRun) console.error(`\n!! NOT RUN: ${line}`);
if (process.env.CI === "true") failed += notRun.length;
console.log(`\n${passed} passed, ${failed} failed${notRun.length ? `, ${notRun.length} not run` : ""}`);
process.exitCode = failed ? 1 : 0;
