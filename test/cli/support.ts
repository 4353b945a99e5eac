/** The command line as it ships: bundled, in a process of its own. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { bundle } from "../../scripts/lib/bundle.ts";

export const ROOT = resolve(import.meta.dirname, "../..");

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface CommandLineUnderTest {
  /** The bundle. */
  readonly path: string;
  /** Runs `tdxflow` with these arguments in the project's folder. */
  run(...args: string[]): Ended;
  /** Writes a file into a temporary folder and returns its path. */
  file(name: string, content: string | Uint8Array): string;
  remove(): void;
}

export async function commandLine(): Promise<CommandLineUnderTest> {
  // Below the project, so that the command finds the shipped flows as it does when it is installed.
  mkdirSync(join(ROOT, "dist"), { recursive: true });
  const folder = mkdtempSync(join(ROOT, "dist", "test-cli-"));
  const outfile = join(folder, "tdxflow.mjs");
  await bundle({ entry: "src/cli/main.ts", file: outfile, platform: "node", format: "esm" });
  return {
    path: outfile,
    run: (...args) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [outfile, ...args], {
        cwd: ROOT,
        encoding: "utf8",
      });
      return { code: status, out: stdout, err: stderr };
    },
    file: (name, content) => {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
