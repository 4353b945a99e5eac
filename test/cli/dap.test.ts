/** The debug adapter as other editors start it: on standard input and output, and on a local port. */
import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CommandLineUnderTest, commandLine, ROOT } from "./support.ts";

let cli: CommandLineUnderTest;
beforeAll(async () => {
  cli = await commandLine();
}, 60_000);
afterAll(() => cli.remove());

interface Message {
  readonly type: string;
  readonly command?: string;
  readonly event?: string;
  readonly success?: boolean;
  readonly body?: Record<string, unknown>;
}

/** The least of a client: sends requests, and waits for messages. */
class Client {
  private readonly output: Writable;
  private text = "";
  private readonly messages: Message[] = [];
  private readonly waiting: (() => void)[] = [];
  private seq = 0;

  constructor(input: Readable, output: Writable) {
    this.output = output;
    input.setEncoding("latin1");
    input.on("data", (text: string) => this.take(text));
  }

  request(command: string, args: object = {}): void {
    const body = JSON.stringify({ seq: ++this.seq, type: "request", command, arguments: args });
    this.output.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  async wait(fits: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.messages.find(fits);
      if (found) return found;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  response(command: string): Promise<Message> {
    return this.wait((message) => message.type === "response" && message.command === command);
  }

  event(event: string): Promise<Message> {
    return this.wait((message) => message.event === event);
  }

  private take(text: string): void {
    this.text += text;
    for (let head = /^Content-Length: (\d+)\r\n\r\n/.exec(this.text); head; ) {
      const end = head[0].length + Number(head[1]);
      if (this.text.length < end) return;
      this.messages.push(JSON.parse(this.text.slice(head[0].length, end)));
      this.text = this.text.slice(end);
      for (const resolve of this.waiting.splice(0)) resolve();
      head = /^Content-Length: (\d+)\r\n\r\n/.exec(this.text);
    }
  }
}

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => child.on("exit", (code) => resolve(code)));

/** From the first request to the stop on entry, and away. */
async function talk(client: Client): Promise<void> {
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
  await talk(new Client(child.stdout, child.stdin));
  expect(await end).toBe(0);
  expect(errors).toBe("");
});

test("ends when a client on standard input vanishes", async () => {
  const child = spawn(process.execPath, [cli.path, "dap"], { stdio: ["pipe", "pipe", "pipe"] });
  const end = ended(child);
  const client = new Client(child.stdout, child.stdin);
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
    const rudeClient = new Client(rude, rude);
    rudeClient.request("initialize", { adapterID: "tdxflow" });
    await rudeClient.response("initialize");
    rude.resetAndDestroy();
    for (let i = 0; i < 2; i++) {
      const socket = connect(port, "127.0.0.1");
      const closed = new Promise((resolve) => socket.on("close", resolve));
      await talk(new Client(socket, socket));
      await closed;
    }
    expect(child.exitCode).toBeNull();
    expect(cli.run("dap", "--port", String(port))).toMatchObject({ code: 2, err: expect.stringContaining("in use") });
  } finally {
    child.kill();
  }
});
