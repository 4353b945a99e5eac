/** Says in words what Langium's parser found wrong. */
import { type DiagnosticSink, placeOf, type SourceFile } from "./diagnostics.ts";
import { hintForLine } from "./foreign-words.ts";

/** The most errors that are worth telling about one source: past a mistake, most others follow from it. */
export const MAX_ERRORS = 20;

interface Outcome {
  readonly lexerErrors: readonly { readonly offset: number; readonly length: number; readonly message: string }[];
  readonly parserErrors: readonly ParserError[];
}

interface ParserError {
  readonly name: string;
  readonly message: string;
  readonly token: { readonly image: string; readonly startOffset: number; readonly endOffset?: number };
  readonly previousToken?: { readonly image: string; readonly startOffset: number; readonly endOffset?: number };
}

/** What was found in a text, and where that begins in its source. */
export interface Parsed {
  readonly result: Outcome;
  readonly offset: number;
}

/** @param dots places of dots behind which a name is missing, which is no mistake for the parser */
export function reportSyntaxErrors(
  parts: readonly Parsed[],
  source: SourceFile,
  sink: DiagnosticSink,
  dots: readonly number[],
): void {
  const lines = new Set<number>();
  const tell = (start: number, end: number, message: string): void => {
    const { line } = placeOf(source, start);
    // What else does not fit in a line mostly follows from the first that does not.
    if (lines.has(line) || lines.size === MAX_ERRORS) return;
    lines.add(line);
    sink.error(source, { start, end }, "syntax", message);
  };
  const withHint = (message: string, start: number, found: string): string => {
    const hint = hintForLine(lineOf(source.text, start), found);
    return hint === undefined ? message : `${message}; ${hint}`;
  };
  for (const dot of dots) tell(dot, dot + 1, "a name is missing behind this dot");
  for (const { result, offset } of parts) {
    for (const error of result.lexerErrors) {
      const start = offset + error.offset;
      const character = source.text[start] ?? "";
      const message = CHARACTERS[character] ?? withHint(`unexpected character ${shown(character)}`, start, character);
      tell(start, start + Math.max(1, error.length), message);
    }
  }
  for (const { result, offset } of parts) {
    for (const error of result.parserErrors) {
      const { previousToken, token } = error;
      const atEnd = !(token.startOffset >= 0) || token.image === "";
      const start = atEnd ? endOf(previousToken, source.text.trimEnd().length - offset) : token.startOffset;
      const end = atEnd ? start : endOf(token, start);
      tell(offset + start, offset + end, withHint(explain(error, atEnd), offset + start, token.image));
    }
  }
}

const CHARACTERS: Readonly<Record<string, string>> = {
  '"': "this string does not end on its line",
  "'": 'a string stands between double quotes: "…"',
  "#": "a comment begins with //",
};

/** The line that an offset is in. */
function lineOf(text: string, offset: number): string {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const end = text.indexOf("\n", offset);
  return text.slice(start, end < 0 ? text.length : end);
}

function endOf(token: ParserError["token"] | undefined, otherwise: number): number {
  return token?.endOffset !== undefined && token.endOffset >= 0 ? token.endOffset + 1 : otherwise;
}

/** Words that begin what no block can have in it. */
const TOP_LEVEL = /^(fn|import)$/;

/** The parser's message in words. */
function explain(error: ParserError, atEnd: boolean): string {
  const found = atEnd ? "the text ends" : `found "${error.token.image}"`;
  const expected = /Expecting token of type '(.+?)' but found/.exec(error.message);
  if (expected?.[1] === "}" && TOP_LEVEL.test(error.token.image))
    return `"${error.token.image}" can only stand at the top level of a file`;
  if (expected?.[1] === "=" && error.token.image !== ":")
    return `expected "=", but ${found}: a variable has a value from the start, let x = …`;
  if (expected !== null && expected[1] !== "EOF") return `expected ${tokenName(expected[1] as string)}, but ${found}`;
  if (expected !== null) return `unexpected "${error.token.image}"`;
  const after = error.previousToken?.image;
  if (/^(let|fn|for|spawn)$/.test(after ?? "") && /^[a-z_]+$/.test(error.token.image)) {
    return `"${error.token.image}" is a word of the language and cannot be a name`;
  }
  if (after === undefined || after === "") return `${found}, which cannot begin a statement`;
  return atEnd ? `the text ends after "${after}"` : `unexpected "${error.token.image}" after "${after}"`;
}

function tokenName(token: string): string {
  if (token === "ID") return "a name";
  if (token === "NUMBER") return "a number";
  if (token === "TEXT") return "a string";
  return `"${token}"`;
}

/** A character in quotes; by its code where it cannot be seen, as in a file that is no text. */
function shown(character: string): string {
  if (/[\p{L}\p{N}\p{P}\p{S}]/u.test(character)) return `"${character}"`;
  return `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}
