/** What a source consists of: its outline, what can be folded, and what can be run on its own. */
import {
  type CodeLens,
  type DocumentSymbol,
  type FoldingRange,
  FoldingRangeKind,
  SymbolKind,
} from "vscode-languageserver";
import { DiagnosticSink } from "../diagnostics.ts";
import { parseSource } from "../parse.ts";
import { nameSpan, spanOf } from "../places.ts";
import { doesSomething } from "../warnings.ts";
import { positionOf, rangeOf } from "./places.ts";
import type { FlowSource } from "./sources.ts";
import { closing, isOpener, type Word } from "./tokens.ts";

const DETAIL_LENGTH = 60;

export function outline({ uri, source }: FlowSource): DocumentSymbol[] {
  const { program } = parseSource(uri, source.text, new DiagnosticSink());
  const symbols: DocumentSymbol[] = [];
  for (const node of program.statements) {
    const span = spanOf(node);
    const range = rangeOf(source, span.start, span.end);
    const add = (name: string | undefined, kind: SymbolKind, detail = "", selected = range) => {
      if (name) symbols.push({ name, kind, detail, range, selectionRange: selected });
    };
    const named = () => {
      const { start, end } = nameSpan(node);
      return rangeOf(source, start, end);
    };
    if (node.$type === "FunctionDeclaration") {
      add(node.name, SymbolKind.Function, `(${node.parameters.map(({ name }) => name).join(", ")})`, named());
    } else if (node.$type === "LetStatement") {
      const value = source.text.slice(spanOf(node.value ?? node).start, span.end).split("\n", 1)[0] as string;
      add(node.name, SymbolKind.Variable, value.slice(0, DETAIL_LENGTH), named());
    } else if (node.$type === "SpawnStatement") add(node.name, SymbolKind.Event, "task", named());
    else if (node.$type === "GuestStatement") add("guest", SymbolKind.Event, guestOf(source.text, node.vcpu));
    else if (node.$type === "TestBlock" && node.label !== undefined)
      add(node.label.slice(1, -1), SymbolKind.Method, "test");
    else if (node.$type === "PlatformBlock") add("platform", SymbolKind.Object);
    else if (node.$type === "Import" && node.path !== undefined)
      add(node.path.slice(1, -1), SymbolKind.Module, node.alias ?? "");
  }
  return symbols;
}

function guestOf(text: string, vcpu: Parameters<typeof spanOf>[0] | undefined): string {
  if (vcpu === undefined) return "";
  const { start, end } = spanOf(vcpu);
  return text.slice(start, end);
}

/** Brackets, comments and imports of more than one line. */
export function foldings({ source, words, comments }: FlowSource): FoldingRange[] {
  const found: FoldingRange[] = [];
  const add = (start: number, end: number, kind?: FoldingRangeKind) => {
    const first = positionOf(source, start).line;
    const last = positionOf(source, end).line;
    if (last > first) found.push({ startLine: first, endLine: last, ...(kind === undefined ? {} : { kind }) });
  };
  for (const [index, word] of words.entries()) {
    if (!isOpener(word)) continue;
    const { start } = word;
    const end = closing(words, index);
    const close = words[end];
    // The line of the closing bracket stays to be seen.
    if (close !== undefined && end > index) add(start, Math.max(start, source.text.lastIndexOf("\n", close.start) - 1));
  }
  for (const run of runs(comments, (a, b) => /^[ \t]*\r?\n[ \t]*$/.test(source.text.slice(a.end, b.start)))) {
    add(run[0]?.start ?? 0, run.at(-1)?.end ?? 0, FoldingRangeKind.Comment);
  }
  const imports = words.filter((word, index) => word.kind === "text" && words[index - 1]?.text === "import");
  for (const run of runs(imports, (a, b) =>
    /^\s*(as\s+\w+\s*)?;?\s*import\s*$/.test(source.text.slice(a.end, b.start)),
  )) {
    add(run[0]?.start ?? 0, run.at(-1)?.end ?? 0, FoldingRangeKind.Imports);
  }
  return found;
}

function runs<T>(items: readonly T[], together: (a: T, b: T) => boolean): T[][] {
  const found: T[][] = [];
  for (const item of items) {
    const last = found.at(-1);
    if (last !== undefined && together(last.at(-1) as T, item)) last.push(item);
    else found.push([item]);
  }
  return found;
}

/** The commands that the editor has for running a flow. */
export const RUN_COMMAND = "tdxflow.runFile";
export const DEBUG_COMMAND = "tdxflow.debugFile";
export const RUN_TEST_COMMAND = "tdxflow.runTest";
export const DEBUG_TEST_COMMAND = "tdxflow.debugTest";

/** A `test` block: its name, and where it lies. */
export interface TestPlace {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** The test blocks of a source, by its words, so that they are found in a source with mistakes too. */
export function testsOf({ words }: Pick<FlowSource, "words">): TestPlace[] {
  const found: TestPlace[] = [];
  for (let index = 0; index < words.length; index++) {
    const { text, start } = words[index] as Word;
    if (isOpener(words[index])) index = closing(words, index);
    const label = words[index + 1];
    if (text !== "test" || label?.kind !== "text" || words[index + 2]?.text !== "{") continue;
    const end = words[closing(words, index + 2)]?.end ?? label.end;
    found.push({ name: label.text.slice(1, -1), start, end });
  }
  return found;
}

/** `Run | Debug` above each test, and above the first statement of a flow: a file that only declares functions is none. */
export function lenses(flow: FlowSource): CodeLens[] {
  const { uri, source } = flow;
  const { program } = parseSource(uri, source.text, new DiagnosticSink());
  const pair = (offset: number, run: string, debug: string, args: readonly string[]): CodeLens[] => {
    const range = rangeOf(source, offset, offset);
    return [
      { range, command: { title: "Run", command: run, arguments: [...args] } },
      { range, command: { title: "Debug", command: debug, arguments: [...args] } },
    ];
  };
  const tests = testsOf(flow).flatMap(({ name, start }) =>
    pair(start, RUN_TEST_COMMAND, DEBUG_TEST_COMMAND, [uri, name]),
  );
  return doesSomething(program.statements) ? [...pair(0, RUN_COMMAND, DEBUG_COMMAND, [uri]), ...tests] : tests;
}
