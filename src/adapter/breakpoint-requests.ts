/** Requests about breakpoints: which debugger breakpoints they mean, and what became of them. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import type { Condition } from "../debugger/condition.ts";
import type { DataBreakpointRequest } from "../debugger/data-breakpoints.ts";
import { EXCEPTION_FILTERS } from "../debugger/exceptions.ts";
import type { Session } from "../debugger/session.ts";
import type { ClientView } from "./client-view.ts";
import type { Instructions } from "./instructions.ts";
import { RequestError } from "./request-error.ts";
import { normalPath, type Sources } from "./sources.ts";

type Breakpoints = DebugProtocol.Breakpoint[];

interface Asked {
  readonly again: (session: Session) => Breakpoints | Promise<Breakpoints>;
  readonly answers: Breakpoints;
}

export class BreakpointRequests {
  private readonly sources: Sources;
  private readonly client: ClientView;
  /** What was set last, by kind and source: so that it can be set again when the flow is another one. */
  private readonly last = new Map<string, Asked>();

  constructor(sources: Sources, client: ClientView) {
    this.sources = sources;
    this.client = client;
  }

  /**
   * Sets in a session on an edited flow what was set in the one before, with the same ids, and tells the client where each is now.
   * Data breakpoints are not: what they watch may be something else.
   */
  async setAgain(session: Session): Promise<void> {
    const ids = [...this.last.values()].flatMap(({ answers }) => answers.map(({ id = 0 }) => id));
    for (const { again, answers } of [...this.last.values()]) {
      if (answers[0]?.id !== undefined) session.breakpoints.numberFrom(answers[0].id);
      for (const breakpoint of await again(session)) {
        if (breakpoint.id !== undefined) this.client.send("breakpoint", { reason: "changed", breakpoint });
      }
    }
    session.breakpoints.numberFrom(Math.max(0, ...ids) + 1);
  }

  private noted(key: string, again: Asked["again"], answers: Breakpoints): Breakpoints {
    this.last.set(key, { again, answers });
    return answers;
  }

  async lines(
    session: Session,
    path: string,
    requests: readonly DebugProtocol.SourceBreakpoint[],
  ): Promise<Breakpoints> {
    const answers = await this.setLines(session, path, requests);
    return this.noted(`lines ${path}`, (each) => this.lines(each, path, requests), answers);
  }

  private async setLines(
    session: Session,
    path: string,
    requests: readonly DebugProtocol.SourceBreakpoint[],
  ): Promise<Breakpoints> {
    const wanted = requests.map((request) => this.client.ownRequest(request));
    const modulePath = this.sources.modulePath(path);
    if (modulePath === undefined) {
      session.control.breakpointsChanged();
      const answers = session.breakpoints.setFlowLines(normalPath(path), wanted);
      return answers.map((answer) => this.client.breakpoint(answer, this.sources.describeFlow(path)));
    }
    const source = await this.sources.leaf(modulePath);
    session.control.breakpointsChanged();
    const answers = source
      ? session.breakpoints.setLeafLines(source, wanted)
      : session.breakpoints.refuse(wanted, "This source of the TDX module cannot be read.");
    return answers.map((answer) => this.client.breakpoint(answer, this.sources.describeLeaf(modulePath)));
  }

  functions(
    session: Session,
    requests: readonly (DebugProtocol.SourceBreakpoint & { readonly name: string })[],
  ): Breakpoints {
    session.control.breakpointsChanged();
    const answers = session.breakpoints.setFunctions(requests).map((answer) => this.client.breakpoint(answer));
    return this.noted("functions", (each) => this.functions(each, requests), answers);
  }

  /** Breakpoints on steps of the module by the addresses that `instructions` gave. */
  async instructions(
    session: Session,
    instructions: Instructions,
    requests: readonly (DebugProtocol.SourceBreakpoint & { readonly reference: string; readonly offset: number })[],
  ): Promise<Breakpoints> {
    const places = await Promise.all(
      requests.map(({ reference, offset }) =>
        instructions.locate(reference, offset).catch((error: unknown) => {
          if (error instanceof RequestError) return error.message;
          throw error;
        }),
      ),
    );
    session.control.breakpointsChanged();
    const wanted = requests.map((request, i) => ({
      ...request,
      at: places[i] as { path: string; line: number } | string,
    }));
    const answers = session.breakpoints.setSteps(wanted).map((answer, i) => {
      const { at } = wanted[i] as (typeof wanted)[number];
      if (typeof at === "string") return this.client.breakpoint(answer);
      const instructionReference = instructions.reference(at.path, at.line);
      return { ...this.client.breakpoint(answer, this.sources.describeLeaf(at.path)), instructionReference };
    });
    return this.noted("instructions", (each) => this.instructions(each, instructions, requests), answers);
  }

  exceptions(
    session: Session,
    filters: readonly string[],
    options: readonly { readonly filter: string; readonly condition: string }[],
  ): Breakpoints {
    const all = [...filters.map((filter) => ({ filter, condition: "" })), ...options];
    const conditions = session.breakpoints.setExceptionConditions(all.map(({ condition }) => condition));
    const set: { readonly filter: string; readonly condition: Condition }[] = [];
    const answers = all.map(({ filter }, i): DebugProtocol.Breakpoint => {
      const condition = conditions[i] as Condition | string;
      if (!EXCEPTION_FILTERS.some((known) => known.filter === filter)) {
        return { verified: false, message: `There is no exception filter "${filter}".` };
      }
      if (typeof condition === "string") return { verified: false, message: condition };
      set.push({ filter, condition });
      return { verified: true };
    });
    session.exceptions.set(set);
    session.control.breakpointsChanged();
    return this.noted("exceptions", (each) => this.exceptions(each, filters, options), answers);
  }

  data(session: Session, requests: readonly (DataBreakpointRequest & { readonly accessType: string })[]): Breakpoints {
    session.control.breakpointsChanged();
    const wanted = requests.map((request) => {
      const access = this.client.dataAccess(request.accessType);
      if (access === undefined) throw new RequestError(`there is no access type "${request.accessType}"`);
      return { ...request, access };
    });
    const answers = session.breakpoints
      .setData(session.debuggee, wanted)
      .map((answer) => this.client.breakpoint(answer));
    const gone = answers.map((answer) => ({
      ...answer,
      verified: false,
      message: "The flow was edited: set it again.",
    }));
    return this.noted("data", () => gone, answers);
  }

  async locations(
    session: Session,
    path: string,
    first: number,
    last: number,
  ): Promise<DebugProtocol.BreakpointLocation[]> {
    const from = this.client.ownLine(first);
    const to = this.client.ownLine(last);
    const modulePath = this.sources.modulePath(path);
    if (modulePath !== undefined) {
      const lines = (await this.sources.leaf(modulePath))?.lines ?? [];
      return lines.filter((line) => line >= from && line <= to).map((line) => ({ line: this.client.line(line) }));
    }
    return session.program.statements
      .filter(({ source, line }) => source.path === normalPath(path) && line >= from && line <= to)
      .map(({ line, column }) => ({ line: this.client.line(line), column: this.client.column(column) }));
  }
}
