/** Runs `test` blocks: each on a machine of its own, the file's statements first. */
import type { FlowProgram, FlowTest } from "../language/flow-code.ts";
import { Machine } from "../module/machine.ts";
import { Store } from "../state/store.ts";
import type { FlowFailure } from "./flow-error.ts";
import { platformConfig } from "./platform.ts";
import { Runtime } from "./runtime.ts";

export interface TestResult {
  readonly test: FlowTest;
  /** What `log` printed. */
  readonly output: readonly string[];
  /** Undefined if the test passed. */
  readonly failure: FlowFailure | undefined;
}

/** A test that has not ended after so many statements never will. */
const MAX_STATEMENTS = 100_000_000;
/** Statements between two yields: a few hundredths of a second. */
const SLICE = 100_000;
/** A test does not go back, so history needs no room. */
const NO_HISTORY = 2 ** 20;

/** Runs a test to its end; yields now and then, so that whoever drives it can see to other things, or give up. */
export function* testRun(
  program: FlowProgram,
  test: FlowTest,
  statements = MAX_STATEMENTS,
): Generator<undefined, TestResult> {
  const output: string[] = [];
  const store = new Store({ recording: false, historyBudget: NO_HISTORY });
  const machine = new Machine(store, platformConfig(program.platform));
  const runtime = new Runtime(program, machine, { hooks: { output: (text) => output.push(text) }, entry: test.fn });
  for (let left = statements; runtime.status === "running" && left > 0; left -= SLICE) {
    runtime.run(Math.min(left, SLICE));
    yield;
  }
  const failure = runtime.status === "running" ? endless(runtime, statements) : runtime.failure;
  return { test, output, failure };
}

/** What is said of a flow that does not end: where it stands. */
export function endless(runtime: Runtime, statements: number): FlowFailure {
  const frames = runtime.frames();
  const [top] = frames;
  return {
    message: `the flow has not ended after ${statements} statements`,
    hint: "an endless loop?",
    file: top?.source.path ?? "",
    line: top?.line ?? 1,
    column: top?.column ?? 1,
    stack: frames.map(({ fn, source, line, column }) => `${fn.name} (${source.path}:${line}:${column})`),
  };
}
