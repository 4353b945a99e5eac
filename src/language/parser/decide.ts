/** Decisions of the parser: by the next token, or by the next two where one is not enough. */
import { type Beginnings, OPEN } from "./beginnings.ts";
import { Mismatch, type Reader } from "./node.ts";

const NONE = -1;
const TWO = -2;

type Seconds = ReadonlySet<number> | undefined;

const fits = (seconds: Seconds, second: number): boolean =>
  seconds !== undefined && (seconds.has(OPEN) || seconds.has(second));

/**
 * Number of the first part that can go on with what comes next. Like Langium's parser, which looks ahead as far as it must: a
 * part that was taken and whose source then proves whole is the one that it takes too, as all before it were impossible.
 *
 * @throws Mismatch if none can
 */
export function choice(parts: readonly Beginnings[], kinds: number): (reader: Reader) => number {
  const table = new Int16Array(kinds).fill(NONE);
  parts.forEach((beginnings, index) => {
    for (const kind of beginnings.keys()) table[kind] = table[kind] === NONE ? index : TWO;
  });
  return (reader) => {
    const first = reader.kinds[reader.at] as number;
    let index = table[first] as number;
    if (index === TWO) {
      const second = reader.kinds[reader.at + 1] as number;
      index = parts.findIndex((beginnings) => fits(beginnings.get(first), second));
    }
    if (index === NONE) throw new Mismatch();
    return index;
  };
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
