/** The adapter as it ships, in a process of its own, driven by the reference client library: on standard streams and on TCP. */
import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";
import { DebugClient } from "@vscode/debugadapter-testsupport";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type CommandLineUnderTest, commandLine } from "../cli/support.ts";

let cli: CommandLineUnderTest;
let adapter: string;

beforeAll(async () => {
  cli = await commandLine();
  // The client library passes no arguments to an adapter.
  adapter = flow("dap.mjs", 'process.argv.splice(2, 9, "dap");\nawait import("./tdxflow.mjs");\n');
}, 60_000);
afterAll(() => cli.remove());

function flow(name: string, text: string): string {
  return cli.file(name, text);
}

/** A server on a free port. */
async function serve(): Promise<{ port: number; server: ChildProcess }> {
  const server = spawn(process.execPath, [cli.path, "dap", "--port", "0"]);
  const port = await new Promise<number>((done, failed) => {
    let text = "";
    server.stderr.on("data", (data) => {
      text += data;
      const match = /127\.0\.0\.1:(\d+)/.exec(text);
      if (match) done(Number(match[1]));
    });
    server.on("exit", () => failed(new Error(`the server ended: ${text}`)));
  });
  return { port, server };
}

describe.each(["standard streams", "TCP"])("over %s", (transport) => {
  let client: DebugClient;
  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    client = new DebugClient("node", adapter, "tdxflow");
    if (transport === "TCP") {
      const served = await serve();
      server = served.server;
      await client.start(served.port);
    } else await client.start();
  }
  afterEach(async () => {
    await client.stop();
    server?.kill();
    server = undefined;
  });

  it("stops at a line, steps both ways, and runs to the end", async () => {
    await start();
    const program = flow("lines.tdx", 'let a = 1\nlet b = a + 1\nlet c = b + 1\nlog "{c}"\n');
    await client.hitBreakpoint({ program }, { path: program, line: 3 });
    const stepped = client.waitForEvent("stopped");
    await client.stepBackRequest({ threadId: 1 });
    await stepped;
    const { stackFrames } = (await client.stackTraceRequest({ threadId: 1 })).body;
    expect(stackFrames[0]?.line).toBe(2);
    const value = await client.evaluateRequest({ expression: "a + 1", frameId: stackFrames[0]!.id });
    expect(value.body.result).toBe("2");
    await client.setBreakpointsRequest({ source: { path: program }, breakpoints: [] });
    const output = client.waitForEvent("output");
    const ended = client.waitForEvent("terminated");
    await client.continueRequest({ threadId: 1 });
    expect((await output).body.output).toBe("3\n");
    await ended;
  });

  it("says where a flow is wrong", async () => {
    await start();
    const program = flow("wrong.tdx", "let a = 1\nTDH.MEM.PAGE.AD(gpa: 0)\n");
    await client.initializeRequest();
    await expect(client.launchRequest({ program } as object)).rejects.toThrow(
      /wrong\.tdx:2:1: error: .*TDH\.MEM\.PAGE\.ADD/,
    );
  });

  it("pauses and ends an endless loop", async () => {
    await start();
    const program = flow("endless.tdx", "let n = 0\nwhile true {\n  n += 1\n}\n");
    await Promise.all([client.configurationSequence(), client.launch({ program })]);
    await new Promise((done) => setTimeout(done, 200));
    const stopped = client.waitForEvent("stopped");
    const asked = performance.now();
    await client.pauseRequest({ threadId: 1 });
    expect((await stopped).body.reason).toBe("pause");
    expect(performance.now() - asked).toBeLessThan(1000);
    await client.continueRequest({ threadId: 1 });
    const ended = client.waitForEvent("terminated");
    await client.terminateRequest();
    await ended;
  });
});

it("a client that vanishes leaves the server serving others", async () => {
  const { port, server } = await serve();
  try {
    const program = flow("endless2.tdx", "while true { }\n");
    await new Promise<void>((done) => {
      const socket = connect(port, "127.0.0.1", () => {
        const send = (command: string, args: object, seq: number): void => {
          const text = JSON.stringify({ type: "request", seq, command, arguments: args });
          socket.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
        };
        send("initialize", { adapterID: "x" }, 1);
        send("launch", { program }, 2);
        socket.on("data", (data) => {
          if (!String(data).includes("initialized")) return;
          send("configurationDone", {}, 3);
          setTimeout(() => {
            socket.destroy();
            done();
          }, 100);
        });
      });
    });
    const client = new DebugClient("node", adapter, "tdxflow");
    await client.start(port);
    const next = flow("next.tdx", 'log "still here"\n');
    const output = client.waitForEvent("output");
    await Promise.all([client.configurationSequence(), client.launch({ program: next })]);
    expect((await output).body.output).toBe("still here\n");
    await client.stop();
  } finally {
    server.kill();
  }
});

it("sessions that run at the same time on one server do not keep it from hearing", async () => {
  const { port, server } = await serve();
  try {
    const program = flow("endless3.tdx", "let n = 0\nwhile true { n += 1 }\n");
    const clients = await Promise.all(
      [1, 2, 3].map(async () => {
        const client = new DebugClient("node", adapter, "tdxflow");
        await client.start(port);
        await Promise.all([client.configurationSequence(), client.launch({ program })]);
        return client;
      }),
    );
    for (const client of clients) {
      const stopped = client.waitForEvent("stopped");
      await client.pauseRequest({ threadId: 1 });
      expect((await stopped).body.reason).toBe("pause");
    }
    await Promise.all(clients.map((client) => client.stop()));
  } finally {
    server.kill();
  }
});
