/**
 * Opens VS Code with the extension on sample flows, or on a folder of yours: the desktop's if `code` is on the PATH,
 * otherwise one served to your browser on loopback.
 *
 *     npm start [-- [--served] [--port N] [FOLDER]]
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildBundles } from "./lib/build.ts";
import { packageExtension } from "./lib/package.ts";
import { freePort, VsCodeServer } from "./lib/vscode-server.ts";
import { findOnPath, ROOT, TOOLS } from "./set-up.mjs";

const SAMPLE = "td-lifecycle.tdx";
const PORT = 8423;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { served: { type: "boolean", default: false }, port: { type: "string" } },
});
const folder = resolve(process.env.INIT_CWD ?? ".", positionals[0] ?? join(ROOT, "scenarios"));
const sample = existsSync(join(folder, SAMPLE)) ? join(folder, SAMPLE) : undefined;
if (!existsSync(folder)) {
  console.error(`${folder} does not exist`);
  process.exit(2);
}

// In a terminal of a served VS Code, `code` opens files there and cannot load an extension that is being developed.
const desktop = options.served || process.env.VSCODE_IPC_HOOK_CLI ? undefined : findOnPath("code");
if (desktop) {
  await buildBundles();
  console.log(`opening ${desktop} with the extension on ${folder}`);
  const args = [`--extensionDevelopmentPath=${ROOT}`, folder, ...(sample ? [sample] : [])];
  spawn(desktop, args, { stdio: "inherit", shell: process.platform === "win32" }).on("exit", (code) => {
    process.exitCode = code ?? 1;
  });
} else await serve();

async function serve(): Promise<void> {
  const vsix = await packageExtension();
  const profile = join(TOOLS, "profile");
  mkdirSync(profile, { recursive: true });
  const vscode = new VsCodeServer(profile);
  vscode.install(vsix);
  const server = await vscode.start(await freePort(Number(options.port ?? PORT)), { log: join(profile, "server.log") });
  const query = new URLSearchParams({ folder });
  if (sample) query.set("payload", JSON.stringify([["openFile", `vscode-remote://127.0.0.1:${server.port}${sample}`]]));
  console.log(`\n  TDX Flow Debugger: ${server.url}?${query}\n`);
  console.log("  Open this address in a browser on this machine, then press F5. Ctrl+C here stops it.\n");
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      server.stop();
      console.log("stopped");
      process.exit(0);
    });
  }
  await server.ended;
  console.error(`VS Code ended by itself; see ${join(profile, "server.log")}`);
  process.exitCode = 1;
}
