import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";
import { bundle } from "../../../scripts/lib/bundle.ts";
import { ROOT } from "../../../scripts/set-up.mjs";
import { type HostResult, REPORT_MARK, withTimeout } from "../../extension/harness.ts";
import { Workbench } from "./workbench.ts";

const TIMEOUT_MS = 150_000;

/** Where the extension runs: on the server's Node, or in a worker of the browser, as in VS Code for the Web. */
export type Host = "node" | "browser";

/**
 * Runs `test/extension` inside the extension host of a VS Code that loads the extension from this project.
 *
 * @returns how each test ended
 * @throws Error if the run as a whole did not come to its end
 */
export async function runInExtensionHost(host: Host): Promise<HostResult[]> {
  const extension = host === "node" ? ROOT : browserExtension();
  // VS Code runs the tests in the host of the extension in whose folder they lie.
  const tests = join(extension, "dist", "test", "extension-tests.cjs");
  await bundle({
    entry: "test/extension/index.ts",
    file: tests,
    platform: host,
    format: "cjs",
    external: ["vscode"],
    define: { EXTENSION_HOST: JSON.stringify(host) },
  });
  const results: HostResult[] = [];
  let done: (code: number) => void = () => undefined;
  const exit = new Promise<number>((resolve) => {
    done = resolve;
  });
  const url = inject("development");
  const uri = (path: string): string => `vscode-remote://${new URL(url).host}${path}`;
  const workbench = await Workbench.open(
    url,
    {
      payload: JSON.stringify([
        ["extensionDevelopmentPath", uri(extension)],
        ["extensionTestsPath", uri(tests)],
        ["skipWelcome", "true"],
      ]),
    },
    async (page) => {
      await page.exposeFunction("codeAutomationExit", done);
      await page.exposeFunction("codeAutomationLog", (_type: string, args: unknown[]) => {
        for (const text of args) {
          if (typeof text !== "string" || !text.startsWith(REPORT_MARK)) continue;
          results.push(JSON.parse(text.slice(REPORT_MARK.length)));
        }
      });
    },
  );
  try {
    const code = await withTimeout(exit, TIMEOUT_MS, "the extension host's tests did not end");
    if (code !== 0) throw new Error(`the extension host's tests ended with ${code}`);
  } finally {
    writeFileSync(join(inject("output"), `extension-host-${host}.json`), JSON.stringify(results, null, 1));
    await workbench.screenshot(`extension-host-${host}`);
    await workbench.close();
  }
  return results;
}

/** A copy of the extension without its Node entry: VS Code has to run it in the browser then. @returns its folder */
function browserExtension(): string {
  const folder = join(ROOT, "dist", "test", "web-extension");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { main: _node, ...manifest } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  for (const name of ["dist/web", "media", "flows", "scenarios", "src/module"]) {
    if (existsSync(join(ROOT, name))) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  }
  return folder;
}
