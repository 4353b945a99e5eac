/** Changes that mend what a diagnostic complains about. */
import { type CodeAction, CodeActionKind, type Diagnostic, type TextEdit } from "vscode-languageserver";
import { findOperand, leafSignatures } from "../../arch/leaf-operands.ts";
import { callAround } from "./cursor.ts";
import { visibleAt } from "./names.ts";
import { offsetOf, rangeOf } from "./places.ts";
import type { FlowSource } from "./sources.ts";
import { closing, pathAround, type Word, wordBefore } from "./tokens.ts";

interface Fix {
  readonly title: string;
  readonly edits: readonly TextEdit[];
}

interface Remark {
  readonly source: FlowSource;
  readonly start: number;
  readonly end: number;
  readonly message: string;
  /** What the text should rather be. */
  readonly suggestion: string | undefined;
}

/** Fixes by the code of the diagnostic; a suggestion is a fix for any code. */
const FIXES: Readonly<Record<string, (remark: Remark) => Fix[]>> = {
  "missing-operand": addOperands,
  "unknown-name": declareVariable,
  unused: dropVariable,
  ignored: dropVariable,
  unreachable: removeText,
  join: removeJoin,
  "no-effect": removeText,
};

export function quickFixes(source: FlowSource, diagnostics: readonly Diagnostic[]): CodeAction[] {
  return diagnostics.flatMap((diagnostic) => {
    if (diagnostic.source !== DIAGNOSTIC_SOURCE) return [];
    const remark: Remark = {
      source,
      start: offsetOf(source.source, diagnostic.range.start),
      end: offsetOf(source.source, diagnostic.range.end),
      message: diagnostic.message as string,
      suggestion: typeof diagnostic.data?.suggestion === "string" ? diagnostic.data.suggestion : undefined,
    };
    const fixes = [...useSuggestion(remark), ...(FIXES[String(diagnostic.code)]?.(remark) ?? [])];
    return fixes.map(({ title, edits }, index) => ({
      title,
      kind: CodeActionKind.QuickFix,
      diagnostics: [diagnostic],
      isPreferred: index === 0,
      edit: { changes: { [source.uri]: [...edits] } },
    }));
  });
}

/** How our diagnostics are marked. */
export const DIAGNOSTIC_SOURCE = "tdxflow";

function edit({ source }: Remark, start: number, end: number, newText: string): TextEdit {
  return { range: rangeOf(source.source, start, end), newText };
}

/** The word that the message names, if it stands in the text that is complained about; else all of that. */
function useSuggestion(remark: Remark): Fix[] {
  const { source, start, end, message, suggestion } = remark;
  if (suggestion === undefined) return [];
  const quoted = /"([A-Za-z_]\w*)"/.exec(message)?.[1];
  const words = source.words.filter((word) => word.start >= start && word.end <= end);
  const word = words.find(({ text }) => text === quoted);
  return [
    { title: `Change to ${suggestion}`, edits: [edit(remark, word?.start ?? start, word?.end ?? end, suggestion)] },
  ];
}

/** Gives each missing operand: the variable of its name, or 0 to be replaced. */
function addOperands(remark: Remark): Fix[] {
  const { source, start, end } = remark;
  const { words } = source;
  let open = wordBefore(words, start + 1);
  while (open >= 0 && open < words.length && words[open]?.text !== "(") open++;
  const close = words[closing(words, open)];
  if (close === undefined || close.text !== ")" || close.end > end) return [];
  const call = callAround(words, (words[open] as Word).end);
  const inputs = leafSignatures.get(call?.callee ?? "")?.inputs ?? [];
  const given = words.slice(open).filter((word, at, rest) => word.end <= close.start && rest[at + 1]?.text === ":");
  const missing = inputs.filter(
    (input) => !input.optional && !given.some(({ text }) => findOperand([input], text) !== undefined),
  );
  if (missing.length === 0) return [];
  const visible = visibleAt(source.declarations, start);
  const added = missing.map(({ name }) => `${name}: ${visible.has(name) ? name : "0"}`).join(", ");
  const before = words[closing(words, open) - 1];
  const comma = before?.text === "(" ? "" : before?.text === "," ? " " : ", ";
  const at = before?.end ?? close.start;
  return [
    { title: `Add ${missing.map(({ name }) => name).join(", ")}`, edits: [edit(remark, at, at, `${comma}${added}`)] },
  ];
}

/** An assignment to a name that is not there was perhaps to make it. */
function declareVariable(remark: Remark): Fix[] {
  if (!remark.message.includes('a new variable begins with "let"')) return [];
  return [{ title: "Make it a new variable", edits: [edit(remark, remark.start, remark.start, "let ")] }];
}

/** The statement that declares the name that is complained about, from its `let` to its value. */
function letBefore({ source, start }: Remark): { from: number; value: number } | undefined {
  const name = wordBefore(source.words, start + 1);
  const word = source.words[name - 1];
  const value = source.words[name + 2];
  return word?.text === "let" && value !== undefined ? { from: word.start, value: value.start } : undefined;
}

/** Only a call can stand alone as a statement; of a leaf's result at least the success can be looked at. */
function dropVariable(remark: Remark): Fix[] {
  const found = letBefore(remark);
  if (found === undefined) return [];
  const { words } = remark.source;
  const call = pathAround(words, wordBefore(words, found.value + 1));
  const replaced = (title: string, text: string): Fix => ({
    title,
    edits: [edit(remark, found.from, found.value, text)],
  });
  if (call === undefined || words[call.last + 1]?.text !== "(") return [];
  if (!leafSignatures.has(call.path.join("."))) return [replaced("Leave the variable out", "")];
  return [replaced("Leave the variable out: a failure ends the flow", ""), replaced("Expect success", "expect ")];
}

/** A join of nothing: it goes, with its word. */
function removeJoin(remark: Remark): Fix[] {
  const word = remark.source.words[wordBefore(remark.source.words, remark.start)];
  return word?.text === "join" ? [{ title: "Remove it", edits: [edit(remark, word.start, remark.end, "")] }] : [];
}

function removeText(remark: Remark): Fix[] {
  return [{ title: "Remove it", edits: [edit(remark, remark.start, remark.end, "")] }];
}
