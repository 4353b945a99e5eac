/** Runs flows given as text, on the real machine. */
import { type CompileResult, compileFlow } from "../../src/language/compile.ts";
import { formatDiagnostic } from "../../src/language/diagnostics.ts";
import type { FlowProgram } from "../../src/language/flow-code.ts";
import { Machine } from "../../src/module/machine.ts";
import { platformConfig } from "../../src/runtime/platform.ts";
import { Runtime, type RuntimeOptions } from "../../src/runtime/runtime.ts";
import { Store } from "../../src/state/store.ts";
import { readShipped } from "./td.ts";

/** Compiles sources given by path, beside the shipped flows; the flow is "main.tdx". */
export function compileSources(sources: Readonly<Record<string, string>>): Promise<CompileResult> {
  return compileFlow("main.tdx", {
    readSource: (path) => (Object.hasOwn(sources, path) ? sources[path] : readShipped(path)),
    flowsFolder: "flows",
  });
}

export async function compiled(source: string): Promise<FlowProgram> {
  const { program, diagnostics } = await compileSources({ "main.tdx": source });
  if (program === undefined) throw new Error(diagnostics.map(formatDiagnostic).join("\n"));
  return program;
}

/** Messages of all diagnostics of a source, as `line:column message`. */
export async function complaints(source: string): Promise<string[]> {
  const { diagnostics } = await compileSources({ "main.tdx": source });
  return diagnostics.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

export interface Session {
  readonly runtime: Runtime;
  readonly machine: Machine;
  readonly store: Store;
  readonly output: string[];
}

export async function session(source: string, options: RuntimeOptions = {}): Promise<Session> {
  return start(await compiled(source), options);
}

export function start(program: FlowProgram, options: RuntimeOptions = {}): Session {
  const store = new Store();
  const machine = new Machine(store, platformConfig(program.platform));
  const output: string[] = [];
  const hooks = { ...options.hooks, output: (text: string) => output.push(text) };
  return { runtime: new Runtime(program, machine, { ...options, hooks }), machine, store, output };
}

/** Runs a flow to its end. Returns what it logged; throws what it failed with. */
export async function run(source: string, units = 1_000_000): Promise<string[]> {
  const { runtime, output } = await session(source);
  runtime.run(units);
  const { failure } = runtime;
  if (failure !== undefined)
    throw new Error(
      `${failure.line}:${failure.column} ${failure.message}${failure.hint === "" ? "" : ` (${failure.hint})`}`,
    );
  if (runtime.status !== "done") throw new Error("the flow has not ended");
  return output;
}
