/** What can stand where one types. */
import { leafSignatures } from "../../arch/leaf-operands.ts";
import { builtins } from "../builtins.ts";
import type { FlowAnalysis } from "../compile.ts";
import { constants, fieldNamespace, fieldNamespaces } from "../constants.ts";
import type { FlowSymbol, ModuleNames } from "../scope.ts";
import {
  builtinSignature,
  commentAbove,
  describeBuiltin,
  describeConstant,
  describeLeaf,
  placeOfOperand,
  symbolText,
} from "./describe.ts";
import { enclosingCall, isInText, typedPath } from "./words.ts";

export interface Completion {
  readonly label: string;
  readonly kind: "leaf" | "operand" | "constant" | "field" | "function" | "variable" | "builtin" | "keyword" | "module";
  readonly detail: string;
  /** Markdown. */
  readonly documentation: string;
  /** What is put in; a snippet with $0 where the cursor goes if `snippet`. */
  readonly insert: string;
  readonly snippet: boolean;
}

const KEYWORDS = [
  "let",
  "fn",
  "if",
  "else",
  "while",
  "for",
  "return",
  "break",
  "continue",
  "on lp",
  "guest",
  "spawn",
  "join",
  "yield",
  "with",
  "expect",
  "expect fails",
  "log",
  "fail",
  "import",
  "platform",
  "true",
  "false",
  "null",
];

function plain(label: string, kind: Completion["kind"], detail: string, documentation = ""): Completion {
  return { label, kind, detail, documentation, insert: label, snippet: false };
}

/** What can stand at `offset`. In the brackets of a leaf exactly the operands that it does not have yet. */
export function completionsAt(
  text: string,
  offset: number,
  analysis: FlowAnalysis | undefined,
  path: string,
): Completion[] {
  if (isInText(text, offset)) return [];
  const typed = typedPath(text, offset);
  const dot = typed.lastIndexOf(".");
  if (dot >= 0) return members(typed.slice(0, dot), analysis, path);
  const call = enclosingCall(text, offset);
  const signature = call === undefined ? undefined : leafSignatures.get(call.name);
  if (call !== undefined && signature !== undefined && call.current === undefined) {
    return signature.inputs
      .filter((input) => ![input.name, ...input.aliases].some((name) => call.names.includes(name)))
      .map((input) => ({
        label: input.name,
        kind: "operand" as const,
        detail: `${placeOfOperand(input)}${input.optional ? ", optional" : ""}`,
        documentation: input.what,
        insert: `${input.name}: `,
        snippet: false,
      }));
  }
  return [...flowNames(text, offset, analysis, path), ...everywhere()];
}

/** What follows a dotted path. */
function members(before: string, analysis: FlowAnalysis | undefined, path: string): Completion[] {
  if (before === "TDH" || before === "TDG" || before.startsWith("TDH.") || before.startsWith("TDG.")) {
    return [...leafSignatures.values()]
      .filter(({ name }) => name.startsWith(`${before}.`))
      .map((signature) => leafCompletion(signature.name, signature.name.slice(before.length + 1)));
  }
  const fields = fieldNamespace(before);
  if (fields !== undefined)
    return [...fields].map(([name, id]) =>
      plain(name, "field", "metadata field", describeConstant(`${before}.${name}`, id, "id of a metadata field")),
    );
  const symbol = analysis?.names.get(path)?.get(before);
  return symbol?.kind === "module" ? moduleNames(symbol.names) : [];
}

function leafCompletion(name: string, label: string): Completion {
  const signature = leafSignatures.get(name);
  const needed = signature?.inputs.filter((input) => !input.optional) ?? [];
  const operands = needed.map((input, index) => `${input.name}: \${${index + 1}}`).join(", ");
  return {
    label,
    kind: "leaf",
    detail: signature?.purpose ?? "",
    documentation: signature === undefined ? "" : describeLeaf(signature),
    insert: `${label}(${operands})$0`,
    snippet: true,
  };
}

function symbolCompletion(symbol: FlowSymbol): Completion {
  const kind = symbol.kind === "function" ? "function" : symbol.kind === "module" ? "module" : "variable";
  return plain(
    symbol.name,
    kind,
    symbolText(symbol),
    symbol.kind === "local" ? "" : commentAbove(symbol.declared.source.text, symbol.declared.start),
  );
}

function moduleNames(names: ModuleNames): Completion[] {
  return [...names.values()].map(symbolCompletion);
}

/** Names of the flow that could be meant: those of the file, and every local that is declared above in the same top-level statement. */
function flowNames(text: string, offset: number, analysis: FlowAnalysis | undefined, path: string): Completion[] {
  const items = moduleNames(analysis?.names.get(path) ?? new Map());
  const known = new Set(items.map((item) => item.label));
  const start = Math.max(
    text.lastIndexOf("\nfn ", offset),
    text.lastIndexOf("\nguest ", offset),
    text.lastIndexOf("\nspawn ", offset),
    0,
  );
  const above = text.slice(start, offset);
  const parameters = /^\s*fn\s+\w+\(([^)]*)\)/.exec(above)?.[1] ?? "";
  const locals = [
    ...parameters.split(","),
    ...[...above.matchAll(/\b(?:let|for|spawn)\s+([A-Za-z_]\w*)/g)].map((match) => match[1] as string),
  ];
  for (const local of locals.map((name) => name.trim())) {
    if (local === "" || known.has(local)) continue;
    known.add(local);
    items.push(plain(local, "variable", `let ${local}`));
  }
  return items;
}

let general: Completion[] | undefined;

function everywhere(): Completion[] {
  general ??= [
    ...KEYWORDS.map((keyword) => plain(keyword, "keyword", "")),
    ...builtins.map((builtin) => ({
      ...plain(builtin.name, "builtin", builtinSignature(builtin), describeBuiltin(builtin)),
      insert: `${builtin.name}($0)`,
      snippet: true,
    })),
    ...[...leafSignatures.keys()].map((name) => leafCompletion(name, name)),
    ...[...constants].map(([name, { value, what }]) =>
      plain(name, "constant", what, describeConstant(name, value, what)),
    ),
    ...fieldNamespaces.map((name) => plain(name, "module", "ids of metadata fields")),
  ];
  return general;
}
