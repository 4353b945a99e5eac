/**
 * One debug session as a client sees it: requests of the Debug Adapter Protocol in, responses and events out. It translates
 * and keeps order, and leaves everything else to the debugger.
 */
import { DebugSession, Event, Response } from "@vscode/debugadapter";
import type { DebugProtocol } from "@vscode/debugprotocol";
import { CAPABILITIES } from "./capabilities.ts";
import { Debugging } from "./debugging.ts";
import type { AdapterHost } from "./host.ts";
import { RequestError } from "./request-error.ts";
import { type Answer, requestHandlers } from "./requests.ts";

export class TdxDebugSession extends DebugSession {
  private readonly debugging: Debugging;
  private readonly handlers: ReadonlyMap<string, (args: Readonly<Record<string, unknown>>) => Answer | Promise<Answer>>;
  private readonly onDisconnect: (() => void) | undefined;
  /** Requests that are being answered, by number: true once they were cancelled. */
  private readonly open = new Map<number, boolean>();
  /** The request that moves the session, or did so last. */
  private mover = -1;

  /** @param onDisconnect called once the client has left: a server then closes the connection */
  constructor(host: AdapterHost, onDisconnect?: () => void) {
    super();
    this.setDebuggerLinesStartAt1(true);
    this.setDebuggerColumnsStartAt1(true);
    this.onDisconnect = onDisconnect;
    this.debugging = new Debugging(host, (event, body) => this.sendEvent(new Event(event, body)));
    this.handlers = requestHandlers(this.debugging);
    // A message that is no message is dropped; only a transport that fails ends the session.
    this.removeAllListeners("error");
    this.on("error", (event: DebugProtocol.Event) => {
      if (/^(in|out)Stream/.test(String(event.body))) this.shutdown();
      else this.sendEvent(new Event("output", { category: "stderr", output: `dropped a message: ${event.body}\n` }));
    });
  }

  /** Whatever a client sends: nothing in it may break the session. */
  override handleMessage(message: DebugProtocol.ProtocolMessage): void {
    if (typeof message !== "object" || message === null || Array.isArray(message)) return;
    super.handleMessage(message);
  }

  protected override dispatchRequest(request: DebugProtocol.Request): void {
    void this.answer(request);
  }

  /** Only the client decides when it is over, also where the transport has closed: the program around this one ends itself. */
  override shutdown(): void {
    this.debugging.end();
    this.onDisconnect?.();
  }

  private async answer(request: DebugProtocol.Request): Promise<void> {
    const response: DebugProtocol.Response = new Response(request);
    let after: (() => void) | undefined;
    try {
      const { command, arguments: args } = request;
      if (typeof command !== "string") throw new RequestError("a request needs a command");
      if (typeof (args ?? {}) !== "object" || Array.isArray(args))
        throw new RequestError("arguments have to be an object");
      this.open.set(request.seq, false);
      if (command === "cancel") this.cancel((args ?? {}) as DebugProtocol.CancelArguments);
      else if (command === "initialize") {
        this.debugging.client.initialize((args ?? {}) as DebugProtocol.InitializeRequestArguments);
        response.body = CAPABILITIES;
      } else {
        const handler = this.handlers.get(command);
        if (handler === undefined) throw new RequestError(`unknown request "${command}"`);
        const answer = await handler((args ?? {}) as Record<string, unknown>);
        if (answer.body !== undefined) response.body = answer.body;
        after = answer.after;
        if (after && this.debugging.isMoving) this.mover = request.seq;
      }
      // What has set the session going has been done, and what asks only to look can be dropped.
      if (this.open.get(request.seq) && after === undefined) throw new RequestError("cancelled");
    } catch (error) {
      this.refuse(response, error);
      return;
    } finally {
      this.open.delete(request.seq);
    }
    this.sendResponse(response);
    after?.();
    if (request.command === "disconnect") this.shutdown();
  }

  /** Stops what a request, or what is shown as progress, takes long for. What is over already stays as it is. */
  private cancel({ requestId, progressId }: DebugProtocol.CancelArguments): void {
    if (requestId !== undefined && this.open.has(requestId)) this.open.set(requestId, true);
    const isMover = requestId !== undefined && requestId === this.mover;
    if (!isMover && !this.debugging.client.progress.isOpen(String(progressId ?? ""))) return;
    if (this.debugging.isMoving) this.debugging.pause();
  }

  private refuse(response: DebugProtocol.Response, error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    response.success = false;
    response.message = text;
    // An error that is not the client's is a defect of this program: then it shows where.
    const isOurs = !(error instanceof RequestError);
    const detail = isOurs && error instanceof Error && error.stack ? error.stack : text;
    response.body = {
      error: {
        id: isOurs ? 2 : 1,
        format: (isOurs ? detail : text).replace(/[{}]/g, (brace) => (brace === "{" ? "(" : ")")),
        showUser: error instanceof RequestError && error.showUser,
      },
    };
    this.sendResponse(response);
  }
}
