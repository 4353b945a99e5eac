/** A client that talks to an adapter in the same process: requests are promises, events are kept in the order they came. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { DebugProtocol } from "@vscode/debugprotocol";
import type { AdapterHost } from "../../src/adapter/host.ts";
import { TdxDebugSession } from "../../src/adapter/session.ts";

export const ROOT = resolve(import.meta.dirname, "../..");

/** A host whose files are these, and behind them those of the project. */
export function hostOf(files: Readonly<Record<string, string>>): AdapterHost {
  return {
    shippedRoot: ROOT,
    readFile: async (path) => files[path] ?? (await readFile(path, "utf8")),
  };
}

export class Client {
  readonly session: TdxDebugSession;
  readonly events: DebugProtocol.Event[] = [];
  private readonly waiting = new Map<number, (response: DebugProtocol.Response) => void>();
  private readonly listeners: (() => void)[] = [];
  private seq = 1;
  private taken = 0;

  constructor(files: Readonly<Record<string, string>>) {
    this.session = new TdxDebugSession(hostOf(files));
    this.session.onDidSendMessage((message) => this.receive(JSON.parse(JSON.stringify(message))));
  }

  private receive(message: DebugProtocol.ProtocolMessage): void {
    if (message.type === "response") {
      const response = message as DebugProtocol.Response;
      this.waiting.get(response.request_seq)?.(response);
    } else {
      this.events.push(message as DebugProtocol.Event);
      for (const listener of this.listeners.splice(0)) listener();
    }
  }

  /** The response, also when it says that the request failed. */
  ask(command: string, args?: object): Promise<DebugProtocol.Response> {
    const seq = this.seq++;
    return new Promise((done) => {
      this.waiting.set(seq, done);
      this.session.handleMessage({
        type: "request",
        seq,
        command,
        ...(args && { arguments: args }),
      } as DebugProtocol.Request);
    });
  }

  // biome-ignore lint/suspicious/noExplicitAny: bodies are what a test says they are
  async request(command: string, args?: object): Promise<any> {
    const response = await this.ask(command, args);
    if (!response.success) throw new Error(`${command}: ${response.message}`);
    return response.body;
  }

  /** The next event of that name that was not waited for yet; those before it are passed. */
  async event(name: string): Promise<DebugProtocol.Event> {
    for (;;) {
      const index = this.events.findIndex((event, at) => at >= this.taken && event.event === name);
      if (index >= 0) {
        this.taken = index + 1;
        return this.events[index] as DebugProtocol.Event;
      }
      await new Promise<void>((done) => this.listeners.push(done));
    }
  }

  /** Launches a flow and configures it; resolves at the first stop or at the end. */
  async launch(
    program: string,
    options: {
      readonly lines?: readonly object[];
      readonly functions?: readonly object[];
      readonly filters?: readonly string[];
      readonly filterOptions?: readonly object[];
      readonly launch?: object;
      readonly clientID?: string;
    } = {},
  ): Promise<void> {
    await this.request("initialize", {
      adapterID: "tdxflow",
      pathFormat: "path",
      clientID: options.clientID ?? "test",
    });
    await this.request("launch", { program, stopOnEntry: true, ...options.launch });
    await this.event("initialized");
    if (options.lines) await this.request("setBreakpoints", { source: { path: program }, breakpoints: options.lines });
    await this.request("setFunctionBreakpoints", { breakpoints: options.functions ?? [] });
    await this.request("setExceptionBreakpoints", {
      filters: options.filters ?? ["flow-error", "expect"],
      filterOptions: options.filterOptions ?? [],
    });
    await this.request("configurationDone");
  }

  /** Sends a command that moves the session, and waits for the stop. */
  async move(
    command: string,
    args: object = {},
  ): Promise<{ reason: string; place: string } & DebugProtocol.StoppedEvent["body"]> {
    await this.request(command, { threadId: this.thread, ...args });
    return this.stop();
  }

  async stop(): Promise<{ reason: string; place: string } & DebugProtocol.StoppedEvent["body"]> {
    const event = await this.event("stopped");
    return { ...event.body, place: await this.place() };
  }

  /** The innermost frame as "file:line". */
  async place(): Promise<string> {
    const [frame] = await this.stack();
    return frame ? `${frame.source?.name}:${frame.line}` : "nowhere";
  }

  /** Frames of a thread: by default that of the last stop. */
  async stack(threadId = this.thread): Promise<DebugProtocol.StackFrame[]> {
    return (await this.request("stackTrace", { threadId })).stackFrames;
  }

  private get thread(): number {
    return this.events.findLast(({ event }) => event === "stopped")?.body.threadId ?? 1;
  }

  /** Variables of a scope of the innermost frame, by name. */
  async scope(name: string): Promise<Record<string, DebugProtocol.Variable>> {
    const [frame] = await this.stack();
    const { scopes } = await this.request("scopes", { frameId: frame?.id });
    const scope = (scopes as DebugProtocol.Scope[]).find((candidate) => candidate.name === name);
    if (!scope) throw new Error(`no scope ${name} among ${(scopes as DebugProtocol.Scope[]).map((s) => s.name)}`);
    const { variables } = await this.request("variables", { variablesReference: scope.variablesReference });
    return Object.fromEntries((variables as DebugProtocol.Variable[]).map((variable) => [variable.name, variable]));
  }

  output(category: string): string {
    return this.events
      .filter((event) => event.event === "output" && event.body.category === category)
      .map((event) => event.body.output)
      .join("");
  }
}
