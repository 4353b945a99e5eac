/** What can be written at a place. */
import { type CompletionItem, CompletionItemKind, InsertTextFormat, type TextEdit } from "vscode-languageserver";
import { findOperand, leafSignatures } from "../../arch/leaf-operands.ts";
import { registerNames } from "../../arch/registers.ts";
import { MODULE_VERSION, tdxFeatures0 } from "../../arch/tdx-features.ts";
import { builtins, isModuleCall, parameterNames } from "../builtins.ts";
import { constants, fieldNamespace, fieldNamespaces } from "../constants.ts";
import { PLATFORM_KEYS } from "../platform-block.ts";
import { STATEMENT_WORDS } from "../statement-words.ts";
import { Status } from "../values.ts";
import { type CallContext, cursorAt } from "./cursor.ts";
import {
  builtinOf,
  describeBuiltin,
  describeConstant,
  describeField,
  describeLeaf,
  describePlatformKey,
  fence,
  operandText,
  registerText,
} from "./describe.ts";
import { importPaths } from "./import-paths.ts";
import { commentAbove, type Declaration, visibleAt } from "./names.ts";
import { rangeOf } from "./places.ts";
import { fieldsBehind } from "./shapes.ts";
import { snippets, withoutPlaces } from "./snippets.ts";
import { type FlowSource, importsOf, offeredNames, type Sources } from "./sources.ts";

const STATEMENTS = [...STATEMENT_WORDS, "platform", "test"];
const VALUES = ["true", "false", "null"];
const LEAF_ROOTS = new Set(["TDH", "TDG"]);

/** What the editor can do with what we offer. */
export interface CompletionAbilities {
  readonly snippets: boolean;
}

export async function completions(
  sources: Sources,
  source: FlowSource,
  offset: number,
  abilities: CompletionAbilities,
): Promise<CompletionItem[]> {
  const { words, context } = cursorAt(source, offset);
  const replace = (start: number, newText: string): TextEdit => ({
    range: rangeOf(source.source, start, offset),
    newText,
  });
  switch (context.kind) {
    case "none":
      return [];
    case "import":
      return (await importPaths(sources, source)).map(({ name, isShipped }) => ({
        ...item(name, CompletionItemKind.File, isShipped ? "shipped" : "", name),
        textEdit: replace(context.start, name),
      }));
    case "platform":
      return platformItems(context.key);
    case "member": {
      const root = context.path[0] ?? "";
      if (LEAF_ROOTS.has(root)) {
        const first = words[context.receiver - 2 * (context.path.length - 1)]?.start ?? context.start;
        const before = `${context.path.join(".")}.`;
        return leafItems(
          (name) => name.startsWith(before),
          abilities,
          callFollows(source, offset),
          (text) => replace(first, text),
        );
      }
      return memberItems(sources, source, words, context.receiver, context.path);
    }
    case "name": {
      const operands = context.call === undefined ? undefined : operandItems(context.call, source, offset);
      if (operands !== undefined) return operands;
      const names = await nameItems(sources, source, context.start);
      const leaves = leafItems(
        () => true,
        abilities,
        callFollows(source, offset),
        (text) => replace(context.start, text),
      );
      const keywords = context.statement ? [...STATEMENTS, ...VALUES] : VALUES;
      const whole = context.statement && abilities.snippets ? snippetItems() : [];
      return [
        ...whole,
        ...names,
        ...parameterItems(names, context.call),
        ...leaves,
        ...keywords.map((word) => item(word, CompletionItemKind.Keyword, "", word)),
      ];
    }
  }
}

function item(
  label: string,
  kind: CompletionItemKind,
  detail: string,
  insertText: string,
  markdown?: string,
): CompletionItem {
  return {
    label,
    kind,
    insertText,
    ...(detail === "" ? {} : { detail }),
    ...(markdown === undefined ? {} : { documentation: { kind: "markdown", value: markdown } }),
  };
}

/** Whether the parentheses of a call are there already. */
function callFollows({ source }: FlowSource, offset: number): boolean {
  return /^[\w.]*\s*\(/.test(source.text.slice(offset, offset + 80));
}

function leafItems(
  wanted: (name: string) => boolean,
  abilities: CompletionAbilities,
  called: boolean,
  edit: (text: string) => TextEdit,
): CompletionItem[] {
  return [...leafSignatures.values()].flatMap(({ name, purpose, inputs }) => {
    if (!wanted(name)) return [];
    const needed = inputs.filter((input) => !input.optional);
    const operands = needed.map((input, index) => `${input.name}: $${index + 1}`).join(", ");
    const text = called ? name : abilities.snippets ? `${name}(${operands})$0` : `${name}(`;
    return [
      {
        label: name,
        kind: CompletionItemKind.Function,
        detail: purpose,
        filterText: name,
        insertTextFormat: abilities.snippets ? InsertTextFormat.Snippet : InsertTextFormat.PlainText,
        textEdit: edit(text),
        data: { leaf: name },
      },
    ];
  });
}

function snippetItems(): CompletionItem[] {
  return snippets.map(({ name, what, lines }) => ({
    ...item(name, CompletionItemKind.Snippet, what, lines.join("\n"), fence(withoutPlaces(lines))),
    insertTextFormat: InsertTextFormat.Snippet,
  }));
}

/** Behind the key of an entry what it may be; else the entries. */
function platformItems(before: string | undefined): CompletionItem[] {
  const key = before !== undefined && Object.hasOwn(PLATFORM_KEYS, before) ? PLATFORM_KEYS[before] : undefined;
  switch (key?.kind) {
    case undefined:
      return Object.entries(PLATFORM_KEYS).map(([name, { what }]) =>
        item(name, CompletionItemKind.Property, what, name, describePlatformKey(name)),
      );
    case "feature":
      return Object.entries(tdxFeatures0).map(([name, { what }]) =>
        item(name, CompletionItemKind.EnumMember, what, name),
      );
    case "flag":
      return ["true", "false"].map((word) => item(word, CompletionItemKind.Keyword, "", word));
    case "version":
      return [item(`"${MODULE_VERSION}"`, CompletionItemKind.Value, key.what, `"${MODULE_VERSION}"`)];
    default: // numbers
      return [];
  }
}

/** The operands of the leaf at hand that are not given yet; undefined where a value belongs. */
function operandItems(call: CallContext, source: FlowSource, offset: number): CompletionItem[] | undefined {
  const signature = leafSignatures.get(call.callee);
  if (!isModuleCall(call.callee) || call.argument !== undefined) return undefined;
  const named = /^\w*\s*:/.test(source.source.text.slice(offset, offset + 80));
  const text = (name: string) => (named ? name : `${name}: `);
  if (signature === undefined) {
    return registerNames.map((name) => item(name, CompletionItemKind.Field, "", text(name)));
  }
  return signature.inputs
    .filter((input) => !call.given.some((name) => findOperand([input], name) !== undefined))
    .map((input, index) => ({
      ...item(input.name, CompletionItemKind.Field, registerText(input), text(input.name), operandText(input)),
      sortText: `${input.optional ? 1 : 0}${String(index).padStart(2, "0")}`,
    }));
}

/** Parameters of a function of the flow or a builtin, which may be given by name. */
function parameterItems(names: readonly CompletionItem[], call: CallContext | undefined): CompletionItem[] {
  if (call === undefined || call.argument !== undefined) return [];
  const known = names.find(({ label, data }) => label === call.callee && data?.parameters !== undefined);
  const parameters: readonly string[] = known?.data.parameters ?? [];
  return parameters
    .filter((parameter) => !call.given.includes(parameter))
    .map((parameter) => item(`${parameter}:`, CompletionItemKind.Field, "parameter", `${parameter}: `));
}

async function nameItems(sources: Sources, source: FlowSource, offset: number): Promise<CompletionItem[]> {
  const found = new Map<string, CompletionItem>();
  for (const [name, { what, value }] of constants) {
    const kind = value instanceof Status ? CompletionItemKind.EnumMember : CompletionItemKind.Constant;
    found.set(name, { ...item(name, kind, what, name), data: { constant: name } });
  }
  for (const name of fieldNamespaces)
    found.set(name, item(name, CompletionItemKind.Enum, "ids of metadata fields", name));
  for (const builtin of builtins) {
    const parameters = parameterNames(builtin);
    found.set(builtin.name, {
      ...item(builtin.name, CompletionItemKind.Function, `(${builtin.parameters.join(", ")})`, builtin.name),
      data: { builtin: builtin.name, parameters },
    });
  }
  for (const imported of await importsOf(sources, source)) {
    if (imported.alias !== undefined) continue;
    for (const { declaration, source: from } of (await offeredNames(sources, imported.source)).values()) {
      found.set(declaration.name, declared(declaration, from));
    }
  }
  for (const declaration of visibleAt(source.declarations, offset).values())
    found.set(declaration.name, declared(declaration, source));
  return [...found.values()];
}

const KINDS = {
  function: CompletionItemKind.Function,
  variable: CompletionItemKind.Variable,
  parameter: CompletionItemKind.Variable,
  task: CompletionItemKind.Variable,
  import: CompletionItemKind.Module,
} as const;

function declared(declaration: Declaration, source: FlowSource): CompletionItem {
  const { kind, name, parameters, index } = declaration;
  const comment = commentAbove(source, index);
  const detail = kind === "function" ? `(${parameters.join(", ")})` : kind;
  const made = item(name, KINDS[kind], detail, name, comment === "" ? undefined : comment);
  return kind === "function" ? { ...made, data: { parameters } } : made;
}

async function memberItems(
  sources: Sources,
  source: FlowSource,
  words: FlowSource["words"],
  receiver: number,
  path: readonly string[],
): Promise<CompletionItem[]> {
  const namespace = path.length === 1 ? fieldNamespace(path[0] as string) : undefined;
  if (namespace !== undefined) {
    return [...namespace.keys()].map((name) => ({
      ...item(name, CompletionItemKind.EnumMember, "metadata field", name),
      data: { namespace: path[0], field: name },
    }));
  }
  for (const imported of path.length === 1 ? await importsOf(sources, source) : []) {
    if (imported.alias !== path[0]) continue;
    return [...(await offeredNames(sources, imported.source)).values()].map(({ declaration, source: from }) =>
      declared(declaration, from),
    );
  }
  const fields = await fieldsBehind(sources, source, words, receiver);
  return fields.map(({ name, what }, index) => ({
    ...item(name, CompletionItemKind.Field, what, name),
    sortText: String(index).padStart(3, "0"),
  }));
}

/** The documentation of one item, which is asked for when it is looked at. */
export function describeCompletion(completion: CompletionItem): CompletionItem {
  const { leaf, constant, builtin, namespace, field } = completion.data ?? {};
  const known = typeof builtin === "string" ? builtinOf(builtin) : undefined;
  let markdown: string | undefined;
  if (typeof leaf === "string") markdown = describeLeaf(leaf);
  else if (typeof constant === "string") markdown = describeConstant(constant);
  else if (known !== undefined) markdown = describeBuiltin(known);
  else if (typeof field === "string") markdown = describeField(String(namespace), field);
  return markdown === undefined ? completion : { ...completion, documentation: { kind: "markdown", value: markdown } };
}
