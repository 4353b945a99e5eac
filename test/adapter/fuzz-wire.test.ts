/**
 * Any client: tens of thousands of messages over the wire, malformed, reordered, unknown and all at once. Each request gets exactly
 * one answer, none shows a defect of ours, and the session lives on. TDXFLOW_FUZZ_MESSAGES and TDXFLOW_FUZZ_SEED change the run.
 */
import { PassThrough } from "node:stream";
import type { DebugProtocol } from "@vscode/debugprotocol";
import { expect, it } from "vitest";
import { TdxDebugSession } from "../../src/adapter/session.ts";
import { hostOf, ROOT } from "./support.ts";

const MESSAGES = Number(process.env.TDXFLOW_FUZZ_MESSAGES ?? 50_000);
const SEED = Number(process.env.TDXFLOW_FUZZ_SEED ?? 1);
const PER_SESSION = 500;
const LANES = 5;
const PATIENCE_MS = 20_000;

const SMALL = "/flows/test.tdx";
const TEXT = `fn f(x) { return x + 1 }
let n = 0
let list = [1, 2, { a: 3 }]
for i in 0 .. 5 { n = f(n) }
let r = TDH.SYS.INIT()
on lp 1 { TDH.SYS.LP.INIT() }
spawn other on lp 2 { TDH.SYS.LP.INIT() }
join other
if n > 3 { warn("n is {n}") }
TDH.SYS.RD(field: 5)
`;
const SCENARIO = `${ROOT}/scenarios/accept.tdx`;

/** Numbers that look random and are the same for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Json = unknown;

/** What a client was told and may ask with: frames, variables, addresses. */
class Told {
  private readonly values = new Map<string, Json[]>();

  note(body: Json): void {
    if (typeof body !== "object" || body === null) return;
    for (const [key, value] of Object.entries(body)) {
      if (key === "stackFrames")
        this.values.set(
          "frame",
          (value as { id: number }[]).map(({ id }) => id),
        );
      else if (typeof value === "object") this.note(value);
      else this.values.set(key, [...(this.values.get(key) ?? []), value].slice(-8));
    }
  }

  of(key: string): readonly Json[] {
    return this.values.get(key) ?? [];
  }
}

class Generator {
  private readonly next: () => number;
  private readonly program: string;
  private readonly told: Told;

  constructor(seed: number, program: string, told: Told) {
    this.next = random(seed);
    this.program = program;
    this.told = told;
  }

  /** Something that the client was told under a name, or else a small number. */
  private known(key: string): Json {
    const values = this.told.of(key);
    return values.length > 0 && this.chance(0.9) ? this.one(values) : this.below(40);
  }

  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  chance(part: number): boolean {
    return this.next() < part;
  }

  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  /** Anything at all. */
  private junk(depth = 2): Json {
    const leaf: readonly Json[] = [
      ...[0, 1, -1, 2, 7, 1e9, 1.5, 2 ** 53, Number.MAX_VALUE, null, true, false],
      ...["", "n", "f(", "0x100000000", "__proto__", "\u0000\ud800", "a".repeat(300), this.program],
    ];
    if (depth === 0 || this.chance(0.7)) return this.one(leaf);
    if (this.chance(0.5)) return Array.from({ length: this.below(4) }, () => this.junk(depth - 1));
    const keys = ["path", "name", "line", "hex", "a", "length", "constructor"];
    return Object.fromEntries(Array.from({ length: this.below(4) }, () => [this.one(keys), this.junk(depth - 1)]));
  }

  private expression(): string {
    return this.one([
      ...[
        "n",
        "n + 1",
        "list[2].a",
        "r.status",
        "nope",
        "f(",
        "1 / 0",
        "lp == 0",
        "gpa",
        "td0:0x1000",
        "host:0x0",
        "raw:0x1",
      ],
      ...[
        'after("f")',
        "after(4) && n > 2",
        "status == TDX_SUCCESS",
        "{ a: 1 }",
        "n =",
        "\u{1f600}",
        "hex(n)",
        "TDX_PAGE_*",
      ],
    ]);
  }

  private breakpoint(): Json {
    return {
      line: this.below(14),
      ...(this.chance(0.3) && { condition: this.expression() }),
      ...(this.chance(0.2) && { hitCondition: this.one(["2", ">=1", "%2", "x", ""]) }),
      ...(this.chance(0.2) && { logMessage: "n is {n} {nope}" }),
    };
  }

  private list(make: () => Json): Json[] {
    return Array.from({ length: this.below(4) }, make);
  }

  private readonly step = (): Json => ({
    threadId: this.one([1, 1, 1, 2, 0]),
    granularity: this.one(["statement", "line", "instruction"]),
  });
  private readonly none = (): Json => ({});

  /** What a client might send; a part of it is then spoiled. */
  private readonly requests: Readonly<Record<string, () => Json>> = {
    continue: this.step,
    next: this.step,
    stepIn: this.step,
    stepOut: this.step,
    stepBack: this.step,
    reverseContinue: this.step,
    "tdx/reverseIn": this.step,
    "tdx/reverseOut": this.step,
    "tdx/goToStep": () => ({ step: this.below(60), place: this.below(4) }),
    "tdx/whoChanged": () => ({ name: this.expression(), frameId: this.known("frame") }),
    "tdx/branches": this.none,
    "tdx/switchBranch": () => ({ branch: this.known("branch") }),
    "tdx/milestones": () => ({ count: this.below(9), start: this.below(9) }),
    "tdx/goToMilestone": () => ({ id: this.known("id") }),
    "tdx/inspect": () => ({
      view: this.one(["platform", "domains", "sept", "pamt", "x"]),
      node: this.one(["", "module", "td0"]),
    }),
    pause: this.step,
    cancel: () => ({ requestId: this.below(500) }),
    restart: this.none,
    restartFrame: () => ({ frameId: this.known("frame") }),
    setBreakpoints: () => ({ source: { path: this.program }, breakpoints: this.list(() => this.breakpoint()) }),
    setFunctionBreakpoints: () => ({
      breakpoints: this.list(() => ({ name: this.one(["f", "TDH.*", "f%return", "TDH.SYS.INIT%return", "x"]) })),
    }),
    setExceptionBreakpoints: () => ({
      filters: this.list(() => this.one(["expect", "host-warn", "seamcall-error", "invariant", "x"])),
      filterOptions: this.list(() => ({ filterId: "seamcall-error", condition: this.expression() })),
    }),
    setInstructionBreakpoints: () => ({
      breakpoints: this.list(() => ({
        instructionReference: this.one([this.known("address"), "0x1", "x"]),
        offset: this.below(9),
      })),
    }),
    dataBreakpointInfo: () => ({
      name: this.one(["n", "0x2000", "x"]),
      bytes: this.below(20),
      asAddress: this.chance(0.3),
    }),
    setDataBreakpoints: () => ({
      breakpoints: this.list(() => ({
        dataId: this.one(["m:0x2000:8", "s:3", "c:1:2", "x", "m:0x0:4096", this.known("dataId")]),
        accessType: this.one(["read", "write", "readWrite", "change"]),
      })),
    }),
    breakpointLocations: () => ({ source: { path: this.program }, line: this.below(14) }),
    threads: this.none,
    stackTrace: () => ({ threadId: this.one([1, 1, 1, 1, 2, 9]), format: { hex: this.chance(0.5), parameters: true } }),
    scopes: () => ({ frameId: this.known("frame") }),
    variables: () => ({ variablesReference: this.known("variablesReference"), format: { hex: true } }),
    evaluate: () => ({
      expression: this.expression(),
      frameId: this.known("frame"),
      context: this.one(["hover", "repl", "watch"]),
    }),
    setVariable: () => ({
      variablesReference: this.known("variablesReference"),
      name: this.one(["n", "list", "x", this.known("name")]),
      value: this.expression(),
    }),
    setExpression: () => ({ expression: this.expression(), value: this.expression(), frameId: this.known("frame") }),
    completions: () => ({ text: this.expression(), column: this.below(9), line: this.below(2) }),
    exceptionInfo: this.step,
    readMemory: () => ({
      memoryReference: this.one(["0x2000", "host:0x1000", "td0:0x0", "x"]),
      count: this.below(600),
      offset: this.below(9),
    }),
    writeMemory: () => ({ memoryReference: "0x2000", data: this.one(["AAAA", "*", ""]), offset: this.below(9) }),
    disassemble: () => ({
      memoryReference: this.one([this.known("instructionPointerReference"), "x"]),
      instructionOffset: -3,
      instructionCount: this.below(20),
    }),
    modules: this.none,
    loadedSources: this.none,
    source: () => ({ source: { path: this.one([this.program, "/nowhere"]) } }),
    gotoTargets: () => ({ source: { path: this.program }, line: this.below(14) }),
    goto: () => ({ threadId: 1, targetId: this.known("id") }),
    stepInTargets: () => ({ frameId: this.known("frame") }),
    terminateThreads: () => ({ threadIds: [1] }),
    configurationDone: this.none,
    launch: () => ({ program: this.one([this.program, "/nowhere", ""]), stopOnEntry: true, stopAtEnd: true }),
    attach: this.none,
    initialize: () => ({ adapterID: "x", linesStartAt1: true, columnsStartAt1: true }),
    unknown: this.none,
    toString: this.none,
    __proto__: this.none,
    "": this.none,
  };

  private readonly commands = Object.keys(this.requests);

  /** A request; `seq` is its own. */
  request(seq: number): Json {
    // Whoever looks at a stop asks for its frames and what they hold.
    const command = this.chance(0.2) ? this.one(["stackTrace", "scopes", "variables"]) : this.one(this.commands);
    let args = this.requests[command]?.();
    if (this.chance(0.15) && typeof args === "object" && args !== null) {
      const keys = [...Object.keys(args), "threadId", "frameId", "breakpoints", "source", "format", "line"];
      args = { ...args, [this.one(keys)]: this.junk() };
    } else if (this.chance(0.05)) args = this.junk();
    return {
      type: "request",
      seq,
      command: this.chance(0.01) ? this.junk() : command,
      ...(args !== undefined && { arguments: args }),
    };
  }

  /** Bytes that are no request: they get no answer. */
  noise(): string {
    const bodies = [
      "null",
      "[]",
      "1",
      "{",
      '"x"',
      '{"type":"response","request_seq":1}',
      '{"type":"event"}',
      "",
      "\u0000",
      '{"seq":1}',
    ];
    const body = this.one(bodies);
    return this.one([framed(body), "X-Header: 1\r\n\r\n", "Content-Length: x\r\n\r\n"]);
  }
}

function framed(body: string): string {
  return `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** The client's end of a wire. */
class Wire {
  readonly input = new PassThrough();
  readonly answers = new Map<number, DebugProtocol.Response[]>();
  readonly told = new Told();
  errors = "";
  stops = 0;
  hasEnded = false;
  private rest = Buffer.alloc(0);
  private wanted: { readonly seq: number; readonly done: () => void } | undefined;

  constructor() {
    const output = new PassThrough();
    output.on("data", (data: Buffer) => this.take(data));
    new TdxDebugSession(hostOf({ [SMALL]: TEXT })).start(this.input, output);
  }

  send(message: Json): void {
    this.input.write(framed(JSON.stringify(message)));
  }

  answered(seq: number): Promise<void> {
    return new Promise((done) => {
      if (this.answers.has(seq)) done();
      else this.wanted = { seq, done };
    });
  }

  private take(data: Buffer): void {
    this.rest = Buffer.concat([this.rest, data]);
    for (;;) {
      const head = /^Content-Length: (\d+)\r\n\r\n/.exec(this.rest.toString("latin1", 0, 40));
      if (head === null) return;
      const end = head[0].length + Number(head[1]);
      if (this.rest.length < end) return;
      this.message(JSON.parse(this.rest.toString("utf8", head[0].length, end)));
      this.rest = this.rest.subarray(end);
    }
  }

  private message(message: DebugProtocol.ProtocolMessage): void {
    if (message.type === "response") {
      const response = message as DebugProtocol.Response;
      const seq = response.request_seq;
      this.answers.set(seq, [...(this.answers.get(seq) ?? []), response]);
      this.told.note(response.body);
      if (this.wanted?.seq === seq) this.wanted.done();
    } else {
      const { event, body } = message as DebugProtocol.Event;
      if (event === "output" && body.category === "stderr") this.errors += body.output;
      if (event === "stopped") this.stops++;
      if (event === "terminated") this.hasEnded = true;
    }
  }
}

/** Sends at most so many messages, fewer where the flow comes to its end. Returns how many. */
async function session(seed: number, count: number): Promise<number> {
  const program = seed % 10 === 0 ? SCENARIO : SMALL;
  const wire = new Wire();
  const generator = new Generator(seed, program, wire.told);
  const sent = new Map<number, string>();
  let seq = 0;
  const send = (message: Json): number => {
    sent.set(++seq, JSON.stringify(message));
    wire.send({ ...(message as object), seq });
    return seq;
  };
  // Some begin with anything at all.
  for (let i = generator.chance(0.3) ? 30 : 0; i > 0; i--) send(generator.request(0) as object);
  for (const [command, args] of Object.entries({
    initialize: { adapterID: "x" },
    launch: { program, stopOnEntry: true, stopAtEnd: true },
    configurationDone: {},
  })) {
    await wire.answered(send({ type: "request", command, arguments: args }));
  }
  // A client that goes on long after the end learns nothing new.
  for (let after = 0; seq < count && after < 20; after += wire.hasEnded ? 1 : 0) {
    if (generator.chance(0.03)) wire.input.write(generator.noise());
    const { stops } = wire;
    const last = send(generator.request(0) as object);
    if (!generator.chance(0.8)) continue;
    await wire.answered(last);
    // What moves takes a while; most clients wait for it.
    const isMoving = wire.answers.get(last)?.[0]?.success && generator.chance(0.9);
    for (let i = 0; isMoving && i < 3 && wire.stops === stops; i++) await breathe();
  }
  // It lives: it answers, stops when it is told to, and leaves.
  await wire.answered(send({ type: "request", command: "pause" }));
  await wire.answered(send({ type: "request", command: "disconnect" }));
  const deadline = Date.now() + PATIENCE_MS;
  while (wire.answers.size < sent.size && Date.now() < deadline) await breathe();
  for (const [number, message] of sent) {
    const answers = wire.answers.get(number) ?? [];
    const where = `seed ${seed}, message ${number}: ${message}`;
    expect(answers.length, where).toBe(1);
    // An answer that shows where this program went wrong is a defect of ours.
    expect(answers[0]?.body?.error?.id, `${where} → ${answers[0]?.body?.error?.format}`).not.toBe(2);
  }
  expect(wire.errors, `seed ${seed}`).not.toContain("internal error");
  wire.input.end();
  return seq;
}

const breathe = (): Promise<void> =>
  new Promise((done) => {
    setTimeout(done, 0);
  });

it(`answers ${MESSAGES} messages, each once, and lives on`, { timeout: 600_000 }, async () => {
  // Several clients at a time, as on a port.
  const lane = async (first: number): Promise<void> => {
    for (let done = 0, seed = first; done < MESSAGES / LANES; seed += LANES) {
      done += await session(seed, Math.min(PER_SESSION, MESSAGES / LANES - done));
    }
  };
  await Promise.all(Array.from({ length: LANES }, (_, i) => lane(SEED + i)));
});
