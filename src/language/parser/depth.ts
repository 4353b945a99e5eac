/**
 * How deep a source may go. Parsers and all who walk the tree go down by calls, and Langium's parser needs forty of them for a
 * bracket: these limits keep both within a stack of a megabyte.
 */
import { type AstNode, AstUtils } from "langium";
import type { Tokens } from "./lexer.ts";

/** Brackets of any kind that can be open at one place. */
export const MAX_BRACKETS = 100;

/** Levels of a tree: each operator of a chain is one, each `else if`, each `.field`. */
export const MAX_HEIGHT = 500;

/** The source goes deeper than that. */
export class TooDeep extends Error {
  readonly offset: number;

  constructor(offset: number) {
    super(`this is nested too deeply: more than ${MAX_BRACKETS} brackets or ${MAX_HEIGHT} levels`);
    this.offset = offset;
  }
}

/** By their codes: 1 opens, -1 closes. */
const BRACKETS: ReadonlyMap<number, number> = new Map([
  ...Array.from("([{", (character) => [character.charCodeAt(0), 1] as const),
  ...Array.from(")]}", (character) => [character.charCodeAt(0), -1] as const),
]);

/** @throws TooDeep */
export function checkBrackets({ text, count, starts }: Tokens, shift: number): void {
  let depth = 0;
  for (let at = 0; at < count; at++) {
    const start = starts[at] as number;
    const bracket = BRACKETS.get(text.charCodeAt(start)) ?? 0;
    depth = Math.max(0, depth + bracket);
    if (depth > MAX_BRACKETS) throw new TooDeep(start + shift);
  }
}

/**
 * Langium's parser splits each chain of operators again and again: a long one takes it minutes. Takes what stands between two
 * operands that nothing connects for one chain, brackets and all.
 *
 * @throws TooDeep
 */
export function checkChains({ text, count, starts }: Tokens, shift: number): void {
  let operators = 0;
  let isOperand = false;
  for (let at = 0; at < count; at++) {
    const start = starts[at] as number;
    const first = text[start] as string;
    const wasOperand = isOperand;
    isOperand = /[A-Za-z0-9_")\]}]/.test(first);
    const begins = /[A-Za-z0-9_"]/.test(first);
    if (first === "," || first === ";" || (begins && wasOperand)) operators = 0;
    else if (!isOperand && ++operators > MAX_HEIGHT * 2) throw new TooDeep(start + shift);
  }
}

/** Whether a tree is as high as can be walked. Goes down without calls. */
export function isTooHigh(root: AstNode): boolean {
  let level: AstNode[] = [root];
  for (let height = 0; level.length > 0; height++) {
    if (height > MAX_HEIGHT) return true;
    level = level.flatMap((node) => AstUtils.streamContents(node).toArray());
  }
  return false;
}
