/** What stands around a place in a source, by its characters alone: while one types, there is no syntax tree to ask. */

export interface Word {
  /** A name, or a dotted path such as TDH.MEM.PAGE.ADD; or a number. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const PATH = /[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*|[0-9][0-9A-Za-z_]*/g;

function lineBounds(text: string, offset: number): readonly [number, number] {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const end = text.indexOf("\n", offset);
  return [start, end < 0 ? text.length : end];
}

/** The word or dotted path that `offset` touches. */
export function wordAt(text: string, offset: number): Word | undefined {
  const [from, to] = lineBounds(text, offset);
  for (const match of text.slice(from, to).matchAll(PATH)) {
    const start = from + match.index;
    const end = start + match[0].length;
    if (start <= offset && offset <= end) return { text: match[0], start, end };
  }
  return undefined;
}

/** What was typed of a path that ends at `offset`; it may end in a dot. */
export function typedPath(text: string, offset: number): string {
  const [from] = lineBounds(text, offset);
  return /(?:[A-Za-z_][A-Za-z0-9_]*\.)*(?:[A-Za-z_][A-Za-z0-9_]*)?$/.exec(text.slice(from, offset))?.[0] ?? "";
}

/** A call whose brackets `offset` lies in. */
export interface EnclosingCall {
  /** What is called, as a dotted path. */
  readonly name: string;
  /** Number of the argument at `offset`, and the names that arguments have so far. */
  readonly argument: number;
  readonly names: readonly string[];
  /** The name of the argument at `offset`, if it has one already: its value is being typed. */
  readonly current: string | undefined;
}

/** How far back the start of a call is looked for. */
const MAX_BACK = 4000;

/** The innermost call around `offset`; undefined in comments, strings and blocks. */
export function enclosingCall(text: string, offset: number): EnclosingCall | undefined {
  const from = Math.max(0, offset - MAX_BACK);
  const code = blank(text.slice(from, offset));
  let depth = 0;
  for (let i = code.length - 1; i >= 0; i--) {
    const character = code[i] as string;
    if (character === ")" || character === "]" || character === "}") depth++;
    else if (character === "(" || character === "[" || character === "{") {
      if (depth-- > 0) continue;
      if (character !== "(") return undefined;
      const name = /[A-Za-z_][A-Za-z0-9_.]*$/.exec(code.slice(0, i))?.[0];
      return name === undefined ? undefined : { name, ...splitArguments(code.slice(i + 1)) };
    }
  }
  return undefined;
}

function splitArguments(inside: string): Omit<EnclosingCall, "name"> {
  const parts: string[] = [""];
  let depth = 0;
  for (const character of inside) {
    if ("([{".includes(character)) depth++;
    else if (")]}".includes(character)) depth--;
    if (character === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += character;
  }
  const names = parts.map((part) => /^\s*([A-Za-z_][A-Za-z0-9_]*)\s*:/.exec(part)?.[1]);
  return {
    argument: parts.length - 1,
    names: names.filter((name) => name !== undefined),
    current: names.at(-1),
  };
}

/** The text with comments and strings made blank; same length. */
function blank(text: string): string {
  return text.replace(/\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|"(?:\\.|[^"\\\n])*"?/g, (match) => " ".repeat(match.length));
}

/** Whether `offset` lies in a comment, or in a string outside its {holes}. */
export function isInText(text: string, offset: number): boolean {
  const [from] = lineBounds(text, offset);
  const line = text.slice(from, offset);
  let inString = false;
  let hole = false;
  for (let i = 0; i < line.length; i++) {
    const character = line[i];
    if (inString && character === "\\") i++;
    else if (character === '"') inString = !inString;
    else if (inString && character === "{") hole = true;
    else if (inString && character === "}") hole = false;
    else if (!inString && character === "/" && line[i + 1] === "/") return true;
  }
  return inString && !hole;
}
