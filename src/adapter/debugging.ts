/** What the requests do: it drives a debugger session and tells the client what happens. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import type { BreakpointRequest } from "../debugger/breakpoints.ts";
import { EXCEPTION_FILTERS } from "../debugger/exceptions.ts";
import type { Command, Granularity } from "../debugger/goals.ts";
import { leafPath } from "../debugger/leaf-sources.ts";
import { Session } from "../debugger/session.ts";
import type { StackFrame } from "../debugger/stack.ts";
import type { Stop } from "../debugger/stops.ts";
import type { Diagnostic } from "../language/diagnostics.ts";
import { breathe } from "./breathe.ts";
import { exceptionInfo } from "./exception-info.ts";
import type { AdapterHost } from "./host.ts";
import { INSPECT_VIEWS, type InspectResponse, type InspectViewName } from "./inspect-protocol.ts";
import { MemoryReader } from "./memory.ts";
import { References } from "./references.ts";
import { RequestError } from "./request-error.ts";
import { normalPath, Sources } from "./sources.ts";
import { stoppedBody } from "./stopped.ts";

export interface LaunchArguments {
  readonly program: string;
  readonly stopOnEntry: boolean;
  readonly noDebug: boolean;
  /** Stay at the end of the flow, to look back, instead of ending the session. */
  readonly stopAtEnd: boolean;
  /** Bytes. */
  readonly historyBudget: number;
}

export type Send = (event: string, body?: unknown) => void;

export class Debugging {
  private readonly host: AdapterHost;
  private readonly sources: Sources;
  private readonly client: Send;
  private readonly references = new References();
  private readonly memory = new MemoryReader();
  private launched: LaunchArguments | undefined;
  private session: Session | undefined;
  /** Frames that the client was told about, by id - 1. */
  private readonly frames: { readonly task: number; readonly frame: StackFrame }[] = [];
  private isRunning = false;
  private isConfigured = false;
  private isOver = false;
  private lastStop: Stop | undefined;
  private linesFrom = 1;
  private columnsFrom = 1;

  constructor(host: AdapterHost, send: Send) {
    this.host = host;
    this.client = send;
    this.sources = new Sources(host);
  }

  // ---- beginning and end ----

  initialize(args: DebugProtocol.InitializeRequestArguments): void {
    this.linesFrom = args.linesStartAt1 === false ? 0 : 1;
    this.columnsFrom = args.columnsStartAt1 === false ? 0 : 1;
  }

  async launch(args: LaunchArguments): Promise<void> {
    if (this.launched) throw new RequestError("the session is launched already");
    this.launched = args;
    try {
      this.session = await this.open(args);
    } catch (error) {
      this.launched = undefined;
      throw error;
    }
  }

  private async open(args: LaunchArguments): Promise<Session> {
    const { shippedRoot } = this.host;
    const { session, diagnostics } = await Session.open({
      path: normalPath(args.program),
      readSource: async (path) => {
        try {
          return await this.host.readFile(path);
        } catch {
          // The compiler says which file it cannot read, and where it is asked for.
          return undefined;
        }
      },
      ...(shippedRoot !== undefined && { flowsFolder: `${normalPath(shippedRoot)}/flows` }),
      historyBudget: args.historyBudget,
      host: {
        breathe,
        now: () => Date.now(),
        message: (text) => this.print("console", `${text}\n`),
        output: (text, place) => this.print("stdout", `${text}\n`, place),
      },
    });
    for (const diagnostic of diagnostics) this.printDiagnostic(diagnostic);
    if (session === undefined) throw new RequestError(summary(diagnostics), true);
    return session;
  }

  /** The client may set breakpoints now: the flow is compiled, so each is verified at once. */
  ready(): void {
    this.client("initialized");
  }

  configurationDone(): () => void {
    const session = this.needSession();
    if (this.isConfigured) throw new RequestError("the configuration is done already");
    this.isConfigured = true;
    return () => this.begin(session);
  }

  private begin(session: Session): void {
    if (this.launched?.stopOnEntry && !this.launched.noDebug) this.reportStop({ reason: "start" }, "entry");
    else this.run(() => session.control.forward("continue"));
  }

  async restart(): Promise<() => void> {
    const { launched } = this;
    if (launched === undefined) throw new RequestError("nothing was launched");
    if (this.isRunning) throw new RequestError("the flow is running: pause it first");
    const session = this.needSession();
    session.restart();
    return () => this.begin(session);
  }

  terminate(): () => void {
    this.end();
    return () => this.client("terminated");
  }

  /** Nothing runs any more. */
  end(): void {
    this.isOver = true;
    this.session?.control.pause();
  }

  // ---- moving ----

  move(direction: "forward" | "backward", command: Command, granularity: Granularity): () => void {
    const session = this.needStopped();
    return () => this.run(() => session.control[direction](command, granularity));
  }

  goToStep(step: number): () => void {
    const session = this.needStopped();
    return () => this.run(() => session.control.goToStep(step));
  }

  pause(): void {
    this.needSession().control.pause();
  }

  /** Runs a command in the background. What goes wrong in it is told, and the session stands where it was left. */
  private run(command: () => Promise<Stop>): void {
    this.isRunning = true;
    this.references.clear();
    this.frames.length = 0;
    command().then(
      (stop) => this.reportStop(stop),
      (error: unknown) => {
        this.print("stderr", `internal error: ${error instanceof Error ? error.stack : error}\n`);
        this.reportStop({ reason: "pause" });
      },
    );
  }

  private reportStop(stop: Stop, reason?: string): void {
    this.isRunning = false;
    const { session, launched } = this;
    if (this.isOver || session === undefined) return;
    session.stopped();
    // Whoever goes on from the end has seen it.
    const isSecondEnd = stop.reason === "end" && this.lastStop?.reason === "end";
    this.lastStop = stop;
    this.references.clear();
    this.frames.length = 0;
    const isEnd = stop.reason === "end" || (launched?.noDebug === true && session.failure !== undefined);
    if (session.failure && (isEnd || stop.exception?.failure)) this.printFailure(session);
    if (isEnd && (!launched?.stopAtEnd || launched.noDebug || session.failure || isSecondEnd)) {
      this.client("exited", { exitCode: session.failure ? 1 : 0 });
      this.client("terminated");
      this.isOver = true;
      return;
    }
    const task = session.debuggee.task;
    this.client("stopped", { ...stoppedBody(stop, session), threadId: threadOf(task), ...(reason && { reason }) });
    const { step, sub } = session.position;
    this.client("tdx/stopped", { step, place: sub, reason: reason ?? stop.reason });
    for (const body of this.memory.changed(session)) this.client("memory", body);
  }

  // ---- breakpoints ----

  async setBreakpoints(
    path: string,
    requests: readonly DebugProtocol.SourceBreakpoint[],
  ): Promise<DebugProtocol.Breakpoint[]> {
    const session = this.needSession();
    const wanted = requests.map((request) => this.fromClient(request));
    session.control.breakpointsChanged();
    const modulePath = this.sources.modulePath(path);
    if (modulePath === undefined) {
      const answers = session.breakpoints.setFlowLines(normalPath(path), wanted);
      return answers.map((answer) => this.toClient(answer, this.sources.describeFlow(path)));
    }
    const source = await this.sources.leaf(modulePath);
    const answers = source
      ? session.breakpoints.setLeafLines(source, wanted)
      : session.breakpoints.refuse(wanted, "This source of the TDX module cannot be read.");
    return answers.map((answer) => this.toClient(answer, this.sources.describeLeaf(modulePath)));
  }

  setFunctionBreakpoints(
    requests: readonly (DebugProtocol.SourceBreakpoint & { readonly name: string })[],
  ): DebugProtocol.Breakpoint[] {
    const session = this.needSession();
    session.control.breakpointsChanged();
    return session.breakpoints.setFunctions(requests).map((answer) => this.toClient(answer));
  }

  setExceptionFilters(
    filters: readonly string[],
    options: readonly { readonly filter: string; readonly condition: string }[],
  ): DebugProtocol.Breakpoint[] {
    const all = [...filters.map((filter) => ({ filter, condition: "" })), ...options];
    this.needSession().exceptions.set(all);
    return all.map(({ filter }) =>
      EXCEPTION_FILTERS.some((known) => known.filter === filter)
        ? { verified: true }
        : { verified: false, message: `There is no exception filter "${filter}".` },
    );
  }

  async breakpointLocations(path: string, first: number, last: number): Promise<DebugProtocol.BreakpointLocation[]> {
    const session = this.needSession();
    const from = this.lineFromClient(first);
    const to = this.lineFromClient(last);
    const modulePath = this.sources.modulePath(path);
    if (modulePath !== undefined) {
      const lines = (await this.sources.leaf(modulePath))?.lines ?? [];
      return lines.filter((line) => line >= from && line <= to).map((line) => ({ line: this.lineToClient(line) }));
    }
    return session.program.statements
      .filter(({ source, line }) => source.path === normalPath(path) && line >= from && line <= to)
      .map(({ line, column }) => ({ line: this.lineToClient(line), column: this.columnToClient(column) }));
  }

  // ---- looking ----

  threads(): DebugProtocol.Thread[] {
    const { session } = this;
    if (session === undefined) return [];
    return session.tasks().map(({ id, name }) => ({ id: threadOf(id), name }));
  }

  async stackTrace(threadId: number): Promise<DebugProtocol.StackFrame[]> {
    const session = this.needStopped();
    const task = taskOf(session, threadId);
    return session.stack(task).map((frame) => {
      const id = this.frames.push({ task, frame });
      const source =
        frame.kind === "leaf" ? this.sources.describeLeaf(frame.path) : this.sources.describeFlow(frame.path);
      return {
        id,
        name: frame.name,
        source: frame.isSubtle ? { ...source, presentationHint: "deemphasize" } : source,
        line: this.lineToClient(frame.line),
        column: this.columnToClient(frame.column),
        ...(frame.endLine !== undefined && { endLine: this.lineToClient(frame.endLine) }),
        ...(frame.endColumn !== undefined && { endColumn: this.columnToClient(frame.endColumn) }),
        presentationHint: frame.isSubtle ? "subtle" : "normal",
      };
    });
  }

  scopes(frameId: number): DebugProtocol.Scope[] {
    const session = this.needStopped();
    const { task, frame } = this.frame(frameId);
    return session.scopes(task, frame).map(({ name, items, isExpensive, kind }) => ({
      name,
      variablesReference: this.references.add(items),
      expensive: isExpensive,
      ...(kind && { presentationHint: kind }),
    }));
  }

  variables(reference: number): DebugProtocol.Variable[] {
    this.needStopped();
    const items = this.references.get(reference);
    if (items === undefined) throw new RequestError("these variables belong to an earlier stop");
    return items.map((item) => this.references.toVariable(item));
  }

  evaluate(expression: string, frameId: number | undefined): DebugProtocol.EvaluateResponse["body"] {
    const session = this.needStopped();
    const item = session.evaluate(expression, frameId === undefined ? 0 : this.frame(frameId).frame.flowFrame);
    if ("error" in item) throw new RequestError(item.error);
    const { value, type, variablesReference, memoryReference } = this.references.toVariable(item);
    return {
      result: value,
      variablesReference,
      ...(type !== undefined && { type }),
      ...(memoryReference !== undefined && { memoryReference }),
    };
  }

  exceptionInfo(): DebugProtocol.ExceptionInfoResponse["body"] {
    const session = this.needStopped();
    const hit = this.lastStop?.exception;
    if (hit === undefined) throw new RequestError("the session did not stop for an exception");
    return exceptionInfo(session, hit);
  }

  readMemory(reference: string, offset: number, count: number): DebugProtocol.ReadMemoryResponse["body"] {
    return this.memory.read(this.needStopped(), reference, offset, count);
  }

  async source(path: string): Promise<DebugProtocol.SourceResponse["body"]> {
    try {
      return { content: await this.host.readFile(path) };
    } catch (error) {
      throw new RequestError(error instanceof Error ? error.message : String(error));
    }
  }

  loadedSources(): DebugProtocol.Source[] {
    const session = this.needSession();
    const leaves = new Set<string>();
    for (const { name } of session.program.leafCalls) if (name !== undefined) leaves.add(leafPath(name));
    return [
      ...session.program.sources.map(({ path }) => this.sources.describeFlow(path)),
      ...[...leaves].map((path) => this.sources.describeLeaf(path)),
    ];
  }

  inspect(view: string, node: string | undefined): InspectResponse {
    const session = this.needStopped();
    if (!INSPECT_VIEWS.includes(view as InspectViewName)) throw new RequestError(`there is no view "${view}"`);
    const items = session.inspector.children(view as InspectViewName, node) ?? [];
    return {
      step: session.position.step,
      nodes: items.map((item) => ({
        id: item.id,
        label: item.label,
        ...(item.value !== "" && { description: item.value }),
        ...(item.tooltip && { tooltip: item.tooltip }),
        changed: session.inspector.isChanged(item),
        collapsible: item.children !== undefined,
        ...(item.hpa !== undefined && { memoryReference: `0x${item.hpa.toString(16)}` }),
      })),
    };
  }

  // ---- what is there ----

  private needSession(): Session {
    if (this.session === undefined) throw new RequestError("nothing was launched");
    if (this.isOver) throw new RequestError("the session is over");
    return this.session;
  }

  private needStopped(): Session {
    const session = this.needSession();
    if (!this.isConfigured) throw new RequestError("the flow has not begun: the configuration is not done");
    if (this.isRunning) throw new RequestError("the flow is running");
    return session;
  }

  private frame(id: number): { readonly task: number; readonly frame: StackFrame } {
    const frame = this.frames[id - 1];
    if (frame === undefined) throw new RequestError("this frame belongs to an earlier stop");
    return frame;
  }

  // ---- lines and output ----

  private lineToClient(line: number): number {
    return line - 1 + this.linesFrom;
  }

  private lineFromClient(line: number): number {
    return line + 1 - this.linesFrom;
  }

  private columnToClient(column: number): number {
    return column - 1 + this.columnsFrom;
  }

  private fromClient(request: DebugProtocol.SourceBreakpoint): BreakpointRequest {
    const { column } = request;
    return {
      ...request,
      line: this.lineFromClient(request.line),
      ...(column !== undefined && { column: column + 1 - this.columnsFrom }),
    };
  }

  private toClient(answer: DebugProtocol.Breakpoint, source?: DebugProtocol.Source): DebugProtocol.Breakpoint {
    const { line, column } = answer;
    return {
      ...answer,
      ...(!answer.verified && { reason: "failed" as const }),
      ...(source && { source }),
      ...(line !== undefined && { line: this.lineToClient(line) }),
      ...(column !== undefined && { column: this.columnToClient(column) }),
    };
  }

  private print(
    category: "console" | "stdout" | "stderr",
    output: string,
    place?: { readonly path: string; readonly line: number; readonly column: number },
  ): void {
    this.client("output", {
      category,
      output,
      ...(place && {
        source: this.sources.describeFlow(place.path),
        line: this.lineToClient(place.line),
        column: this.columnToClient(place.column),
      }),
    });
  }

  private printDiagnostic(diagnostic: Diagnostic): void {
    const { severity, line, column } = diagnostic;
    const category = severity === "error" ? "stderr" : "console";
    this.print(category, `${diagnosticText(diagnostic)}\n`, { path: diagnostic.file, line, column });
  }

  private printFailure(session: Session): void {
    const { failure } = session;
    if (failure === undefined) return;
    const { file, line, column, message, hint } = failure;
    const text = `${file}:${line}:${column}: ${message}${hint ? `\n  ${hint}` : ""}\n`;
    this.print("stderr", text, { path: file, line, column });
  }
}

/** Threads are numbered from 1: to some clients 0 is no thread. */
function threadOf(task: number): number {
  return task + 1;
}

function taskOf(session: Session, threadId: number): number {
  const task = threadId - 1;
  if (!session.debuggee.runtime.tasks().some(({ id }) => id === task))
    throw new RequestError(`there is no thread ${threadId}`);
  return task;
}

function diagnosticText({ file, line, column, severity, message }: Diagnostic): string {
  return `${file}:${line}:${column}: ${severity}: ${message}`;
}

/** The first error, and how many more there are. */
function summary(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const first = errors[0];
  if (first === undefined) return "the flow could not be compiled";
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  return diagnosticText(first) + more;
}
