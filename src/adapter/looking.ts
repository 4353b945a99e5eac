/** Requests that look at a session that stands still. What they hand out by number holds until it moves. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import { cellsDataId } from "../debugger/data-ids.ts";
import { EditError } from "../debugger/edit-place.ts";
import { type Edited, editValue, placeOf, whyFixed } from "../debugger/editing.ts";
import type { ExceptionHit } from "../debugger/exceptions.ts";
import { hex } from "../debugger/inspect/format.ts";
import type { Item } from "../debugger/inspect/item.ts";
import { functionAt, leafPath } from "../debugger/leaf-sources.ts";
import { namesView } from "../debugger/memory-views.ts";
import type { Session } from "../debugger/session.ts";
import type { FlowPlace, StackFrame } from "../debugger/stack.ts";
import type { StepTarget } from "../debugger/step-targets.ts";
import type { ClientView } from "./client-view.ts";
import { type DataInfo, type DataWanted, dataInfo } from "./data-info.ts";
import { exceptionInfo } from "./exception-info.ts";
import { type FrameFormat, flowFrameName } from "./frame-names.ts";
import { INSPECT_VIEWS, type InspectResponse, type InspectViewName } from "./inspect-protocol.ts";
import { Instructions } from "./instructions.ts";
import { MemoryReader } from "./memory.ts";
import { TDX_MODULE } from "./modules.ts";
import { References } from "./references.ts";
import { RequestError } from "./request-error.ts";
import type { Sources } from "./sources.ts";

/** Threads are numbered from 1: to some clients 0 is no thread. */
export function threadOf(task: number): number {
  return task + 1;
}

/** The protocol knows no constants. */
const COMPLETION_TYPES = { variable: "variable", field: "field", function: "function", constant: "value" } as const;

/** A step in can be that another task moves. */
interface OtherTask {
  readonly label: string;
  readonly task: number;
}

/** An edit that was made. */
export interface Edit {
  readonly body: DebugProtocol.SetVariableResponse["body"];
  /** In one line. */
  readonly text: string;
  /** A branch began. */
  readonly isFork: boolean;
}

export class Looking {
  readonly memory = new MemoryReader();
  readonly instructions: Instructions;
  private readonly sources: Sources;
  private readonly client: ClientView;
  private readonly references = new References();
  /** Frames that the client was told about since the session moved last, by id - 1 - spentFrames; no id is given out twice. */
  private readonly frames: { readonly task: number; readonly frame: StackFrame }[] = [];
  private spentFrames = 0;
  /** The same of step targets. */
  private readonly targets: (StepTarget | OtherTask)[] = [];
  private spentTargets = 0;

  constructor(sources: Sources, client: ClientView) {
    this.sources = sources;
    this.client = client;
    this.instructions = new Instructions(sources);
  }

  /** The session moves: numbers that were handed out mean nothing any more. */
  forget(): void {
    this.references.clear();
    this.spentFrames += this.frames.length;
    this.frames.length = 0;
    this.spentTargets += this.targets.length;
    this.targets.length = 0;
  }

  threads(session: Session): DebugProtocol.Thread[] {
    return session.tasks().map(({ id, name }) => ({ id: threadOf(id), name }));
  }

  async stack(session: Session, threadId: number, format: FrameFormat): Promise<DebugProtocol.StackFrame[]> {
    const task = this.task(session, threadId);
    // The frames are those of now, whatever happens while the sources are read.
    const frames = session
      .stack(task)
      .map((frame) => ({ frame, id: this.spentFrames + this.frames.push({ task, frame }) }));
    return Promise.all(frames.map(({ frame, id }) => this.describe(session, task, frame, id, format)));
  }

  private async describe(
    session: Session,
    task: number,
    frame: StackFrame,
    id: number,
    format: FrameFormat,
  ): Promise<DebugProtocol.StackFrame> {
    const { client } = this;
    const isLeaf = frame.kind === "leaf";
    const source = isLeaf ? this.sources.describeLeaf(frame.path) : this.sources.describeFlow(frame.path);
    return {
      id,
      name: isLeaf ? await this.leafFrameName(frame) : flowFrameName(session, task, frame, format),
      moduleId: isLeaf ? TDX_MODULE : frame.path,
      ...(isLeaf && { instructionPointerReference: this.instructions.reference(frame.path, frame.line) }),
      source: frame.isSubtle ? { ...source, presentationHint: "deemphasize" } : source,
      line: client.line(frame.line),
      column: client.column(frame.column),
      ...(frame.endLine !== undefined && { endLine: client.line(frame.endLine) }),
      ...(frame.endColumn !== undefined && { endColumn: client.column(frame.endColumn) }),
      presentationHint: frame.isSubtle ? "subtle" : "normal",
    };
  }

  /** A leaf by its own name; what it shares with others by the function's, which only the source knows. */
  private async leafFrameName(frame: StackFrame): Promise<string> {
    let { name } = frame;
    if (frame.isShared) {
      const source = await this.sources.leaf(frame.path);
      name = (source && functionAt(source, frame.line)) ?? name;
    }
    return frame.step === undefined ? name : `${name}: ${frame.step}`;
  }

  scopes(session: Session, frameId: number): DebugProtocol.Scope[] {
    if (this.isSpent(frameId)) return [];
    const { task, frame } = this.frame(frameId);
    return session.scopes(task, frame).map(({ name, items, isExpensive, kind }) => ({
      name,
      variablesReference: this.references.add(items, { task, flowFrame: frame.flowFrame }),
      expensive: isExpensive,
      ...(kind && { presentationHint: kind }),
    }));
  }

  /** The task of a thread. */
  task(session: Session, threadId: number): number {
    const task = threadId - 1;
    if (!session.debuggee.runtime.tasks().some(({ id }) => id === task)) {
      throw new RequestError(`there is no thread ${threadId}`);
    }
    return task;
  }

  /** Where a step in from a frame can lead: the calls that its statement still makes, and the tasks that could move instead. */
  stepTargets(session: Session, frameId: number): DebugProtocol.StepInTarget[] {
    if (this.isSpent(frameId)) return [];
    const { task, frame } = this.frame(frameId);
    const calls = frame.flowFrame === 0 ? session.stepTargets(task) : [];
    const others = session.tasks().filter(({ id }) => id !== task && session.debuggee.blocked(id) === undefined);
    const targets: (StepTarget | OtherTask)[] = [
      ...calls,
      ...others.map(({ id, name }) => ({ task: id, label: name })),
    ];
    return targets.map((target) => ({ id: this.spentTargets + this.targets.push(target), label: target.label }));
  }

  stepTarget(id: number): StepTarget | OtherTask {
    const target = this.targets[id - 1 - this.spentTargets];
    if (target === undefined) throw new RequestError("this step target belongs to an earlier stop");
    return target;
  }

  variables(reference: number, hex: boolean): DebugProtocol.Variable[] {
    const list = this.references.get(reference);
    if (list === undefined) throw new RequestError(`there are no variables ${reference}`);
    // Not an error: the client asked before it heard of the new stop, and would show the error where values belong.
    if (list === "spent") return [];
    return list.items().map((item) => this.references.toVariable(item, hex, list.at));
  }

  /** Value of an expression, or the memory at a reference. @param hex integers in hexadecimal */
  evaluate(
    session: Session,
    expression: string,
    frameId: number | undefined,
    hex: boolean,
  ): DebugProtocol.EvaluateResponse["body"] {
    if (namesView(expression)) return { ...this.memory.show(session, expression), variablesReference: 0 };
    const at = this.place(session, frameId);
    const item = session.evaluate(expression, at);
    if ("error" in item) throw new RequestError(item.error);
    const { value, type, variablesReference, memoryReference } = this.references.toVariable(item, hex, at);
    return {
      result: value,
      variablesReference,
      ...(type !== undefined && { type }),
      ...(memoryReference !== undefined && { memoryReference }),
    };
  }

  /** Changes a variable of a list that was shown. */
  setVariable(session: Session, reference: number, name: string, value: string, hex: boolean): Edit {
    const list = this.references.get(reference);
    const item = itemOf(list, name);
    if (list === undefined || list === "spent" || item === undefined) {
      throw new RequestError(`there is no variable "${name}" to change`, true);
    }
    const { edit } = item;
    if (edit === undefined) throw new RequestError(whyFixed(session, item), true);
    return this.edited(() => editValue(session, edit, value, list.at), list.at, hex);
  }

  /** Changes what an expression stands for. */
  setExpression(session: Session, expression: string, value: string, frameId: number | undefined, hex: boolean): Edit {
    const at = this.place(session, frameId);
    return this.edited(() => editValue(session, placeOf(session, expression, at), value, at), at, hex);
  }

  private edited(edit: () => Edited, at: FlowPlace, hex: boolean): Edit {
    try {
      const { item, text, isFork } = edit();
      const { value, type, variablesReference, memoryReference } = this.references.toVariable(item, hex, at);
      const body = { value, variablesReference, ...(type && { type }), ...(memoryReference && { memoryReference }) };
      return { body, text, isFork };
    } catch (error) {
      if (error instanceof EditError) throw new RequestError(error.message, true);
      throw error;
    }
  }

  /** What may stand at the cursor; line and column as the client counts them. */
  completions(
    session: Session,
    text: string,
    { line, column }: { readonly line: number; readonly column: number },
    frameId: number | undefined,
  ): DebugProtocol.CompletionsResponse["body"] {
    const before = (text.split("\n")[this.client.ownLine(line) - 1] ?? "").slice(0, this.client.ownColumn(column) - 1);
    const { typed, completions } = session.completions(before, this.place(session, frameId));
    const start = this.client.column(before.length - typed + 1);
    const targets = completions.map(({ label, kind, detail }): DebugProtocol.CompletionItem => {
      return { label, detail, type: COMPLETION_TYPES[kind], start, length: typed };
    });
    return { targets };
  }

  /** What a data breakpoint would watch: a variable of a list that was shown, one of a frame, or bytes at an address. */
  dataInfo(session: Session, wanted: DataWanted): DataInfo {
    const { reference, name } = wanted;
    return dataInfo(
      session,
      wanted,
      reference ? itemOf(this.references.get(reference), name) : this.named(session, wanted),
    );
  }

  private named(session: Session, { name, frameId }: DataWanted): Item | undefined {
    const at = this.place(session, frameId);
    return session.locals(at).findLast((item) => item.label === name) ?? session.part(name, at);
  }

  exceptionInfo(session: Session, hit: ExceptionHit | undefined): DebugProtocol.ExceptionInfoResponse["body"] {
    if (hit === undefined) throw new RequestError("the session did not stop for an exception");
    return exceptionInfo(session, hit);
  }

  loadedSources(session: Session): DebugProtocol.Source[] {
    const leaves = new Set<string>();
    for (const { name } of session.program.leafCalls) if (name !== undefined) leaves.add(leafPath(name));
    return [
      ...session.program.sources.map(({ path }) => this.sources.describeFlow(path)),
      ...[...leaves].map((path) => this.sources.describeLeaf(path)),
    ];
  }

  inspect(session: Session, view: string, node: string | undefined): InspectResponse {
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
        ...(item.cells?.length && { dataId: cellsDataId(session.debuggee.machine, item.cells) }),
        ...(item.hpa !== undefined && { memoryReference: hex(item.hpa) }),
      })),
    };
  }

  /** A frame of an earlier stop: as with variables no error, since the client asked before it heard of the new one. */
  private isSpent(frameId: number): boolean {
    return frameId >= 1 && frameId <= this.spentFrames;
  }

  private frame(id: number): { readonly task: number; readonly frame: StackFrame } {
    const frame = this.frames[id - 1 - this.spentFrames];
    if (frame === undefined) throw new RequestError("this frame belongs to an earlier stop");
    return frame;
  }

  /** Where an expression of a frame is understood; without one, where the session moves next. */
  private place(session: Session, frameId: number | undefined): FlowPlace {
    if (frameId === undefined) return { task: session.debuggee.task, flowFrame: 0 };
    const { task, frame } = this.frame(frameId);
    return { task, flowFrame: frame.flowFrame };
  }
}

/** The item of that name: of variables that hide others, the innermost. */
function itemOf(list: ReturnType<References["get"]>, name: string): Item | undefined {
  return list === "spent" ? undefined : list?.items().findLast(({ label }) => label === name);
}
