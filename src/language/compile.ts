/** Compiles a flow: all its files to one program. */

import { compileExpression } from "./compile-expressions.ts";
import { finishFunction } from "./compile-functions.ts";
import { compileModules } from "./compile-modules.ts";
import { type Diagnostic, DiagnosticSink, sourceFile } from "./diagnostics.ts";
import { Doubt } from "./doubt.ts";
import type { FlowFunction, FlowProgram } from "./flow-code.ts";
import { FunctionContext } from "./function-context.ts";
import { type LoadOptions, loadFlow, type Module } from "./load.ts";
import { parseExpression } from "./parse.ts";
import { Scope, type Use } from "./scope.ts";
import { Tables } from "./tables.ts";
import type { Work } from "./work.ts";

export interface CompileResult {
  /** Absent if there was an error. */
  readonly program: FlowProgram | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads, checks and compiles the flow at `path`. Never throws for anything that is in a source. */
export async function compileFlow(path: string, options: LoadOptions): Promise<CompileResult> {
  const sink = new DiagnosticSink();
  const { modules } = await loadFlow(path, options, sink);
  const program = compileModules(modules, sink);
  return { program: sink.failed ? undefined : program, diagnostics: sink.sorted };
}

/** What an editor wants to know about a flow, whether or not it has mistakes. */
export interface FlowAnalysis {
  readonly modules: readonly Module[];
  /** Every place where a name is declared or used. */
  readonly uses: readonly Use[];
  readonly diagnostics: readonly Diagnostic[];
}

export async function analyseFlow(path: string, options: LoadOptions): Promise<FlowAnalysis> {
  const sink = new DiagnosticSink();
  const { modules } = await loadFlow(path, options, sink);
  const uses: Use[] = [];
  compileModules(modules, sink, uses);
  return { modules, uses, diagnostics: sink.sorted };
}

/** A watch expression as a little program of its own; its globals are those of the flow. */
export interface WatchExpression {
  readonly program: FlowProgram;
  readonly fn: FlowFunction;
}

/** Slots from here on are no locals but values that whoever evaluates a watch expression gives along. */
export const GIVEN_SLOTS = 1_000_000;

/**
 * Compiles an expression that is looked at, not run, where `fn` stands at `pc`. Gives the message of the first error instead.
 *
 * @param given further names; a local of the same name hides one, and one that yields is hidden by any variable of the flow
 */
export function compileWatch(
  text: string,
  flow: FlowProgram,
  fn: FlowFunction,
  pc: number,
  given: readonly { readonly name: string; readonly yields?: boolean }[] = [],
): WatchExpression | string {
  const sink = new DiagnosticSink();
  const source = sourceFile("expression", text);
  const expression = parseExpression(text, source, 0, sink);
  const tables = new Tables();
  const declared = { source, start: 0, end: 0 };
  const moduleNames = flow.modules.get(fn.source.path) ?? new Map();
  const module = new Scope(undefined, moduleNames);
  const context = new FunctionContext("function", new Scope(module));
  context.emitter.locals = fn.locals;
  given.forEach(({ name, yields }, index) => {
    if (yields && moduleNames.has(name)) return;
    context.scope.names.set(name, {
      kind: "local",
      name,
      slot: GIVEN_SLOTS + index,
      context,
      captured: false,
      reads: { count: 0 },
      holds: "anything",
      declared,
    });
  });
  for (const variable of fn.variables) {
    if (pc < variable.from || pc >= variable.to) continue;
    context.scope.names.set(variable.name, {
      kind: "local",
      name: variable.name,
      slot: variable.slot,
      context,
      captured: false,
      reads: { count: 0 },
      holds: "anything",
      declared,
    });
  }
  const work: Work = { tables, sink, source, pure: true, context, doubt: new Doubt(source, []), uses: undefined };
  const index = tables.reserveFunction();
  compileExpression(work, expression);
  finishFunction(work, index, "watch", [], [], { start: 0, end: text.length }, 0);
  const error = sink.all[0];
  if (error !== undefined) return error.message;
  const compiled = tables.functions[index] as FlowFunction;
  return { program: { ...flow, ...tables, globals: flow.globals }, fn: compiled };
}
