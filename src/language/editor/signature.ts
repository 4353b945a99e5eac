/** The parameters of the call in whose brackets one types. */
import { findOperand, leafSignatures } from "../../arch/leaf-operands.ts";
import { builtins } from "../builtins.ts";
import type { FlowAnalysis } from "../compile.ts";
import { commentAbove, placeOfOperand } from "./describe.ts";
import { enclosingCall } from "./words.ts";

export interface SignatureHelp {
  readonly label: string;
  readonly documentation: string;
  readonly parameters: readonly { readonly label: string; readonly documentation: string }[];
  /** Number of the parameter at the cursor; -1 if it is none. */
  readonly active: number;
}

export function signatureAt(
  text: string,
  offset: number,
  analysis: FlowAnalysis | undefined,
  path: string,
): SignatureHelp | undefined {
  const call = enclosingCall(text, offset);
  if (call === undefined) return undefined;
  const leaf = leafSignatures.get(call.name);
  if (leaf !== undefined) {
    const parameters = leaf.inputs.map((input) => ({
      label: `${input.name}${input.optional ? "?" : ""}`,
      documentation: `${placeOfOperand(input)} ${input.what}`,
    }));
    const current = call.current === undefined ? undefined : findOperand(leaf.inputs, call.current);
    return {
      label: `${leaf.name}(${parameters.map(({ label }) => label).join(", ")})`,
      documentation: leaf.purpose,
      parameters,
      active: current === undefined ? -1 : leaf.inputs.indexOf(current),
    };
  }
  const [first, second] = call.name.split(".");
  const outer = analysis?.names.get(path)?.get(first as string);
  const symbol = outer?.kind === "module" && second !== undefined ? outer.names.get(second) : outer;
  const builtin = builtins.find((entry) => entry.name === call.name);
  const names =
    symbol?.kind === "function" ? symbol.parameters : symbol === undefined ? builtin?.parameters : undefined;
  if (names === undefined) return undefined;
  const named = call.current === undefined ? -1 : names.findIndex((name) => name.replace("?", "") === call.current);
  return {
    label: `${call.name}(${names.join(", ")})`,
    documentation:
      symbol === undefined ? (builtin?.what ?? "") : commentAbove(symbol.declared.source.text, symbol.declared.start),
    parameters: names.map((label) => ({ label, documentation: "" })),
    active: named >= 0 ? named : Math.min(call.argument, names.length - 1),
  };
}
