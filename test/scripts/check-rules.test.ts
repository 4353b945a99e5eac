import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterEach, expect, it } from "vitest";

const script = resolve(import.meta.dirname, "../../scripts/check-rules.ts");
let project = "";

function check(sources: Record<string, string>): { status: number | null; output: string } {
  project = mkdtempSync(join(tmpdir(), "rules-"));
  for (const [path, text] of Object.entries(sources)) {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    writeFileSync(join(project, path), text);
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, project], { encoding: "utf8" });
  return { status, output: stdout + stderr };
}

afterEach(() => rmSync(project, { recursive: true, force: true }));

it("lets a room import from lower floors, itself and packages", () => {
  const result = check({
    "src/state/store.ts": "export const a = 1;",
    "src/module/a.ts":
      'import { a } from "../state/store.ts"; import type { b } from "./b.ts"; export { sha384 } from "@noble/hashes/sha2.js";',
    "src/module/b.ts": "export const b = 1;",
    "src/extension/web.ts": 'import * as vscode from "vscode";',
    "src/cli/main.ts": 'import { readFileSync } from "node:fs";',
  });
  expect(result).toEqual({ status: 0, output: "dependency rules: 5 files, 0 violations\n" });
});

it.each([
  ["a higher floor", "src/state/x.ts", 'import { a } from "../module/a.ts";', "state (floor 2) may not import module"],
  [
    "a type from a higher floor",
    "src/arch/x.ts",
    'let a: import("../state/a.ts").A;',
    "arch (floor 1) may not import state",
  ],
  [
    "the other room of the top floor",
    "src/cli/x.ts",
    'export * from "../extension/a.ts";',
    "cli (floor 9) may not import",
  ],
  ["the machine from the language", "src/language/x.ts", 'import "../module/a.ts";', "language may import arch only"],
  ["vscode below the extension", "src/adapter/x.ts", 'import "vscode";', "only the extension may import vscode"],
  ["a Node module", "src/debugger/x.ts", 'await import("node:fs");', "only the command line"],
  ["a Node module by its bare name", "src/extension/web.ts", 'import "path";', "only the command line"],
  ["something that is not shipped", "src/module/x.ts", 'import "../../test/helper.ts";', "not shipped code"],
  ["anything, from a room that does not exist", "src/other/x.ts", 'import "../arch/a.ts";', "other is no room"],
])("refuses %s, with file and line", (_what, file, text, reason) => {
  const result = check({ [file]: `// why\n${text}` });
  expect(result.status).toBe(1);
  expect(result.output).toContain(`${file}:2: `);
  expect(result.output).toContain(reason);
});
