/** A real VS Code served on loopback (code-server), with a profile of its own: nothing of the user's is read or written. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { bringCodeServer, bringNode24 } from "../set-up.mjs";

/** What makes a first start quiet: no welcome pages, no questions, no network. */
const SETTINGS = {
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
  "workbench.enableExperiments": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "security.workspace.trust.enabled": false,
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": false,
  "extensions.ignoreRecommendations": true,
  "chat.disableAIFeatures": true,
  "git.enabled": false,
  // At each breakpoint VS Code would put its own debug view in front of the trees.
  "debug.openDebug": "openOnFirstSessionStart",
  "window.confirmBeforeClose": "never",
};

export interface Server {
  /** Address of the workbench; append a query such as `folder=…`. */
  readonly url: string;
  readonly port: number;
  /** Settles when the server ends by itself or by `stop`. */
  readonly ended: Promise<void>;
  stop(): void;
}

/** @returns `preferred` if nothing listens there, otherwise any free port */
export async function freePort(preferred = 0): Promise<number> {
  const tryPort = (port: number): Promise<number> =>
    new Promise((done, fail) => {
      const probe = createServer();
      probe.once("error", fail);
      probe.listen(port, "127.0.0.1", () => {
        const address = probe.address();
        probe.close(() => done(typeof address === "object" && address ? address.port : port));
      });
    });
  return tryPort(preferred).catch(() => tryPort(0));
}

export class VsCodeServer {
  readonly #base: readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  readonly #node = bringNode24();
  readonly #entry = bringCodeServer();

  /**
   * @param folder where the profile lives; its settings are written once, and then the user's
   * @param settings beside the quiet defaults
   */
  constructor(folder: string, settings: Readonly<Record<string, unknown>> = {}) {
    const user = join(folder, "user");
    const home = join(folder, "home");
    for (const path of [join(user, "User"), join(folder, "extensions"), home]) mkdirSync(path, { recursive: true });
    const settingsFile = join(user, "User", "settings.json");
    if (!existsSync(settingsFile)) writeFileSync(settingsFile, JSON.stringify({ ...SETTINGS, ...settings }, null, 2));
    writeFileSync(join(folder, "config.yaml"), "auth: none\n");
    this.#base = [
      ...[this.#entry, "--config", join(folder, "config.yaml")],
      ...["--user-data-dir", user, "--extensions-dir", join(folder, "extensions")],
    ];
    this.#env = { ...process.env, HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home, EXTENSIONS_GALLERY: "{}" };
    // Set where this runs in a terminal of another code-server: it would open files there instead of starting.
    delete this.#env.VSCODE_IPC_HOOK_CLI;
    delete this.#env.PORT;
  }

  /** @throws Error with the output of the installation, if it fails */
  install(vsix: string): void {
    const args = [...this.#base, "--install-extension", vsix, "--force"];
    const { status, stdout, stderr } = spawnSync(this.#node, args, { env: this.#env, encoding: "utf8" });
    if (status !== 0) throw new Error(`the extension was not installed:\n${stdout}${stderr}`);
  }

  /**
   * @param options.log where the server's output goes
   * @param options.args further options of code-server
   * @throws Error if it does not answer within 30 s
   */
  async start(port: number, options: { log: string; args?: readonly string[] }): Promise<Server> {
    const child = spawn(
      this.#node,
      [
        ...this.#base,
        ...["--bind-addr", `127.0.0.1:${port}`, "--auth", "none", "--disable-telemetry", "--disable-update-check"],
        ...["--disable-workspace-trust", "--disable-getting-started-override", "--disable-proxy"],
        ...(options.args ?? []),
      ],
      { env: this.#env, stdio: ["ignore", "pipe", "pipe"], detached: true },
    );
    const log = createWriteStream(options.log);
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    const stop = (): void => killGroup(child);
    process.on("exit", stop);
    const url = `http://127.0.0.1:${port}/`;
    for (let tries = 0; !(await answers(`${url}healthz`)); tries++) {
      if (tries > 300 || child.exitCode !== null) {
        stop();
        throw new Error(`VS Code did not come up on ${url}; see ${options.log}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    return { url, port, ended, stop };
  }
}

/** The server forks; all of it is one process group. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null) return;
  try {
    process.kill(-child.pid, "SIGTERM");
  } catch {
    // It has ended by itself.
  }
}

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    (response) => response.ok,
    () => false,
  );
