/** What the thing under the cursor is. */
import type { Hover, SignatureHelp } from "vscode-languageserver";
import { findOperand, leafSignatures } from "../../arch/leaf-operands.ts";
import { parameterNames } from "../builtins.ts";
import { parseNumber } from "../strings.ts";
import { callAround, isInPlatform } from "./cursor.ts";
import {
  builtinOf,
  describeBuiltin,
  describeConstant,
  describeField,
  describeLeaf,
  describeNumber,
  describePlatformKey,
  fence,
  operandText,
} from "./describe.ts";
import { commentAbove, wordAt } from "./names.ts";
import { rangeOf } from "./places.ts";
import { fieldsBehind, findDeclaration } from "./shapes.ts";
import type { FlowSource, ImportedName, Sources } from "./sources.ts";
import { holesOf, pathAround, pathEnding, type Word } from "./tokens.ts";

/** The words around an offset: the file's, or those in a string's braces. */
export function wordsAround(source: FlowSource, offset: number): readonly Word[] {
  const word = source.words[wordAt(source.words, offset)];
  if (word?.kind !== "text") return source.words;
  return holesOf(word).find(({ start, end }) => start <= offset && offset <= end)?.words ?? source.words;
}

export async function hoverAt(sources: Sources, source: FlowSource, offset: number): Promise<Hover | undefined> {
  const words = wordsAround(source, offset);
  const index = wordAt(words, offset);
  const word = words[index];
  if (word === undefined) return undefined;
  const told = (start: number, end: number, value: string | undefined): Hover | undefined =>
    value === undefined
      ? undefined
      : { contents: { kind: "markdown", value }, range: rangeOf(source.source, start, end) };
  if (word.kind === "number") {
    const value = parseNumber(word.text);
    return typeof value === "bigint" ? told(word.start, word.end, describeNumber(value)) : undefined;
  }
  const around = pathAround(words, index);
  if (word.kind !== "name" || around === undefined) return undefined;
  const whole = around.path.join(".");
  if (leafSignatures.has(whole)) {
    return told((words[around.first] as Word).start, (words[around.last] as Word).end, describeLeaf(whole));
  }
  return told(word.start, word.end, (await describeName(sources, source, words, index)) ?? undefined);
}

async function describeName(
  sources: Sources,
  source: FlowSource,
  words: readonly Word[],
  index: number,
): Promise<string | undefined> {
  const word = words[index] as Word;
  if (isInPlatform(words, index)) return describePlatformKey(word.text);
  const path = pathEnding(words, index)?.path ?? [word.text];
  if (words[index + 1]?.text === ":") {
    const call = callAround(words, word.end);
    const operand = findOperand(leafSignatures.get(call?.callee ?? "")?.inputs ?? [], word.text);
    return operand === undefined ? undefined : `**${word.text}**: ${operandText(operand)}`;
  }
  if (path.length === 2) {
    const field = describeField(path[0] as string, word.text);
    if (field !== undefined) return field;
  }
  const found = await findDeclaration(sources, source, path, word.start);
  if (found !== undefined) return describeDeclaration(found);
  if (words[index - 1]?.text === ".") {
    const field = (await fieldsBehind(sources, source, words, index - 2)).find(({ name }) => name === word.text);
    return field === undefined ? undefined : `**${field.name}**: ${field.what}`;
  }
  const builtin = builtinOf(word.text);
  return builtin === undefined ? describeConstant(word.text) : describeBuiltin(builtin);
}

const MAX_SHOWN = 120;

function describeDeclaration({ source, declaration }: ImportedName): string {
  const { kind, name, parameters, index } = declaration;
  let shown = `${name}: ${kind}`;
  if (kind === "function") shown = `fn ${name}(${parameters.join(", ")})`;
  else if (kind !== "parameter") {
    const from = source.words[index - 1]?.start ?? 0;
    const line = source.source.text.slice(from).split("\n", 1)[0] as string;
    shown = line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}…` : line;
  }
  return [fence(shown.trim()), ...[commentAbove(source, index)].filter((text) => text !== "")].join("\n\n");
}

/** The call that the cursor is in: its operands or parameters, and which one is at hand. */
export async function signatureAt(
  sources: Sources,
  source: FlowSource,
  offset: number,
): Promise<SignatureHelp | undefined> {
  const words = wordsAround(source, offset);
  const call = callAround(words, offset);
  if (call === undefined) return undefined;
  const leaf = leafSignatures.get(call.callee);
  if (leaf !== undefined) {
    const inputs = leaf.inputs.filter(({ name }) => name !== "version" || call.argument === "version");
    const operand = call.argument === undefined ? undefined : findOperand(inputs, call.argument);
    const parameters = inputs.map((input) => ({
      label: `${input.name}${input.optional ? "?" : ""}`,
      documentation: { kind: "markdown" as const, value: operandText(input) },
    }));
    return help(call.callee, parameters, leaf.purpose, operand === undefined ? undefined : inputs.indexOf(operand));
  }
  const found = await findDeclaration(sources, source, call.callee.split("."), offset);
  const builtin = found === undefined ? builtinOf(call.callee) : undefined;
  const labels = found?.declaration.kind === "function" ? found.declaration.parameters : builtin?.parameters;
  if (labels === undefined) return undefined;
  const what = found === undefined ? builtin?.what : commentAbove(found.source, found.declaration.index);
  const names = builtin === undefined ? labels : parameterNames(builtin);
  const active = call.argument === undefined ? call.position : names.indexOf(call.argument);
  return help(
    call.callee,
    labels.map((label) => ({ label })),
    what ?? "",
    active >= 0 && active < labels.length ? active : undefined,
  );
}

function help(
  callee: string,
  parameters: SignatureHelp["signatures"][number]["parameters"] & object,
  what: string,
  active: number | undefined,
): SignatureHelp {
  const label = `${callee}(${parameters.map((parameter) => parameter.label).join(", ")})`;
  const documentation = what === "" ? {} : { documentation: { kind: "markdown" as const, value: what } };
  // Without a parameter at hand none is to be marked, which a number past the last one says.
  const activeParameter = active ?? parameters.length;
  return {
    signatures: [{ label, parameters, ...documentation, activeParameter }],
    activeSignature: 0,
    activeParameter,
  };
}
