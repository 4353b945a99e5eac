/** Memory of a `platform { … }` block: what its ranges must be to make a machine. */
import { PAGE_SIZE } from "../arch/page.ts";
import { SMRAM } from "../arch/smram.ts";
import type { Span } from "./diagnostics.ts";
import type { MemoryDescription, RangeDescription } from "./platform-block.ts";

/** A range, and where it is written. */
export type Placed<T extends RangeDescription> = T & { readonly span: Span };

export type Complain = (span: Span, code: string, message: string, suggestion?: string) => void;

/** CMRs that TDH.SYS.INFO has room for (TDX Module ABI); more memory ranges no machine here needs. */
const MAX_RANGES = 32;

const hex = (address: number): string => `0x${address.toString(16)}`;
const shown = ({ base, size }: RangeDescription): string => `${hex(base)} .. ${hex(base + size)}`;

/** Sorts ranges of one kind, and tells which of them cannot be. `addressBits`: of a physical address without its KeyID. */
export function checkRanges<T extends RangeDescription>(
  ranges: readonly Placed<T>[],
  what: string,
  addressBits: number,
  complain: Complain,
): Placed<T>[] {
  const sorted = ranges.toSorted((a, b) => a.base - b.base);
  for (const [at, range] of sorted.entries()) {
    const before = sorted[at - 1];
    if (range.base % PAGE_SIZE !== 0 || range.size % PAGE_SIZE !== 0) {
      const end = Math.ceil((range.base + range.size) / PAGE_SIZE) * PAGE_SIZE;
      const whole = `${what} ${hex(Math.floor(range.base / PAGE_SIZE) * PAGE_SIZE)} .. ${hex(end)}`;
      complain(range.span, "platform-range", `${what} ${shown(range)} is no range of 4 KiB pages`, whole);
    } else if (before !== undefined && before.base + before.size > range.base) {
      complain(range.span, "platform-range", `${what} ${shown(range)} overlaps ${what} ${shown(before)}`);
    } else if (range.base + range.size > 2 ** addressBits) {
      complain(
        range.span,
        "platform-range",
        `${what} ${shown(range)} ends above the ${addressBits} bits that maxpa leaves beside the KeyID`,
      );
    }
  }
  const tooMany = sorted[MAX_RANGES];
  if (tooMany !== undefined) complain(tooMany.span, "platform-range", `there can be ${MAX_RANGES} ${what} ranges`);
  return sorted;
}

/** Tells of CMRs that the module will not take: a flow may be about just that. */
export function warnOfSmram(cmrs: readonly Placed<RangeDescription>[], warn: Complain): void {
  for (const { base, size, span } of cmrs) {
    if (base >= SMRAM.base + SMRAM.size || SMRAM.base >= base + size) continue;
    warn(span, "platform-range", `this CMR overlaps SMRAM, ${shown(SMRAM)}: TDH.SYS.INIT will refuse it`);
  }
}

/** Tells of memory on a node that there is no package for. */
export function checkNodes(memory: readonly Placed<MemoryDescription>[], packages: number, complain: Complain): void {
  for (const { node, span } of memory) {
    if (node < packages) continue;
    const has = packages === 1 ? "the only node is 0" : `nodes are packages: 0 to ${packages - 1}`;
    complain(span, "platform-node", `there is no node ${node}; ${has}`);
  }
}

/** Tells of CMRs where there is no memory; both are sorted. */
export function checkCmrs(
  cmrs: readonly Placed<RangeDescription>[],
  memory: readonly RangeDescription[],
  complain: Complain,
): void {
  for (const cmr of cmrs) {
    const end = cmr.base + cmr.size;
    let covered = cmr.base;
    for (const { base, size } of memory) if (base <= covered) covered = Math.max(covered, base + size);
    if (covered >= end) continue;
    complain(cmr.span, "platform-range", `there is no memory at ${hex(covered)}: a CMR lies in memory`);
  }
}
