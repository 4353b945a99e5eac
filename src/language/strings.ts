/** Strings with escapes and {interpolation}: takes a string token apart. */

export interface TextPart {
  readonly kind: "text";
  readonly text: string;
}

/** Source text of an expression inside braces, and the format after a colon: `{x:hex}`. Offset from the token's first quote. */
export interface HolePart {
  readonly kind: "hole";
  readonly offset: number;
  readonly source: string;
}

export interface StringFault {
  readonly offset: number;
  readonly message: string;
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  "0": "\0",
  '"': '"',
  "\\": "\\",
  "{": "{",
  "}": "}",
};

/** `token` has its quotes. A fault tells what is wrong and where; the parts are then what could be read. */
export function splitString(token: string): { parts: (TextPart | HolePart)[]; faults: StringFault[] } {
  const parts: (TextPart | HolePart)[] = [];
  const faults: StringFault[] = [];
  let text = "";
  const flush = () => {
    if (text !== "") parts.push({ kind: "text", text });
    text = "";
  };
  const end = token.length - 1;
  for (let i = 1; i < end; i++) {
    const character = token[i] as string;
    if (character === "\\") {
      i++;
      const escaped = ESCAPES[token[i] as string];
      if (escaped === undefined) faults.push({ offset: i - 1, message: `unknown escape \\${token[i]}` });
      else text += escaped;
    } else if (character === "{") {
      const close = closingBrace(token, i + 1, end);
      if (close < 0) {
        faults.push({ offset: i, message: "this { has no } in the string; write \\{ for a brace" });
        break;
      }
      flush();
      parts.push({ kind: "hole", offset: i + 1, source: token.slice(i + 1, close) });
      i = close;
    } else {
      text += character;
    }
  }
  flush();
  return { parts, faults };
}

function closingBrace(token: string, from: number, end: number): number {
  let depth = 0;
  for (let i = from; i < end; i++) {
    if (token[i] === "{") depth++;
    else if (token[i] === "}" && depth-- === 0) return i;
  }
  return -1;
}

const UNITS: Readonly<Record<string, bigint>> = { K: 2n ** 10n, M: 2n ** 20n, G: 2n ** 30n, T: 2n ** 40n };

/** The value of a number token, or what is wrong with it. */
export function parseNumber(text: string): bigint | string {
  const digits = text.replaceAll("_", "");
  let value: bigint;
  if (/^0[xX][0-9a-fA-F]+$/.test(digits) || /^0[bB][01]+$/.test(digits)) value = BigInt(digits.toLowerCase());
  else {
    const match = /^([0-9]+)([KMGT]?)$/.exec(digits);
    if (match === null) return `"${text}" is not a number: write 10, 0x1f, 0b101, or 4K, 2M, 1G, 1T`;
    value = BigInt(match[1] as string) * (UNITS[match[2] as string] ?? 1n);
  }
  return value < 2n ** 64n ? value : `${text} does not fit into 64 bits`;
}
