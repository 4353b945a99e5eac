/** What each name is, for colours that patterns cannot give: leaf functions, operands, constants, the flow's own functions. */
import { type SemanticTokens, SemanticTokensBuilder } from "vscode-languageserver";
import { leafSignatures } from "../../arch/leaf-operands.ts";
import { builtinNumbers, isModuleCall } from "../builtins.ts";
import { constants, fieldNamespace } from "../constants.ts";
import type { Declaration } from "./names.ts";
import { positionOf } from "./places.ts";
import type { FlowSource } from "./sources.ts";
import { enclosing, flatWords, pathAround, pathEnding, type Word } from "./tokens.ts";

export const TOKEN_TYPES = ["function", "parameter", "variable", "property", "enumMember", "namespace"] as const;
export const TOKEN_MODIFIERS = ["declaration", "defaultLibrary", "readonly"] as const;

type TokenType = (typeof TOKEN_TYPES)[number];
const DECLARATION = 1;
const LIBRARY = 2;
const READONLY = 4;

interface Meaning {
  readonly type: TokenType;
  readonly modifiers: number;
}

/** @param imported names that other sources bring, with what they are */
export function semanticTokens(source: FlowSource, imported: ReadonlyMap<string, Declaration["kind"]>): SemanticTokens {
  const builder = new SemanticTokensBuilder();
  const words = flatWords(source.words);
  const declared = new Map(
    source.declarations.map((declaration) => [source.words[declaration.index]?.start, declaration]),
  );
  const known = new Map(imported);
  for (const { name, kind } of source.declarations) known.set(name, kind);
  for (let index = 0; index < words.length; index++) {
    const word = words[index] as Word;
    if (word.kind !== "name") continue;
    const own = declared.get(word.start);
    const leaf = pathAround(words, index);
    if (leaf?.first === index && leafSignatures.has(leaf.path.join("."))) {
      const { line, character } = positionOf(source.source, word.start);
      const end = (words[leaf.last] as Word).end;
      builder.push(line, character, end - word.start, TOKEN_TYPES.indexOf("function"), LIBRARY);
      index = leaf.last;
      continue;
    }
    const meaning =
      own === undefined ? meaningOf(words, index, known) : { ...meaningOfKind(own.kind), modifiers: DECLARATION };
    if (meaning === undefined) continue;
    const { line, character } = positionOf(source.source, word.start);
    builder.push(line, character, word.end - word.start, TOKEN_TYPES.indexOf(meaning.type), meaning.modifiers);
  }
  return builder.build();
}

function meaningOfKind(kind: Declaration["kind"]): Meaning {
  const type: TokenType = kind === "task" ? "variable" : kind === "import" ? "namespace" : kind;
  return { type, modifiers: 0 };
}

function meaningOf(
  words: readonly Word[],
  index: number,
  known: ReadonlyMap<string, Declaration["kind"]>,
): Meaning | undefined {
  const { text } = words[index] as Word;
  if (words[index + 1]?.text === ":")
    return isOperand(words, index) ? { type: "parameter", modifiers: LIBRARY } : { type: "property", modifiers: 0 };
  if (words[index - 1]?.text === ".") {
    const namespace = fieldNamespace(words[index - 2]?.text ?? "");
    if (namespace?.has(text)) return { type: "enumMember", modifiers: LIBRARY | READONLY };
    if (words[index + 1]?.text === "(") return { type: "function", modifiers: 0 };
    return { type: "property", modifiers: 0 };
  }
  const kind = known.get(text);
  if (kind !== undefined) return meaningOfKind(kind);
  if (builtinNumbers.has(text) && words[index + 1]?.text === "(") return { type: "function", modifiers: LIBRARY };
  if (constants.has(text)) return { type: "enumMember", modifiers: LIBRARY | READONLY };
  if (fieldNamespace(text) !== undefined) return { type: "namespace", modifiers: LIBRARY };
  return undefined;
}

/** Whether the name before a colon is an operand of a leaf call. */
function isOperand(words: readonly Word[], index: number): boolean {
  const open = enclosing(words, index);
  if (words[open]?.text !== "(") return false;
  return isModuleCall(pathEnding(words, open - 1)?.path.join(".") ?? "");
}
