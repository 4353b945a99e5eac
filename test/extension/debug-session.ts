import * as vscode from "vscode";
import {
  INSPECT_REQUEST,
  type InspectNode,
  type InspectResponse,
  type InspectViewName,
} from "../../src/adapter/inspect-protocol.ts";
import { check, withTimeout } from "./harness.ts";

interface Message {
  readonly type: string;
  readonly event?: string;
  readonly body?: Record<string, unknown>;
  readonly success?: boolean;
  readonly command?: string;
}

const TIMEOUT_MS = 10_000;

/** A debug session of VS Code, with what its adapter sent. Make it before the session starts. */
export class DebugSession implements vscode.Disposable {
  readonly #messages: Message[] = [];
  /** Requests that the adapter refused: VS Code passes on less than it said. */
  readonly refusals: string[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #subscriptions: vscode.Disposable[];
  /** How many messages have been waited past. */
  #seen = 0;
  #session: vscode.DebugSession | undefined;
  /** Settles when the session is no more: only then may the next one start, since VS Code keeps it active until then. */
  readonly #gone: Promise<void>;

  constructor() {
    let gone: () => void;
    this.#gone = new Promise((resolve) => {
      gone = resolve;
    });
    this.#subscriptions = [
      vscode.debug.onDidTerminateDebugSession((session) => session.id === this.#session?.id && gone()),
      vscode.debug.registerDebugAdapterTrackerFactory("tdxflow", {
        createDebugAdapterTracker: (session) => {
          this.#session = session;
          return { onDidSendMessage: (message: Message) => this.#receive(message) };
        },
      }),
    ];
  }

  #receive(message: Message): void {
    this.#messages.push(message);
    if (message.type === "response" && !message.success) this.refusals.push(JSON.stringify(message));
    for (const wake of [...this.#waiting]) wake();
  }

  /** Starts it as F5 does when there is no launch.json. */
  async start(config: Partial<vscode.DebugConfiguration> = {}, folder?: vscode.WorkspaceFolder): Promise<boolean> {
    return vscode.debug.startDebugging(folder, config as vscode.DebugConfiguration);
  }

  get session(): vscode.DebugSession {
    check(this.#session, "no session has started");
    return this.#session;
  }

  /** The next event of that name, counted from the last one waited for. */
  async event(
    name: string,
    match: (body: Record<string, unknown>) => boolean = () => true,
  ): Promise<Record<string, unknown>> {
    const look = (): Record<string, unknown> | undefined => {
      for (let at = this.#seen; at < this.#messages.length; at++) {
        const { type, event, body = {} } = this.#messages[at]!;
        if (type === "event" && event === name && match(body)) {
          this.#seen = at + 1;
          return body;
        }
      }
      return undefined;
    };
    const found = new Promise<Record<string, unknown>>((resolve) => {
      const wake = (): void => {
        const body = look();
        if (!body) return;
        this.#waiting.delete(wake);
        resolve(body);
      };
      this.#waiting.add(wake);
      wake();
    });
    return withTimeout(found, TIMEOUT_MS, `no event "${name}"; there were ${this.events().join(" ") || "none"}`);
  }

  /** Names of all events so far. */
  events(): string[] {
    return this.#messages.flatMap(({ type, event }) => (type === "event" && event ? [event] : []));
  }

  /** Sends a request that moves the flow, and waits for the stop that ends it. */
  async move(command: string): Promise<Record<string, unknown>> {
    const [stop] = await Promise.all([
      this.event("stopped"),
      this.session.customRequest(command, { threadId: await this.thread() }),
    ]);
    return stop;
  }

  async thread(): Promise<number> {
    const { threads } = await this.session.customRequest("threads");
    return threads[0].id;
  }

  /** The stack, innermost first. */
  async stack(): Promise<{ name: string; line: number; source?: { path?: string; name?: string } }[]> {
    const { stackFrames } = await this.session.customRequest("stackTrace", { threadId: await this.thread() });
    return stackFrames;
  }

  async inspect(view: InspectViewName, node?: string): Promise<InspectResponse> {
    return this.session.customRequest(INSPECT_REQUEST, { view, node });
  }

  /** A whole view, opened to its leaves; a line each: indented label and description. */
  async tree(view: InspectViewName): Promise<string[]> {
    const lines: string[] = [];
    const visit = async (nodes: readonly InspectNode[], indent: string): Promise<void> => {
      for (const { id, label, description, collapsible } of nodes) {
        lines.push(`${indent}${label}${description ? ` ${description}` : ""}`);
        if (collapsible) await visit((await this.inspect(view, id)).nodes, `${indent}  `);
      }
    };
    await visit((await this.inspect(view)).nodes, "");
    return lines;
  }

  /** Ends the session, if it has not ended by itself. */
  async stop(): Promise<void> {
    if (!this.#session) return;
    await vscode.debug.stopDebugging(this.#session);
    await withTimeout(this.#gone, TIMEOUT_MS, "the session did not end");
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }
}
