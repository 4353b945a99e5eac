import { resolve } from "node:path";
import { build } from "esbuild";
import { inject } from "vitest";
import { ROOT } from "../../../scripts/set-up.mjs";
import { type HostResult, REPORT_MARK, withTimeout } from "../../extension/harness.ts";
import { Workbench } from "./workbench.ts";

const TIMEOUT_MS = 150_000;

/**
 * Runs `test/extension` inside the extension host of a VS Code that loads the extension from this project.
 *
 * @returns how each test ended
 * @throws Error if the run as a whole did not come to its end
 */
export async function runInExtensionHost(): Promise<HostResult[]> {
  const bundle = resolve(ROOT, "dist", "test", "extension-tests.cjs");
  await build({
    entryPoints: [resolve(ROOT, "test", "extension", "index.ts")],
    outfile: bundle,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node22",
    external: ["vscode"],
    logLevel: "warning",
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
        ["extensionDevelopmentPath", uri(ROOT)],
        ["extensionTestsPath", uri(bundle)],
        ["skipWelcome", "true"],
      ]),
    },
    async (page) => {
      await page.exposeFunction("codeAutomationExit", done);
      await page.exposeFunction("codeAutomationLog", (_type: string, args: unknown[]) => {
        for (const text of args) {
          if (typeof text === "string" && text.startsWith(REPORT_MARK))
            results.push(JSON.parse(text.slice(REPORT_MARK.length)));
        }
      });
    },
  );
  try {
    const code = await withTimeout(exit, TIMEOUT_MS, "the extension host's tests did not end");
    if (code !== 0) throw new Error(`the extension host's tests ended with ${code}`);
  } finally {
    await workbench.screenshot("extension-host");
    await workbench.close();
  }
  return results;
}
