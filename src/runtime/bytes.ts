/** Memory contents: integers, strings and lists as bytes, and back. Little-endian. */
import { fromBig, type Integer, isInteger, Status } from "../language/values.ts";
import { FlowError } from "./flow-error.ts";
import { type Heap, ListValue } from "./heap.ts";
import { aType } from "./values.ts";

export function integerOf(bytes: Readonly<Uint8Array>): Integer {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] as number);
  return fromBig(value);
}

/** `size`: bytes of an integer. */
export function bytesOf(value: unknown, size: number, heap: Heap): Uint8Array {
  if (typeof value === "string") return encodeUtf8(value);
  if (value instanceof ListValue) {
    return Uint8Array.from(heap.elements(value), (item) => {
      if (typeof item !== "number" || item > 255)
        throw new FlowError(
          "a list that is written to memory has bytes in it: 0 to 255",
          "write64, write32 and write16 write larger numbers",
        );
      return item;
    });
  }
  const integer = value instanceof Status ? value.integer : value;
  if (!isInteger(integer))
    throw new FlowError(`cannot write ${aType(value)} to memory`, "write an integer, a string or a list of bytes");
  if (size < 1 || size > 8)
    throw new FlowError("an integer is written in 1 to 8 bytes", "write more of them, or a string or a list");
  const bytes = new Uint8Array(size);
  let rest = BigInt(integer);
  for (let i = 0; i < size; i++, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
  return bytes;
}

/** UTF-8, by hand: this room has neither Node's nor a browser's library. */
function encodeUtf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
    else if (code < 0x1_0000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
    else
      bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 0x3f), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
  }
  return Uint8Array.from(bytes);
}
