// node scripts/bootstrap.mjs SCRIPT [ARGS…]: sets this machine up as far as needed, then runs a script of this folder.
// Works on any Node from 20, with nothing installed.
// @ts-check
import { spawn } from "node:child_process";
import { join } from "node:path";
import { bringNode, bringPackages, ROOT, withNode } from "./set-up.mjs";

const [script, ...args] = process.argv.slice(2);
if (!script) throw new Error("usage: node scripts/bootstrap.mjs SCRIPT [ARGS…]");
const node = bringNode();
process.env.PATH = withNode(node).PATH;
bringPackages();
const child = spawn(node, [join(ROOT, "scripts", script), ...args], { stdio: "inherit", cwd: ROOT });
// A terminal sends its signals to the child too; wait for it to clean up.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => signal === "SIGTERM" && child.kill(signal));
child.on("exit", (code, signal) => {
  process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
});
