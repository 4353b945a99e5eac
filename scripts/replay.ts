/**
 * Replays logs with the sources as they are now, for whoever writes a leaf: bundles nothing but the replay, and shows the
 * operations before the first difference.
 *
 *     node scripts/replay.ts [OPTIONS OF tdxflow replay] LOG…
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { leafTransformEsbuild } from "./leaf-transform.ts";

const root = resolve(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "tdxflow-replay-"));
const entry = `
  import { replayCommand } from "./src/cli/replay.ts";
  import { serveReplay } from "./src/cli/replay-pool.ts";
  if (!serveReplay()) process.exitCode = await replayCommand.run(process.argv.slice(2));
`;
try {
  const outfile = join(folder, "replay.mjs");
  await build({
    stdin: { contents: entry, resolveDir: root, loader: "ts" },
    absWorkingDir: root,
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    sourcemap: "inline",
    plugins: [leafTransformEsbuild()],
    logLevel: "error",
  });
  const args = ["--enable-source-maps", outfile, "--context", "3", ...process.argv.slice(2)];
  process.exitCode = spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1;
} finally {
  rmSync(folder, { recursive: true });
}
