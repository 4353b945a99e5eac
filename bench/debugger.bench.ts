/**
 * Speed of run control, on a flow that maps pages with TDH.MEM.PAGE.AUG in a loop: what history costs, how fast one goes back,
 * what breakpoints cost that cannot hit, how soon a session stands and how soon it pauses.
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { TdxDebugSession } from "../src/adapter/session.ts";
import { Session } from "../src/debugger/session.ts";
import { compileFlow } from "../src/language/compile.ts";
import type { FlowProgram } from "../src/language/flow-code.ts";
import { Machine } from "../src/module/machine.ts";
import { platformConfig } from "../src/runtime/platform.ts";
import { Runtime } from "../src/runtime/runtime.ts";
import { Store } from "../src/state/store.ts";
import { type Figure, median } from "./figures.ts";

const ROOT = resolve(import.meta.dirname, "..");
const FLOWS = join(ROOT, "flows");
const PATH = "/bench/flow.tdx";
const BUDGET = 2 ** 30;
/** Calls of the long run: each pass maps as many pages as one S-EPT table has entries, and takes them out again. */
const PASSES = 650;
const PAGES = 512;
const CALLS = PASSES * PAGES * 3;

const FLOW = `import "tdx/host"
let td = new_td({ attributes: 0, pages: 1 })
let first = alloc_page()
for i in 1 .. ${PAGES} { alloc_page() }
fn pass(td, first) {
    for i in 1 .. ${PAGES} {
        TDH.MEM.PAGE.AUG(gpa: i * 4K, level: 0, tdr: td.tdr, hpa: first + i * 4K)
    }
    for i in 1 .. ${PAGES} { TDH.MEM.RANGE.BLOCK(gpa: i * 4K, level: 0, tdr: td.tdr) }
    TDH.MEM.TRACK(tdr: td.tdr)
    for i in 1 .. ${PAGES} { TDH.MEM.PAGE.REMOVE(gpa: i * 4K, level: 0, tdr: td.tdr) }
}
for n in 0 .. ${PASSES} { pass(td, first) }
log "end"
`;

const readSource = (path: string): string | undefined => {
  if (path === PATH) return FLOW;
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
};

async function timed(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function compile(): Promise<FlowProgram> {
  const { program, diagnostics } = await compileFlow(PATH, { readSource, flowsFolder: FLOWS });
  if (program === undefined) throw new Error(diagnostics[0]?.message);
  return program;
}

async function open(): Promise<Session> {
  const { session, diagnostics } = await Session.open({
    path: PATH,
    readSource,
    flowsFolder: FLOWS,
    historyBudget: BUDGET,
    host: {
      breathe: () => new Promise((done) => setImmediate(done)),
      now: () => performance.now(),
      message: () => undefined,
      output: () => undefined,
    },
  });
  if (session === undefined) throw new Error(diagnostics[0]?.message);
  return session;
}

/** Milliseconds that the whole flow takes, and the store that it leaves. */
async function wholeRun(program: FlowProgram, recording: boolean): Promise<{ ms: number; store: Store }> {
  const store = new Store({ recording, historyBudget: BUDGET });
  const runtime = new Runtime(program, new Machine(store, platformConfig(program.platform)));
  const ms = await timed(() => {
    while (runtime.status === "running") runtime.run(100_000);
  });
  if (runtime.failure) throw new Error(runtime.failure.message);
  return { ms, store };
}

async function history(): Promise<Figure[]> {
  const program = await compile();
  await wholeRun(program, true);
  const off = await wholeRun(program, false);
  const on = await wholeRun(program, true);
  return [
    { name: "SEAMCALLs of a flow, history off", value: (CALLS * 1000) / off.ms, unit: "calls/s" },
    { name: "SEAMCALLs of a flow, history on", value: (CALLS * 1000) / on.ms, unit: "calls/s", aim: 500_000 },
    { name: "slower with history", value: (on.ms / off.ms - 1) * 100, unit: "%", aim: 20 },
    { name: "history of a SEAMCALL and its statement", value: on.store.historyBytes / CALLS, unit: "bytes", aim: 160 },
  ];
}

async function back(): Promise<Figure[]> {
  const session = await open();
  const { control } = session;
  await control.forward("continue");
  const end = session.position.step;
  // Into the last loop of the last pass: there a step is one SEAMCALL, not a pass of them.
  await control.goToStep(end - 100);
  const steps: number[] = [];
  for (let i = 0; i < 201; i++) steps.push(await timed(() => control.backward("over")));
  steps.sort((a, b) => a - b);
  await control.goToStep(end);
  session.breakpoints.setFunctions([{ name: "TDH.MEM.TRACK", condition: "tdr == 1" }]);
  const noHit = await timed(() => control.backward("continue"));
  await control.goToStep(end);
  session.breakpoints.setFunctions([{ name: "TDH.MEM.PAGE.AUG", condition: "gpa == 1" }]);
  const oftenAsked = await timed(() => control.backward("continue"));
  return [
    { name: "step back behind a million SEAMCALLs, the median", value: steps[100] as number, unit: "ms", aim: 1 },
    {
      name: "step back behind a million SEAMCALLs, the slowest of 201",
      value: steps[200] as number,
      unit: "ms",
      aim: 1,
    },
    { name: "reverse continue over all, a breakpoint on TDH.MEM.TRACK", value: noHit / 1000, unit: "s", aim: 2 },
    { name: "reverse continue over all, one on TDH.MEM.PAGE.AUG", value: oftenAsked / 1000, unit: "s", aim: 2 },
  ];
}

async function breakpoints(): Promise<Figure[]> {
  const run = async (count: number): Promise<number> => {
    const session = await open();
    const requests = Array.from({ length: count }, (_, i) => ({ name: "TDH.MNG.*", condition: `tdr == ${i}` }));
    session.breakpoints.setFunctions(requests);
    globalThis.gc?.();
    return timed(() => session.control.forward("continue"));
  };
  await run(0);
  // In turns, and the median of each: one pair alone differs by up to 10 % either way.
  const runs: { none: number; hundred: number }[] = [];
  for (let i = 0; i < 5; i++) runs.push({ none: await run(0), hundred: await run(100) });
  const none = median(runs.map((pair) => pair.none));
  const hundred = median(runs.map((pair) => pair.hundred));
  return [
    { name: "run under the debugger, no breakpoints", value: (CALLS * 1000) / none, unit: "calls/s" },
    { name: "slower with 100 function breakpoints elsewhere", value: (hundred / none - 1) * 100, unit: "%", aim: 5 },
  ];
}

/** An adapter that is asked in the same process. */
class Client {
  private readonly session = new TdxDebugSession({
    shippedRoot: ROOT,
    readFile: async (path) => readSource(path) ?? Promise.reject(new Error(`no ${path}`)),
  });
  private readonly waiting: { readonly event: string; readonly done: () => void }[] = [];

  constructor() {
    this.session.onDidSendMessage((message) => {
      const { event } = message as { event?: string };
      const index = this.waiting.findIndex((wait) => wait.event === event);
      if (index >= 0) this.waiting.splice(index, 1)[0]?.done();
    });
  }

  ask(command: string, args: object = {}): void {
    this.session.handleMessage({ type: "request", seq: 1, command, arguments: args } as never);
  }

  event(event: string): Promise<void> {
    return new Promise((done) => this.waiting.push({ event, done }));
  }

  async launch(stopOnEntry: boolean): Promise<void> {
    const ready = this.event("initialized");
    this.ask("initialize", { adapterID: "tdxflow" });
    this.ask("launch", { program: PATH, stopOnEntry });
    await ready;
    this.ask("configurationDone");
  }
}

async function adapter(): Promise<Figure[]> {
  const launch = async (): Promise<void> => {
    const client = new Client();
    const stopped = client.event("stopped");
    await client.launch(true);
    await stopped;
  };
  await launch();
  const toStop = await timed(launch);
  const client = new Client();
  await client.launch(false);
  let worst = 0;
  for (let i = 0; i < 5; i++) {
    await new Promise((done) => setTimeout(done, 30));
    const stopped = client.event("stopped");
    worst = Math.max(
      worst,
      await timed(() => {
        client.ask("pause");
        return stopped;
      }),
    );
    client.ask("continue", { threadId: 1 });
  }
  client.ask("disconnect");
  return [
    { name: "launch to the stop on entry, warm", value: toStop, unit: "ms", aim: 150 },
    { name: "pause while the flow runs, the slowest of 5", value: worst, unit: "ms", aim: 100 },
  ];
}

export async function run(): Promise<Figure[]> {
  return [...(await adapter()), ...(await history()), ...(await breakpoints()), ...(await back())];
}
