import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserServer, chromium } from "playwright-core";
import type { TestProject } from "vitest/node";
import { packageExtension } from "../../../scripts/lib/package.ts";
import { freePort, VsCodeServer } from "../../../scripts/lib/vscode-server.ts";
import { bringChromium, ROOT } from "../../../scripts/set-up.mjs";

declare module "vitest" {
  export interface ProvidedContext {
    /** Where Playwright reaches the browser. */
    browser: string;
    /** Served VS Code with the packed extension installed, as users have it. */
    installed: string;
    /** Served VS Code without it, which loads the extension from the project and runs tests inside its extension host. */
    development: string;
    /** A copy of the flows that the tests may change. */
    workspace: string;
    /** Where screenshots and logs go. */
    output: string;
  }
}

/** Nothing may leave the machine, and headless Chromium as root needs no sandbox. */
const CHROMIUM_ARGS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  ...["--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
];

/** One VS Code of each kind and one browser for all editor tests. */
export default async function setUp({ provide }: TestProject): Promise<() => Promise<void>> {
  const executablePath = bringChromium();
  if (!executablePath) throw new Error("the editor tests need Chromium; CHROMIUM=path names one");
  const vsix = await packageExtension();
  const root = mkdtempSync(join(tmpdir(), "tdxflow-e2e-"));
  const output = join(ROOT, "test-output");
  mkdirSync(output, { recursive: true });
  const workspace = join(root, "workspace");
  for (const flows of ["scenarios", "test/e2e/flows"])
    if (existsSync(join(ROOT, flows))) cpSync(join(ROOT, flows), workspace, { recursive: true });

  const settings = {
    "workbench.colorTheme": "Default Dark Modern",
    "editor.minimap.enabled": false,
    "editor.accessibilitySupport": "off",
    "debug.internalConsoleOptions": "neverOpen",
    "files.simpleDialog.enable": true,
  };
  const installed = new VsCodeServer(join(root, "installed"), settings);
  installed.install(vsix);
  const development = new VsCodeServer(join(root, "development"), settings);
  const servers = [
    await installed.start(await freePort(), { log: join(output, "installed.log") }),
    await development.start(await freePort(), {
      log: join(output, "development.log"),
      // Without it VS Code ignores the query that names the extension and its tests.
      args: ["--vscode-option", "enable-smoke-test-driver"],
    }),
  ] as const;
  const browser: BrowserServer = await chromium.launchServer({ executablePath, args: CHROMIUM_ARGS });
  provide("browser", browser.wsEndpoint());
  provide("installed", servers[0].url);
  provide("development", servers[1].url);
  provide("workspace", workspace);
  provide("output", output);
  return async () => {
    await browser.close();
    for (const server of servers) server.stop();
    await Promise.all(servers.map(({ ended }) => ended));
    rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  };
}
