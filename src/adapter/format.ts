/** How a client wants numbers written. */
import type { Arguments } from "./arguments.ts";

/** A value's text with every integer in hexadecimal. What stands in quotes, names, byte strings or behind a "·" stays as it is. */
export function inHex(value: string): string {
  const [text = "", ...comment] = value.split(" · ");
  const shown = text.replace(
    /"(?:[^"\\]|\\.)*"|0x[\da-f]+|[A-Za-z_][\w.]*|(\d+)(?!\w)|\w+/gi,
    (part: string, digits: string | undefined) => (digits === undefined ? part : `0x${BigInt(digits).toString(16)}`),
  );
  return [shown, ...comment].join(" · ");
}

/** Whether a request wants integers in hexadecimal. */
export function isHex(request: Arguments): boolean {
  return request.object("format").flag("hex");
}
