/** Which milestones are wanted. */
import { decodeStatus, isFailure } from "../arch/status.ts";
import { leafName } from "../runtime/leaf-call.ts";
import { globToRegExp } from "./glob.ts";
import { type Columns, KINDS } from "./milestone-columns.ts";

/** What is asked for. */
export interface MilestoneFilter {
  /** Of these kinds; none: of all. */
  readonly kinds: readonly string[];
  /** What the leaf's name, the status or the fault has in it, or a pattern for one of them; empty: anything. */
  readonly text: string;
  /** Calls that did not succeed, and faults. */
  readonly failed: boolean;
}

/** Names repeat a million times: each is looked at once. */
export function testOf({ kinds, text, failed }: MilestoneFilter): (columns: Columns, index: number) => boolean {
  const pattern = text.includes("*") ? globToRegExp(text) : undefined;
  const wanted = text.trim().toUpperCase();
  const has = (name: string): boolean => pattern?.test(name) ?? name.toUpperCase().includes(wanted);
  const kindFlags = KINDS.map((kind) => kinds.length === 0 || kinds.includes(kind));
  const known = new Map<number, boolean>();
  return (columns, index) => {
    const [kind, callee, hi] = columns.key(index);
    if (!kindFlags[kind]) return false;
    const isFault = KINDS[kind] === "fault";
    if (failed && !isFault && !isFailure(hi)) return false;
    if (wanted === "") return true;
    if (isFault) return has(columns.get(index).what);
    const key = callee * 2 ** 32 + hi;
    let fits = known.get(key);
    if (fits === undefined) {
      fits = has(leafName(callee)) || has(decodeStatus(hi, 0).name ?? "");
      known.set(key, fits);
    }
    return fits;
  };
}

/** Numbers of milestones, ascending. */
export interface Matches {
  readonly length: number;
  at(index: number): number;
}
