/** Parses one source. */
import { type AstNode, AstUtils, type ParseResult } from "langium";
import { type DiagnosticSink, type SourceFile, sourceFile } from "./diagnostics.ts";
import type { Expression, Program } from "./generated/ast.ts";
import { parseAroundMistakes } from "./parser/around-mistakes.ts";
import { isTooHigh, TooDeep } from "./parser/depth.ts";
import { Pieces } from "./parser/pieces.ts";
import { type SoundPart, soundPart } from "./parser/sound-part.ts";
import { shiftTree } from "./places.ts";
import { discardLanguageServices, languageServices, wholeParser } from "./services.ts";
import { MAX_ERRORS, reportSyntaxErrors } from "./syntax-errors.ts";

export interface ParsedSource {
  readonly source: SourceFile;
  /** Its root node; parts may be missing where there were errors. */
  readonly program: Program;
  /** What is sure of it; all, if there were no errors. */
  readonly sound: () => SoundPart;
}

export function parseSource(path: string, text: string, sink: DiagnosticSink): ParsedSource {
  const source = sourceFile(path, text);
  const before = sink.all.length;
  let pieces: Pieces | undefined;
  const parsed = unlessTooDeep(source, sink, () => {
    const parser = wholeParser();
    const tokens = parser.lexer.tokenize(text);
    const whole = parser.parse(text, "Program", 0, tokens);
    if (whole !== undefined) return whole as Program;
    pieces = new Pieces(parser, tokens);
    const dots = parser.danglingDots(tokens);
    return (
      parseAround(pieces, dots, source, sink) ?? parseWithMistakes<Program>(text, "Program", source, 0, sink, dots)
    );
  });
  const program: Program = parsed ?? { $type: "Program", statements: [] };
  const isWhole = sink.all.length === before;
  const sound = (): SoundPart => {
    if (isWhole) return { statements: program.statements, doubtful: [] };
    const part = unlessTooDeep(source, undefined, () => pieces && soundPart(wholeParser(), pieces));
    return part ?? { statements: [], doubtful: [{ start: 0, end: text.length }] };
  };
  return { source, program, sound };
}

/** Parses an expression that lies in `source` at `offset`: inside a string, or a watch expression (its own source). */
export function parseExpression(
  text: string,
  source: SourceFile,
  offset: number,
  sink: DiagnosticSink,
): Expression | undefined {
  const before = sink.all.length;
  const expression = unlessTooDeep(source, sink, () => {
    const whole = wholeParser().parse(text, "Expression", offset) as Expression | undefined;
    return whole ?? parseWithMistakes<Expression>(text, "Expression", source, offset, sink);
  });
  return sink.all.length > before ? undefined : expression;
}

/** The outcome, or undefined where the source is too deep, which is told. */
function unlessTooDeep<T>(source: SourceFile, sink: DiagnosticSink | undefined, parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof TooDeep)) throw error;
    const start = Math.min(error.offset, source.text.length - 1);
    sink?.error(source, { start, end: start + 1 }, "nesting", error.message);
    return undefined;
  }
}

/** By Langium's parser, which says what is wrong and goes on behind it. */
function parseWithMistakes<T extends AstNode>(
  text: string,
  rule: string,
  source: SourceFile,
  offset: number,
  sink: DiagnosticSink,
  dots: readonly number[] = [],
): T {
  const result = byLangium<T>(text, rule, offset);
  reportSyntaxErrors([{ result, offset }], source, sink, dots);
  shiftTree(result.value, offset);
  return result.value;
}

/** @throws TooDeep */
function byLangium<T extends AstNode>(text: string, rule: string, offset: number): ParseResult<T> {
  let result: ParseResult<T>;
  try {
    result = languageServices().parser.LangiumParser.parse<T>(text, { rule });
  } catch {
    // It throws nothing by itself: its stack was full, and what it had begun is still there.
    discardLanguageServices();
    throw new TooDeep(offset);
  }
  if (isTooHigh(result.value)) throw new TooDeep(offset);
  return result;
}

/** The tree and the mistakes as by Langium's parser, which looks at the places of the mistakes only; undefined if that does not do. */
function parseAround(
  pieces: Pieces,
  dots: readonly number[],
  source: SourceFile,
  sink: DiagnosticSink,
): Program | undefined {
  const around = parseAroundMistakes(pieces, (piece, offset) => byLangium<Program>(piece, "Program", offset));
  if (around === undefined) return undefined;
  const counts = around.regions.map(({ result }) => result.lexerErrors.length + result.parserErrors.length);
  const errors = counts.reduce((sum, count) => sum + count, 0);
  // Something is wrong, or there would be a tree: no error must not mean a whole source.
  if (errors > MAX_ERRORS || errors + dots.length === 0) return undefined;
  const program: Program = { $type: "Program", statements: around.statements as Program["statements"] };
  reportSyntaxErrors(around.regions, source, sink, dots);
  for (const { result, offset } of around.regions) shiftTree(result.value, offset);
  AstUtils.linkContentToContainer(program);
  return program;
}
