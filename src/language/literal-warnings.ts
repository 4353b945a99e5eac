/** Numbers that are written out where no function can take them: levels and addresses. A flow may mean it, so they are warnings. */
import { leafLevels } from "../arch/leaf-levels.ts";
import type { LeafOperand } from "../arch/leaf-operands.ts";
import type { Builtin } from "./builtins.ts";
import type { Expression } from "./generated/ast.ts";
import { spanOf } from "./places.ts";
import { parseNumber } from "./strings.ts";
import { type Work, warn } from "./work.ts";

/** An operand of a leaf's call, and what it is given. */
export interface GivenOperand {
  readonly operand: LeafOperand;
  readonly value: Expression | undefined;
}

const PAGE = 4096n;
/** Operands that are the address of a page. */
const PAGE_OPERANDS: ReadonlySet<string> = new Set(["tdr", "tdvpr", "tdcx", "page", "hpa", "source"]);
const SIZES = ["4K", "2M", "1G", "512G", "256T"] as const;

export function literalOf(value: Expression | undefined): bigint | undefined {
  const literal = value?.$type === "NumberLiteral" ? parseNumber(value.text) : undefined;
  return typeof literal === "bigint" ? literal : undefined;
}

export function warnOfOperands(work: Work, leaf: string, given: readonly GivenOperand[]): void {
  if (work.context.expectsFailure) return;
  const level = given.find(({ operand }) => operand.name === "level");
  const levels = leafLevels[leaf];
  const levelValue = level === undefined ? 0n : literalOf(level.value);
  const isLevel =
    levels !== undefined && levelValue !== undefined && levelValue >= levels[0] && levelValue <= levels[1];
  if (levels !== undefined && levelValue !== undefined && !isLevel && level?.value !== undefined) {
    const [least, most] = levels;
    const takes = least === most ? `level ${least}` : `levels ${least} to ${most}`;
    const nearest = String(levelValue < least ? least : most);
    warn(work, spanOf(level.value), "level", `${leaf} takes ${takes}`, nearest);
  }
  for (const { operand, value } of given) {
    const literal = literalOf(value);
    if (literal === undefined || value === undefined) continue;
    if (operand.name === "gpa" && isLevel && literal % PAGE === 0n) {
      warnOfAlignment(work, value, PAGE << (9n * levelValue), `an entry of level ${levelValue} maps`);
    } else if (operand.inPlace || PAGE_OPERANDS.has(operand.name)) {
      warnOfAlignment(work, value, PAGE, `"${operand.name}" is the address of a page:`);
    }
  }
}

/** What addresses builtin functions take: parameter, alignment in bytes. */
const ALIGNED: Readonly<Record<string, readonly (readonly [position: number, align: bigint, what: string])[]>> = {
  free_page: [[0, PAGE, '"hpa" is the address of a page:']],
  movdir64b: [[0, 64n, "MOVDIR64B writes a whole line:"]],
};

export function warnOfArguments(work: Work, { name }: Builtin, values: readonly (Expression | undefined)[]): void {
  for (const [position, align, what] of ALIGNED[name] ?? []) {
    const value = values[position];
    if (value !== undefined) warnOfAlignment(work, value, align, what);
  }
}

function warnOfAlignment(work: Work, value: Expression, align: bigint, what: string): void {
  const literal = literalOf(value);
  if (literal === undefined || literal % align === 0n) return;
  const size = align < PAGE ? `${align} bytes` : SIZES.find((text) => parseNumber(text) === align);
  const below = `0x${(literal - (literal % align)).toString(16)}`;
  warn(work, spanOf(value), "alignment", `${what} a multiple of ${size}`, below);
}
