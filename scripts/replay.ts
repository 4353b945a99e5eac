/**
 * Replays logs with the sources as they are now, for whoever writes a leaf: bundles nothing but the replay, and shows the
 * operations before the first difference.
 *
 *     node scripts/replay.ts [OPTIONS OF tdxflow replay] LOG…
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle } from "./lib/bundle.ts";

const folder = mkdtempSync(join(tmpdir(), "tdxflow-replay-"));
const entry = `
  import { replayCommand } from "./src/cli/replay.ts";
  import { serveReplay } from "./src/cli/replay-pool.ts";
  if (!serveReplay()) process.exitCode = await replayCommand.run(process.argv.slice(2));
`;
try {
  const file = join(folder, "replay.mjs");
  await bundle({ entry: { text: entry }, file, platform: "node", format: "esm", sourcemap: true });
  const args = ["--enable-source-maps", file, "--context", "3", ...process.argv.slice(2)];
  process.exitCode = spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1;
} finally {
  rmSync(folder, { recursive: true });
}
