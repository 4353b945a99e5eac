/** The protocol's requests by name. Each checks its arguments and says in one line what it does; the work is Debugging's. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import type { Command, Granularity } from "../debugger/goals.ts";
import { Arguments } from "./arguments.ts";
import type { DataWanted } from "./data-info.ts";
import type { Debugging, Mover } from "./debugging.ts";
import { editHandlers } from "./edit-requests.ts";
import { isHex } from "./format.ts";
import type { FrameFormat } from "./frame-names.ts";
import { INSPECT_REQUEST } from "./inspect-protocol.ts";
import { milestoneHandlers } from "./milestone-requests.ts";
import { modulesOf } from "./modules.ts";
import { RequestError } from "./request-error.ts";
import { normalPath } from "./sources.ts";

export interface Answer {
  readonly body?: unknown;
  /** What follows the response: events that a client expects behind it. */
  readonly after?: () => void;
}

export type Handler = (args: Readonly<Record<string, unknown>>) => Answer | Promise<Answer>;

/** The protocol's step sizes: what a "line" is here is a SEAMCALL or TDCALL, an "instruction" a step inside the module. */
const GRANULARITIES: Readonly<Record<string, Granularity>> = {
  statement: "statement",
  line: "call",
  instruction: "module",
};

function granularityOf(args: Readonly<Record<string, unknown>>): Granularity {
  return GRANULARITIES[new Arguments(args).text("granularity", "statement")] ?? "statement";
}

export function requestHandlers(debugging: Debugging): ReadonlyMap<string, Handler> {
  const { breakpoints, looking } = debugging;
  const move =
    (direction: "forward" | "backward", command: Command): Handler =>
    (args) => {
      const mover = moverOf(args);
      const after = debugging.move(direction, command, granularityOf(args), mover);
      return { ...(command === "continue" && { body: { allThreadsContinued: !mover.isSingle } }), after };
    };
  const ownMove =
    (command: Command): Handler =>
    (args) => ({ after: debugging.announced(debugging.move("backward", command, granularityOf(args), moverOf(args))) });
  const handlers: Record<string, Handler> = {
    launch: async (args) => {
      const request = new Arguments(args);
      await debugging.launch({
        program: request.required("program"),
        test: request.text("test", ""),
        stopOnEntry: request.flag("stopOnEntry"),
        noDebug: request.flag("noDebug"),
        stopAtEnd: request.flag("stopAtEnd"),
        checkInvariants: request.flag("checkInvariants"),
        historyBudget: historyBudget(request),
      });
      return { after: () => debugging.ready() };
    },
    attach: () => {
      throw new RequestError("there is nothing to attach to: use a launch request", true);
    },
    configurationDone: () => ({ after: debugging.configurationDone() }),
    restart: async () => ({ after: await debugging.restart() }),
    disconnect: () => {
      debugging.end();
      return {};
    },
    terminate: () => ({ after: debugging.terminate() }),
    pause: () => {
      debugging.pause();
      return {};
    },
    continue: move("forward", "continue"),
    next: move("forward", "over"),
    stepIn: move("forward", "in"),
    stepOut: move("forward", "out"),
    stepBack: move("backward", "over"),
    reverseContinue: move("backward", "continue"),
    "tdx/reverseIn": ownMove("in"),
    "tdx/reverseOut": ownMove("out"),
    "tdx/goToStep": (args) => {
      const request = new Arguments(args);
      const branch = request.number("branch", 0);
      const start = debugging.goToStep(request.number("step"), request.number("place", 0), branch);
      return { after: debugging.announced(start) };
    },
    "tdx/whoChanged": (args) => {
      const wanted = new Arguments(args).text("dataId", "") || dataWanted(args);
      return { after: debugging.announced(debugging.goToChange(wanted)) };
    },

    setBreakpoints: async (args) => {
      const request = new Arguments(args);
      const wanted = request.objects("breakpoints").map(breakpoint);
      const path = request.object("source").text("path", "");
      return { body: { breakpoints: await breakpoints.lines(debugging.needSession(), path, wanted) } };
    },
    setFunctionBreakpoints: (args) => {
      const requests = new Arguments(args).objects("breakpoints");
      const named = requests.map((request) => ({ ...breakpoint(request), name: request.required("name") }));
      return { body: { breakpoints: breakpoints.functions(debugging.needSession(), named) } };
    },
    setExceptionBreakpoints: (args) => {
      const request = new Arguments(args);
      const options = request.objects("filterOptions").map((option) => ({
        filter: option.required("filterId"),
        condition: option.text("condition", ""),
      }));
      const session = debugging.needSession();
      return { body: { breakpoints: breakpoints.exceptions(session, request.texts("filters"), options) } };
    },
    setInstructionBreakpoints: async (args) => {
      const requests = new Arguments(args).objects("breakpoints").map((request) => ({
        ...breakpoint(request),
        reference: request.required("instructionReference"),
        offset: request.number("offset", 0),
      }));
      return {
        body: { breakpoints: await breakpoints.instructions(debugging.needSession(), looking.instructions, requests) },
      };
    },
    dataBreakpointInfo: (args) => ({ body: looking.dataInfo(debugging.needStopped(), dataWanted(args)) }),
    setDataBreakpoints: (args) => {
      const requests = new Arguments(args).objects("breakpoints");
      const wanted = requests.map((request) => ({
        ...breakpoint(request),
        dataId: request.required("dataId"),
        accessType: request.text("accessType", ""),
      }));
      return { body: { breakpoints: breakpoints.data(debugging.needSession(), wanted) } };
    },
    breakpointLocations: async (args) => {
      const request = new Arguments(args);
      const path = request.object("source").text("path", "");
      const first = request.number("line");
      const last = request.number("endLine", first);
      return { body: { breakpoints: await breakpoints.locations(debugging.needSession(), path, first, last) } };
    },

    threads: () => {
      const session = debugging.maybeSession;
      return { body: { threads: session ? looking.threads(session) : [] } };
    },
    stackTrace: async (args) => {
      const request = new Arguments(args);
      const frames = await looking.stack(debugging.needStopped(), request.number("threadId"), frameFormat(request));
      return { body: { stackFrames: request.page(frames, "startFrame", "levels"), totalFrames: frames.length } };
    },
    stepInTargets: (args) => {
      const frame = new Arguments(args).number("frameId");
      return { body: { targets: looking.stepTargets(debugging.needStopped(), frame) } };
    },
    scopes: (args) => {
      const frame = new Arguments(args).number("frameId");
      return { body: { scopes: looking.scopes(debugging.needStopped(), frame) } };
    },
    variables: (args) => {
      const request = new Arguments(args);
      debugging.needStopped();
      const all = looking.variables(request.number("variablesReference"), isHex(request));
      return { body: { variables: request.page(all, "start", "count") } };
    },
    evaluate: (args) => {
      const request = new Arguments(args);
      const expression = request.required("expression");
      return { body: looking.evaluate(debugging.needStopped(), expression, request.frame(), isHex(request)) };
    },
    completions: (args) => {
      const request = new Arguments(args);
      const text = request.text("text", "");
      const cursor = { line: request.number("line", debugging.client.line(1)), column: request.number("column") };
      return { body: looking.completions(debugging.needStopped(), text, cursor, request.frame()) };
    },
    exceptionInfo: () => {
      const session = debugging.needStopped();
      return { body: looking.exceptionInfo(session, debugging.lastStop?.exception) };
    },
    readMemory: (args) => {
      const request = new Arguments(args);
      const reference = request.required("memoryReference");
      const session = debugging.needStopped();
      return { body: looking.memory.read(session, reference, request.number("offset", 0), request.number("count")) };
    },
    disassemble: async (args) => {
      const request = new Arguments(args);
      const reference = request.required("memoryReference");
      const offset = request.number("offset", 0);
      const skip = request.number("instructionOffset", 0);
      const count = request.number("instructionCount");
      debugging.needStopped();
      const instructions = await looking.instructions.disassemble(reference, offset, skip, count);
      const numbered = instructions.map(({ line, ...instruction }) => ({
        ...instruction,
        ...(line !== undefined && { line: debugging.client.line(line) }),
      }));
      return { body: { instructions: numbered } };
    },
    modules: (args) => {
      const request = new Arguments(args);
      const all = modulesOf(debugging.needSession(), (path) => debugging.sources.isShipped(path));
      return { body: { modules: request.page(all, "startModule", "moduleCount"), totalModules: all.length } };
    },
    ...editHandlers(debugging),
    ...milestoneHandlers(debugging),
    source: async (args) => {
      const path = new Arguments(args).object("source").text("path", "");
      const flows = debugging.maybeSession?.program.sources ?? [];
      // Whoever reaches a server's port may not read just any file.
      if (!debugging.sources.isOwn(path) && !flows.some((flow) => flow.path === normalPath(path))) {
        throw new RequestError(`"${path}" is no source of this session`);
      }
      return { body: { content: await debugging.sources.text(path) } };
    },
    loadedSources: () => ({ body: { sources: looking.loadedSources(debugging.needSession()) } }),
    [INSPECT_REQUEST]: (args) => {
      const request = new Arguments(args);
      const node = request.text("node", "") || undefined;
      return { body: looking.inspect(debugging.needStopped(), request.required("view"), node) };
    },
  };
  return new Map(Object.entries(handlers));
}

/** In bytes. */
function historyBudget(request: Arguments): number {
  const megabytes = request.number("historyBudgetMB", 512);
  if (megabytes < 0) throw new RequestError('"historyBudgetMB" cannot be negative', true);
  return megabytes * 2 ** 20;
}

function moverOf(args: Readonly<Record<string, unknown>>): Mover {
  const request = new Arguments(args);
  return {
    thread: request.has("threadId") ? request.number("threadId") : undefined,
    isSingle: request.flag("singleThread"),
    target: request.has("targetId") ? request.number("targetId") : undefined,
  };
}

function frameFormat(request: Arguments): FrameFormat {
  const format = request.object("format");
  return {
    hex: format.flag("hex"),
    parameters: format.flag("parameters"),
    parameterNames: format.flag("parameterNames"),
    parameterTypes: format.flag("parameterTypes"),
    parameterValues: format.flag("parameterValues"),
    line: format.flag("line"),
  };
}

function dataWanted(args: Readonly<Record<string, unknown>>): DataWanted {
  const request = new Arguments(args);
  return {
    reference: request.number("variablesReference", 0),
    name: request.required("name"),
    frameId: request.frame(),
    bytes: request.number("bytes", 0),
    isAddress: request.flag("asAddress"),
  };
}

function breakpoint(request: Arguments): DebugProtocol.SourceBreakpoint {
  return {
    line: request.number("line", 1),
    ...(request.has("column") && { column: request.number("column") }),
    condition: request.text("condition", ""),
    hitCondition: request.text("hitCondition", ""),
    logMessage: request.text("logMessage", ""),
    mode: request.text("mode", ""),
  };
}
