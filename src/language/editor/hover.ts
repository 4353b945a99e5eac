/** What is told about the word under the mouse. */
import { findOperand, leafSignatures } from "../../arch/leaf-operands.ts";
import type { FlowAnalysis } from "../compile.ts";
import type { Span } from "../diagnostics.ts";
import { describeNumber, describePath, describeSymbol, placeOfOperand } from "./describe.ts";
import { useAt } from "./navigation.ts";
import { enclosingCall, isInText, wordAt } from "./words.ts";

export interface Hover {
  /** Markdown. */
  readonly text: string;
  readonly span: Span;
}

export function hoverAt(
  text: string,
  offset: number,
  analysis: FlowAnalysis | undefined,
  path: string,
): Hover | undefined {
  const word = wordAt(text, offset);
  if (word === undefined) return undefined;
  const span = { start: word.start, end: word.end };
  if (/^[0-9]/.test(word.text)) {
    const described = describeNumber(word.text);
    return described === undefined ? undefined : { text: described, span };
  }
  const use = analysis === undefined ? undefined : useAt(analysis, path, offset);
  if (use !== undefined) return { text: describeSymbol(use.symbol), span: use };
  // An operand's name before its colon.
  if (/^\s*:/.test(text.slice(word.end))) {
    const call = enclosingCall(text, word.start);
    const operand =
      call === undefined ? undefined : findOperand(leafSignatures.get(call.name)?.inputs ?? [], word.text);
    if (operand !== undefined)
      return { text: `\`${operand.name}\` ${placeOfOperand(operand)}\n\n${operand.what}`, span };
  }
  const described = describePath(word.text);
  return described === undefined || isInText(text, offset) ? undefined : { text: described, span };
}
