/** Parses one source. */
import type { AstNode, ParseResult } from "langium";
import { type DiagnosticSink, type SourceFile, sourceFile } from "./diagnostics.ts";
import type { Expression, Program } from "./generated/ast.ts";
import { isTooHigh, TooDeep } from "./parser/depth.ts";
import { shiftTree } from "./places.ts";
import { discardLanguageServices, languageServices, wholeParser } from "./services.ts";
import { reportSyntaxErrors } from "./syntax-errors.ts";

export interface ParsedSource {
  readonly source: SourceFile;
  /** Its root node; parts may be missing where there were errors. */
  readonly program: Program;
}

export function parseSource(path: string, text: string, sink: DiagnosticSink): ParsedSource {
  const source = sourceFile(path, text);
  const program = parse<Program>(text, "Program", source, 0, sink);
  return { source, program: program ?? ({ $type: "Program", statements: [] } satisfies Program) };
}

/** Parses an expression that lies in `source` at `offset`: inside a string, or a watch expression (its own source). */
export function parseExpression(
  text: string,
  source: SourceFile,
  offset: number,
  sink: DiagnosticSink,
): Expression | undefined {
  const before = sink.all.length;
  const expression = parse<Expression>(text, "Expression", source, offset, sink);
  return sink.all.length > before ? undefined : expression;
}

/** The tree of a text, with holes where it has mistakes; undefined if it is too deep for one. */
function parse<T extends AstNode>(
  text: string,
  rule: string,
  source: SourceFile,
  offset: number,
  sink: DiagnosticSink,
): T | undefined {
  try {
    const whole = wholeParser().parse(text, rule, offset);
    return (whole ?? parseWithMistakes(text, rule, source, offset, sink)) as T;
  } catch (error) {
    if (!(error instanceof TooDeep)) throw error;
    sink.error(source, { start: error.offset, end: error.offset + 1 }, "nesting", error.message);
    return undefined;
  }
}

/** By Langium's parser, which says what is wrong and goes on behind it. */
function parseWithMistakes(
  text: string,
  rule: string,
  source: SourceFile,
  offset: number,
  sink: DiagnosticSink,
): AstNode {
  const result = byLangium(text, rule, offset);
  if (isTooHigh(result.value)) throw new TooDeep(offset);
  reportSyntaxErrors(result, source, offset, sink);
  shiftTree(result.value, offset);
  return result.value;
}

function byLangium(text: string, rule: string, offset: number): ParseResult {
  try {
    return languageServices().parser.LangiumParser.parse(text, { rule });
  } catch {
    // It throws nothing by itself: its stack was full, and what it had begun is still there.
    discardLanguageServices();
    throw new TooDeep(offset);
  }
}

export { nameSpan, propertySpan, spanOf } from "./places.ts";
