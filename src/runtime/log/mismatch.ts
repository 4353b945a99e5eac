/** What a replay found different, and how people read it. */
import { statusText } from "../../arch/status.ts";
import { parsed, parseU64 } from "../../arch/u64.ts";

export interface Mismatch {
  /** Line of the log, from 1. */
  readonly line: number;
  /** Leaf or operation. */
  readonly leaf: string;
  /** Register in lower case, or what else differs: "result", "rip", "inject", "memory". */
  readonly what: string;
  readonly expected: string;
  readonly got: string;
}

/** A value in words where it has some: RAX is a completion status. Empty if there is nothing to add. */
export function meaning(what: string, value: string): string {
  return what === "rax" && parseU64(value) ? statusText(parsed.hi, parsed.lo) : "";
}

const decoded = (what: string, value: string): string => {
  const words = meaning(what, value);
  return words === "" ? value : `${value} ${words}`;
};

/** One line: `12: TDH.MEM.PAGE.AUG rax: expected … got …`. */
export function mismatchText({ line, leaf, what, expected, got }: Mismatch): string {
  return `${line}: ${leaf}: ${what}: expected ${decoded(what, expected)}, got ${decoded(what, got)}`;
}
