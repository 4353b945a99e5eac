/** What an expression typed at a stop may go on with: only what can be evaluated there. */
import { builtins } from "../language/builtins.ts";
import { constants, fieldNamespace, fieldNamespaces } from "../language/constants.ts";
import type { Given } from "./given-names.ts";
import type { Item } from "./inspect/item.ts";

export interface Completion {
  readonly label: string;
  readonly kind: "variable" | "field" | "function" | "constant";
  readonly detail: string;
}

export interface CompletionList {
  /** Characters before the cursor that a completion replaces. */
  readonly typed: number;
  readonly completions: readonly Completion[];
}

/** What an expression before the cursor ends with: a chain of names and indexes, and the beginning of a name. */
const ENDING = /(?:(?<owner>[A-Za-z_]\w*(?:\.\w+|\[\d+\])*)\.)?(?<typed>[A-Za-z_]\w*)?$/;

/** There are thousands of constants: they are offered once their beginning is clear. */
const CONSTANT_LETTERS = 2;

/**
 * @param text what stands before the cursor
 * @param variables those in scope
 * @param given what else has a value there
 * @param fieldsOf the fields of an expression's value
 */
export function completions(
  text: string,
  variables: readonly Item[],
  given: readonly Given[],
  fieldsOf: (expression: string) => readonly Item[],
): CompletionList {
  const { owner, typed = "" } = ENDING.exec(text)?.groups ?? {};
  const all = owner === undefined ? namesFor(typed, variables, given) : membersOf(owner, fieldsOf);
  const wanted = typed.toLowerCase();
  return { typed: typed.length, completions: all.filter(({ label }) => label.toLowerCase().startsWith(wanted)) };
}

function membersOf(owner: string, fieldsOf: (expression: string) => readonly Item[]): Completion[] {
  const namespace = fieldNamespace(owner);
  if (namespace) return [...namespace.keys()].map((label) => ({ label, kind: "constant", detail: "metadata field" }));
  return fieldsOf(owner)
    .filter(({ label }) => /^[A-Za-z_]\w*$/.test(label))
    .map(({ label, value }) => ({ label, kind: "field", detail: value }));
}

function namesFor(typed: string, variables: readonly Item[], given: readonly Given[]): Completion[] {
  const known = new Map(given.filter(({ yields }) => yields).map(({ name, what }) => [name, what]));
  for (const { label, value } of variables) known.set(label, value);
  for (const { name, what, yields } of given) if (!yields) known.set(name, what);
  const found: Completion[] = [...known].map(([label, detail]) => ({ label, kind: "variable", detail }));
  for (const { name, what, pure } of builtins) if (pure) found.push({ label: name, kind: "function", detail: what });
  for (const label of fieldNamespaces) found.push({ label, kind: "constant", detail: "metadata fields" });
  if (typed.length < CONSTANT_LETTERS) return found;
  for (const [label, { what }] of constants) found.push({ label, kind: "constant", detail: what });
  return found;
}
