/** The life of a session: launched, configured, run and moved as the client says, stopped, over. */
import type { Command, Granularity } from "../debugger/goals.ts";
import type { Position } from "../debugger/position.ts";
import { resume } from "../debugger/resume.ts";
import { Session } from "../debugger/session.ts";
import type { Stop } from "../debugger/stops.ts";
import { BreakpointRequests } from "./breakpoint-requests.ts";
import { breathe } from "./breathe.ts";
import { ClientView, type Send, summary } from "./client-view.ts";
import type { DataWanted } from "./data-info.ts";
import type { AdapterHost } from "./host.ts";
import { Looking, threadOf } from "./looking.ts";
import { RequestError } from "./request-error.ts";
import { normalPath, Sources } from "./sources.ts";
import { stoppedBody } from "./stopped.ts";

export interface LaunchArguments {
  readonly program: string;
  /** Name of the test block to run instead of the flow; empty: the flow. */
  readonly test: string;
  readonly stopOnEntry: boolean;
  readonly noDebug: boolean;
  /** Stay at the end of the flow, to look back, instead of ending the session. */
  readonly stopAtEnd: boolean;
  /** Check the module's invariants behind each unit and stop where one breaks. */
  readonly checkInvariants: boolean;
  /** Bytes. */
  readonly historyBudget: number;
}

/** What a client says about who is to move. */
export interface Mover {
  /** Number of a thread. */
  readonly thread: number | undefined;
  /** No other thread moves. */
  readonly isSingle: boolean;
  /** Number of a step target. */
  readonly target: number | undefined;
}

export class Debugging {
  readonly client: ClientView;
  readonly breakpoints: BreakpointRequests;
  readonly looking: Looking;
  readonly sources: Sources;
  private readonly host: AdapterHost;
  private launched: LaunchArguments | undefined;
  private session: Session | undefined;
  private isRunning = false;
  private isConfigured = false;
  private isOver = false;
  /** A flow that runs is being stopped, to start over. */
  private isStopping = false;
  /** The client knows that history does not reach back to the start. */
  private hasForgotten = false;
  private stop: Stop | undefined;
  /** What is to be done as soon as the flow that runs stands still. */
  private afterStop: (() => void) | undefined;

  constructor(host: AdapterHost, send: Send) {
    this.host = host;
    this.sources = new Sources(host);
    this.client = new ClientView(send, this.sources);
    this.breakpoints = new BreakpointRequests(this.sources, this.client);
    this.looking = new Looking(this.sources, this.client);
  }

  // ---- beginning and end ----

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
      ...(args.test !== "" && { test: args.test }),
      // Where a file cannot be read the compiler says which, and where it is asked for.
      readSource: (path) => this.host.readFile(path).catch(() => undefined),
      ...(shippedRoot !== undefined && { flowsFolder: `${normalPath(shippedRoot)}/flows` }),
      historyBudget: args.historyBudget,
      host: {
        breathe,
        now: () => Date.now(),
        message: (text) => this.client.print("console", `${text}\n`),
        output: (text, place) => this.client.print("stdout", `${text}\n`, place),
      },
    });
    for (const diagnostic of diagnostics) this.client.printDiagnostic(diagnostic);
    if (session === undefined) throw new RequestError(summary(diagnostics), true);
    session.exceptions.checksInvariants = args.checkInvariants && !args.noDebug;
    return session;
  }

  /** The client may set breakpoints now: the flow is compiled, so each is verified at once. */
  ready(): void {
    this.client.send("initialized");
  }

  configurationDone(): () => void {
    const session = this.needSession();
    if (this.isConfigured) throw new RequestError("the configuration is done already");
    this.isConfigured = true;
    return this.begin(session);
  }

  private begin(session: Session): () => void {
    if (this.launched?.noDebug) return this.run(() => runThrough(session));
    if (!this.launched?.stopOnEntry) return this.run(() => session.control.forward("continue"));
    return () => this.report({ reason: "start" }, "entry");
  }

  /**
   * Starts over; a flow that runs is stopped first. If the flow was edited, the new one is brought to where the old one stands, as
   * far as both are the same. One that cannot be compiled changes nothing.
   */
  async restart(): Promise<() => void> {
    if (!this.isConfigured) throw new RequestError("the flow has not begun: the configuration is not done");
    const edited = await this.reopened(this.needSession());
    const again = (): (() => void) => {
      const session = this.needSession();
      const { hasEnded, isAtStart } = session.timeline;
      const isAmid = !this.isStopping && !isAtStart && (!hasEnded || session.failure !== undefined);
      this.isStopping = false;
      this.stop = undefined;
      if (edited) return this.replace(session, edited, isAmid);
      session.restart();
      return this.begin(session);
    };
    if (!this.isRunning) return again();
    this.isStopping = true;
    this.afterStop = () => again()();
    return () => this.session?.pause();
  }

  /** A session on the flow as it is now; undefined if it is as it was. */
  private async reopened({ program }: Session): Promise<Session | undefined> {
    const read = (path: string) => this.host.readFile(path).catch(() => undefined);
    const texts = await Promise.all(program.sources.map(({ path }) => read(path)));
    if (program.sources.every(({ text }, i) => text === texts[i])) return undefined;
    return this.open(this.launched as LaunchArguments);
  }

  private replace(old: Session, next: Session, isAmid: boolean): () => void {
    this.session = next;
    this.hasForgotten = false;
    return this.run(async () => {
      await this.breakpoints.setAgain(next);
      this.client.invalidated();
      if (this.launched?.noDebug) return runThrough(next);
      if (!isAmid) return this.launched?.stopOnEntry ? { reason: "start" } : next.control.forward("continue");
      const { breath } = next.control;
      breath.begin();
      const { isSame, why } = await resume(old, next, breath);
      const { step } = next.position;
      const text = isSame
        ? `the edited flow does the same up to step ${step}: it stands there again`
        : `the edited flow does the same up to step ${step} only, of ${old.position.step}: ${why}`;
      this.client.print("console", `${text}\n`);
      return { reason: next.timeline.isAtStart ? "start" : "goto" };
    });
  }

  terminate(): () => void {
    this.end();
    return () => this.client.send("terminated");
  }

  /** Nothing runs any more. */
  end(): void {
    this.isOver = true;
    this.client.progress.end();
    this.session?.pause();
  }

  // ---- moving ----

  move(direction: "forward" | "backward", command: Command, granularity: Granularity, mover: Mover): () => void {
    const session = this.needStopped();
    const target = mover.target === undefined ? undefined : this.looking.stepTarget(mover.target);
    if (target !== undefined && "task" in target) {
      return this.run(() => session.control[direction](command, granularity, { task: target.task }));
    }
    const task = mover.thread === undefined ? undefined : this.looking.task(session, mover.thread);
    const subject = { task, isSingle: mover.isSingle, target };
    const title = direction === "backward" ? "Going back" : "";
    return this.run(() => session.control[direction](command, granularity, subject), title);
  }

  /** `branch`: in that future; 0: in the present one. */
  goToStep(step: number, place: number, branch: number): () => void {
    const session = this.needStopped();
    const position = { step: Math.max(0, step), sub: Math.max(0, place) };
    if (branch !== 0) return this.switchBranch(branch, position);
    return this.run(() => session.control.goToStep(step, place), `Going to step ${step}`);
  }

  /** Any other way to another moment. */
  go(command: () => Promise<Stop>): () => void {
    this.needStopped();
    return this.run(command);
  }

  /** Goes to where the session stood last in another future. */
  switchBranch(id: number, position?: Position): () => void {
    const session = this.needStopped();
    const branch = session.timeline.branches.get(id);
    if (branch === undefined) throw new RequestError(`there is no branch ${id}`, true);
    return this.run(() => session.control.switchTo(branch, position));
  }

  /** Goes to where the data was written last; `wanted` says which, or is its data id. */
  goToChange(wanted: DataWanted | string): () => void {
    const session = this.needStopped();
    const { dataId, description } =
      typeof wanted === "string" ? { dataId: wanted, description: wanted } : this.looking.dataInfo(session, wanted);
    if (dataId === null) throw new RequestError(description, true);
    if (!session.isData(dataId)) throw new RequestError(`"${description}" names no data`, true);
    return this.run(() => session.goToChange(dataId), `Looking for who changed ${description}`);
  }

  /** For requests of our own: a client does not know that they set the flow going. */
  announced(start: () => void): () => void {
    return () => {
      this.client.send("continued", {
        threadId: threadOf(this.needSession().debuggee.task),
        allThreadsContinued: true,
      });
      start();
    };
  }

  pause(): void {
    this.needSession().pause();
  }

  /** Whether something moves the session. */
  get isMoving(): boolean {
    return this.isRunning;
  }

  /** From here on it runs; what is returned starts it, behind the response. `title`: to be told if it takes long. */
  private run(command: () => Promise<Stop>, title = ""): () => void {
    this.isRunning = true;
    this.looking.forget();
    return () => {
      if (title !== "") this.client.progress.begin(title);
      command().then(
        (stop) => this.report(stop),
        (error: unknown) => {
          const text = error instanceof Error ? error.stack : String(error);
          this.client.print("stderr", `internal error: ${text}\n`);
          this.report({ reason: "pause" });
        },
      );
    };
  }

  /** The session stands still: tells the client so, or that it is over. */
  private report(stop: Stop, reason: string = stop.reason): void {
    this.isRunning = false;
    this.client.progress.end();
    const { session, launched } = this;
    if (this.isOver || session === undefined) return;
    if (this.afterStop) {
      const next = this.afterStop;
      this.afterStop = undefined;
      next();
      return;
    }
    session.stopped();
    this.looking.forget();
    // Whoever goes on from the end has seen it.
    const isSecondEnd =
      stop.reason === "end" && (this.stop?.reason === "end" || this.stop?.exception?.failure !== undefined);
    this.stop = stop;
    const isEnd = stop.reason === "end" || (launched?.noDebug === true && session.failure !== undefined);
    if ((isEnd && !isSecondEnd) || stop.exception?.failure) this.client.printFailure(session);
    if (isEnd && (!launched?.stopAtEnd || launched.noDebug || isSecondEnd)) {
      this.isOver = true;
      this.client.send("exited", { exitCode: session.failure ? 1 : 0 });
      this.client.send("terminated");
      return;
    }
    const task = session.tasks().some(({ id }) => id === stop.task) ? stop.task : undefined;
    this.client.send("stopped", { ...stoppedBody(stop, session), threadId: threadOf(task ?? session.debuggee.task) });
    this.tellMoment(session, reason);
  }

  /** Where in time the session stands, and what of the memory that was read is another now. */
  private tellMoment(session: Session, reason: string): void {
    const { step, sub } = session.position;
    const { branches, oldest } = session.timeline;
    if (oldest > 0 && !this.hasForgotten) {
      this.hasForgotten = true;
      const megabytes = (this.launched?.historyBudget ?? 0) / 2 ** 20;
      const text = `history is longer than ${megabytes} MB (historyBudgetMB): steps before ${oldest} are reached by running again`;
      this.client.print("console", `${text}\n`);
    }
    const branch = { branch: branches.current.id, branches: branches.list().length };
    this.client.send("tdx/stopped", { step, place: sub, reason, ...branch, oldest });
    for (const body of this.looking.memory.changed(session)) this.client.send("memory", body);
  }

  /** Something was edited: the session has made a step without having moved. */
  edited(text: string, isFork: boolean): void {
    const session = this.needSession();
    const { id, parent, from } = session.timeline.branches.current;
    if (isFork) {
      const old = `branch ${parent} is as it was: go back to it with Switch Branch (tdx/switchBranch)`;
      this.client.print("console", `branch ${id} begins at step ${from.step} with ${text}; ${old}\n`);
    }
    this.client.invalidated();
    this.tellMoment(session, "edit");
  }

  // ---- what is there ----

  get lastStop(): Stop | undefined {
    return this.stop;
  }

  /** The session, if there is one yet. */
  get maybeSession(): Session | undefined {
    return this.session;
  }

  needSession(): Session {
    if (this.session === undefined) throw new RequestError("nothing was launched");
    if (this.isOver) throw new RequestError("the session is over");
    return this.session;
  }

  needStopped(): Session {
    const session = this.needSession();
    if (!this.isConfigured) throw new RequestError("the flow has not begun: the configuration is not done");
    if (this.isRunning) throw new RequestError("the flow is running");
    return session;
  }
}

/** To the end, past all breakpoints. */
async function runThrough(session: Session): Promise<Stop> {
  const stop = await session.control.goToStep(Number.MAX_SAFE_INTEGER);
  return session.timeline.hasEnded ? { reason: "end" } : stop;
}
