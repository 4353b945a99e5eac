/** Which fields a value has, as far as its source shows it: results of leaf functions, records, results of functions that return one. */
import { leafSignatures } from "../../arch/leaf-operands.ts";
import { registerNames } from "../../arch/registers.ts";
import { isModuleCall } from "../builtins.ts";
import { visibleAt } from "./names.ts";
import { type FlowSource, importsOf, offeredNames, type Sources } from "./sources.ts";
import { closing, enclosing, isOpener, pathAround, pathEnding, type Word } from "./tokens.ts";

export interface Field {
  readonly name: string;
  readonly what: string;
}

/** How far functions that return what other functions return are followed. */
const MAX_STEPS = 4;

/** What each result of a leaf has, besides its outputs and the registers. */
const RESULT_FIELDS: readonly Field[] = [
  { name: "status", what: "Completion status: RAX" },
  { name: "ok", what: "Whether the call succeeded" },
  { name: "name", what: "Name of the status" },
  { name: "operand", what: "Operand at fault, if the status names one" },
  { name: "detail", what: "Details of the status: RAX[31:0]" },
];

/** Fields of what a leaf returns. */
export function leafResultFields(leaf: string): Field[] {
  const outputs = (leafSignatures.get(leaf)?.outputs ?? []).map(({ name, what }) => ({ name, what }));
  const registers = registerNames
    .filter((name) => !outputs.some((output) => output.name === name))
    .map((name) => ({ name, what: `${name.toUpperCase()} after the call` }));
  return [...RESULT_FIELDS, ...outputs, ...registers];
}

/** Fields of the value that ends with the word at `index`, before which the cursor's dot stands. */
export async function fieldsBehind(
  sources: Sources,
  source: FlowSource,
  words: readonly Word[],
  index: number,
): Promise<Field[]> {
  return fieldsEnding({ sources, source, words }, index, 0);
}

interface Place {
  readonly sources: Sources;
  readonly source: FlowSource;
  readonly words: readonly Word[];
}

async function fieldsEnding(place: Place, index: number, steps: number): Promise<Field[]> {
  const word = place.words[index];
  if (word === undefined || steps > MAX_STEPS) return [];
  if (word.text === ")") {
    const callee = pathEnding(place.words, enclosing(place.words, index) - 1);
    return callee === undefined ? [] : fieldsOfCall(place, callee.path, steps);
  }
  const path = pathEnding(place.words, index)?.path;
  return path?.length === 1 ? fieldsOfVariable(place, path[0] as string, word.start, steps) : [];
}

async function fieldsOfCall(place: Place, path: readonly string[], steps: number): Promise<Field[]> {
  const name = path.join(".");
  if (isModuleCall(name)) return leafResultFields(name);
  const found = await declarationOf(place, path);
  if (found?.declaration.kind !== "function") return [];
  const { words } = found.source;
  let body = found.declaration.index;
  while (body < words.length && words[body]?.text !== "{") body++;
  const end = closing(words, body);
  for (let at = end; at > body; at--) {
    if (words[at]?.text !== "return" || words[at]?.kind !== "name") continue;
    const fields = await fieldsBeginning({ ...place, source: found.source, words }, at + 1, steps + 1);
    if (fields.length > 0) return fields;
  }
  return [];
}

/** Fields of the value whose expression begins with the word at `index`. */
async function fieldsBeginning(place: Place, index: number, steps: number): Promise<Field[]> {
  const { words } = place;
  if (steps > MAX_STEPS) return [];
  if (words[index]?.text === "{") return recordFields(words, index);
  const path = words[index]?.kind === "name" ? pathAround(words, index) : undefined;
  if (path === undefined) return [];
  if (words[path.last + 1]?.text === "(") return fieldsOfCall(place, path.path, steps);
  const start = (words[index] as Word).start;
  return path.path.length === 1 ? fieldsOfVariable(place, path.path[0] as string, start, steps + 1) : [];
}

function recordFields(words: readonly Word[], open: number): Field[] {
  const end = closing(words, open);
  const fields: Field[] = [];
  for (let at = open + 1; at < end; at++) {
    const word = words[at] as Word;
    if (isOpener(word)) at = closing(words, at);
    else if (word.kind === "name" && words[at + 1]?.text === ":")
      fields.push({ name: word.text, what: "Field of the record" });
  }
  return fields;
}

/** Looks at what the variable was last set to before `offset`, as the source goes. */
async function fieldsOfVariable(place: Place, name: string, offset: number, steps: number): Promise<Field[]> {
  const found = await declarationOf(place, [name], offset);
  if (found === undefined || found.declaration.kind !== "variable") return [];
  const { words } = found.source;
  let latest = found.declaration.index;
  for (let at = latest + 1; at < words.length; at++) {
    const word = words[at] as Word;
    if (found.source === place.source && word.start >= offset) break;
    const sets = word.text === name && words[at + 1]?.text === "=" && words[at - 1]?.text !== ".";
    if (sets && word.start <= found.declaration.to) latest = at;
  }
  return fieldsBeginning({ ...place, source: found.source, words }, latest + 2, steps + 1);
}

async function declarationOf({ sources, source }: Place, path: readonly string[], offset = 0) {
  const own = visibleAt(source.declarations, offset).get(path[0] as string);
  if (own !== undefined && own.kind !== "import") return path.length === 1 ? { source, declaration: own } : undefined;
  for (const imported of (await importsOf(sources, source)).toReversed()) {
    if (imported.alias === undefined ? path.length !== 1 : imported.alias !== path[0] || path.length !== 2) continue;
    const found = (await offeredNames(sources, imported.source)).get(path.at(-1) as string);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The declaration that a dotted name means at an offset of a source: its own, or an imported one. */
export async function findDeclaration(sources: Sources, source: FlowSource, path: readonly string[], offset: number) {
  return declarationOf({ sources, source, words: source.words }, path, offset);
}
