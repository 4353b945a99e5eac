/** The debug adapter as other editors start it: on standard input and output, and on a local port. */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CommandLineUnderTest, commandLine, ROOT } from "./support.ts";
import { WireClient } from "./wire-client.ts";

let cli: CommandLineUnderTest;
beforeAll(async () => {
  cli = await commandLine();
}, 60_000);
afterAll(() => cli.remove());

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => child.on("exit", (code) => resolve(code)));

/** From the first request to the stop on entry, and away. */
async function talk(client: WireClient): Promise<void> {
  client.request("initialize", { adapterID: "tdxflow" });
  expect((await client.response("initialize")).body).toMatchObject({ supportsStepBack: true });
  client.request("launch", { program: join(ROOT, "scenarios/td-lifecycle.tdx"), stopOnEntry: true });
  await client.event("initialized");
  client.request("configurationDone");
  expect((await client.event("stopped")).body).toMatchObject({ reason: "entry" });
  client.request("disconnect");
  expect(await client.response("disconnect")).toMatchObject({ success: true });
}

test("on standard input and output, and it ends when the client leaves", async () => {
  const child = spawn(process.execPath, [cli.path, "dap"], { stdio: ["pipe", "pipe", "pipe"] });
  const end = ended(child);
  let errors = "";
  child.stderr.on("data", (text) => {
    errors += text;
  });
  await talk(new WireClient(child.stdout, child.stdin));
  expect(await end).toBe(0);
  expect(errors).toBe("");
});

test("ends when a client on standard input vanishes", async () => {
  const child = spawn(process.execPath, [cli.path, "dap"], { stdio: ["pipe", "pipe", "pipe"] });
  const end = ended(child);
  const client = new WireClient(child.stdout, child.stdin);
  client.request("initialize", { adapterID: "tdxflow" });
  await client.response("initialize");
  child.stdin.end();
  expect(await end).toBe(0);
});

test("on a port, for one client after the other, also after one that vanished", async () => {
  const child = spawn(process.execPath, [cli.path, "dap", "--port", "0"], { stdio: ["ignore", "pipe", "pipe"] });
  try {
    const port = await new Promise<number>((resolve) => {
      child.stderr.on("data", (text) => {
        const found = /listening on 127\.0\.0\.1:(\d+)/.exec(String(text));
        if (found) resolve(Number(found[1]));
      });
    });
    const rude = connect(port, "127.0.0.1");
    const rudeClient = new WireClient(rude, rude);
    rudeClient.request("initialize", { adapterID: "tdxflow" });
    await rudeClient.response("initialize");
    rude.resetAndDestroy();
    for (let i = 0; i < 2; i++) {
      const socket = connect(port, "127.0.0.1");
      const closed = new Promise((resolve) => socket.on("close", resolve));
      await talk(new WireClient(socket, socket));
      await closed;
    }
    expect(child.exitCode).toBeNull();
    expect(cli.run("dap", "--port", String(port))).toMatchObject({ code: 2, err: expect.stringContaining("in use") });
  } finally {
    child.kill();
  }
});

/** A flow that runs flat out, in a session that was just set going. */
async function runsFlatOut(client: WireClient): Promise<void> {
  const program = cli.file("endless.tdx", "let n = 0\nwhile n >= 0 { n += 1 }\n");
  client.request("initialize", { adapterID: "tdxflow", supportsProgressReporting: true });
  client.request("launch", { program, stopOnEntry: true, historyBudgetMB: 1 });
  await client.event("initialized");
  client.request("configurationDone");
  await client.event("stopped");
  client.request("continue", { threadId: 1 });
  await client.response("continue");
}

test("a client on standard input that vanishes while its flow runs leaves no process", async () => {
  const child = spawn(process.execPath, [cli.path, "dap"], { stdio: ["pipe", "pipe", "inherit"] });
  const end = ended(child);
  await runsFlatOut(new WireClient(child.stdout, child.stdin));
  child.stdin.destroy();
  child.stdout.destroy();
  expect(await end).toBe(0);
});

test("a client on a port that vanishes while its flow runs leaves no socket, and nothing that runs", async () => {
  const child = spawn(process.execPath, [cli.path, "dap", "--port", "0"], { stdio: ["ignore", "pipe", "pipe"] });
  try {
    const port = await new Promise<number>((resolve) => {
      child.stderr.on("data", (text) => resolve(Number(/:(\d+)/.exec(String(text))?.[1])));
    });
    const proc = `/proc/${child.pid}`;
    const sockets = (): number => readdirSync(`${proc}/fd`).length;
    // Fields 14 and 15 of proc(5)'s stat: ticks of 10 ms in user and system mode.
    const ticks = (): number => {
      const [utime, stime] = readFileSync(`${proc}/stat`, "utf8").split(") ")[1]?.split(" ").slice(11, 13) ?? [];
      return Number(utime) + Number(stime);
    };
    const before = sockets();
    for (const leave of ["resetAndDestroy", "destroy"] as const) {
      const socket = connect(port, "127.0.0.1");
      await runsFlatOut(new WireClient(socket, socket));
      expect(sockets()).toBe(before + 1);
      socket[leave]();
      await expect.poll(sockets, { timeout: 10_000 }).toBe(before);
    }
    const since = ticks();
    await new Promise((done) => setTimeout(done, 500));
    expect(ticks() - since).toBeLessThan(10);
  } finally {
    child.kill();
  }
});
