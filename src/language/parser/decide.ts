/** Decisions of the parser: by the next token, by the next two where one is not enough, by trying where two are not. */
import { type Beginnings, OPEN } from "./beginnings.ts";
import { type FlowNode, Mismatch, type Reader } from "./node.ts";

/** Reads a node of its own. */
export type Read = (reader: Reader) => FlowNode;

const NONE = -1;
const TWO = -2;

type Seconds = ReadonlySet<number> | undefined;

const fits = (seconds: Seconds, second: number): boolean =>
  seconds !== undefined && (seconds.has(OPEN) || seconds.has(second));

/**
 * Numbers of the parts that can go on with what comes next.
 *
 * @param kinds how many kinds of token there are
 */
export function candidates(parts: readonly Beginnings[], kinds: number): (reader: Reader) => readonly number[] {
  const one = parts.map((_, index) => [index]);
  const table = new Int16Array(kinds).fill(NONE);
  parts.forEach((beginnings, index) => {
    for (const kind of beginnings.keys()) table[kind] = table[kind] === NONE ? index : TWO;
  });
  return (reader) => {
    const first = reader.kinds[reader.at] as number;
    const index = table[first] as number;
    if (index >= 0) return one[index] as readonly number[];
    const second = reader.kinds[reader.at + 1] as number;
    const found = parts.flatMap((beginnings, part) => (fits(beginnings.get(first), second) ? [part] : []));
    if (found.length > 0) return found;
    if (index === TWO) reader.at++;
    throw new Mismatch();
  };
}

/**
 * Reads what gets furthest, the first of those that get as far: as Langium's parser does, which looks ahead until one is left.
 *
 * @throws Mismatch also if what gets furthest does not get to its end
 */
export function furthest(reads: readonly Read[], reader: Reader): FlowNode {
  const { at, node, depth, height } = reader;
  let best: { node: FlowNode; height: number } | undefined;
  let reach = at;
  for (const read of reads) {
    Object.assign(reader, { at, node, depth, height });
    try {
      const found = read(reader);
      if (reader.at > reach || (reader.at === reach && best === undefined))
        best = { node: found, height: reader.height };
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
      if (reader.at > reach) best = undefined;
    }
    reach = Math.max(reach, reader.at);
  }
  if (best === undefined) throw new Mismatch();
  Object.assign(reader, { at: reach, node, depth, height: best.height });
  return best.node;
}

/** Whether a part that may be left out is there. */
export function presence(beginnings: Beginnings, kinds: number): (reader: Reader) => boolean {
  const table = new Int8Array(kinds);
  for (const [kind, seconds] of beginnings) table[kind] = seconds.has(OPEN) ? 1 : TWO;
  return (reader) => {
    const first = reader.kinds[reader.at] as number;
    const known = table[first] as number;
    if (known !== TWO) return known === 1;
    return fits(beginnings.get(first), reader.kinds[reader.at + 1] as number);
  };
}
