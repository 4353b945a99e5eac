/**
 * The sources of the module's leaf functions, as far as a debugger has to know them: where they can stop, and what the
 * functions are called in which steps stand.
 */

export interface LeafSource {
  /** Path in the project, with forward slashes: as step traces name it. */
  readonly path: string;
  readonly text: string;
  /** Lines, from 1, at which a step can stop: those with a labelled yield. */
  readonly lines: readonly number[];
}

const STEP = /^\s*yield\s+["'`]/;
const FUNCTION = /^\s*(?:export\s+)?(?:async\s+)?function\s*\*?\s*([A-Za-z_$][\w$]*)/;

export function leafSource(path: string, text: string): LeafSource {
  const lines: number[] = [];
  for (const [i, line] of text.split("\n").entries()) if (STEP.test(line)) lines.push(i + 1);
  return { path, text, lines };
}

/** What the step on a line does, as its yield says. */
export function stepLabel(source: LeafSource, line: number): string {
  const text = source.text.split("\n")[line - 1] ?? "";
  return /yield\s+(["'`])(.*)\1/.exec(text)?.[2] ?? text.trim();
}

/** Name of the function that a line, from 1, belongs to. */
export function functionAt(source: LeafSource, line: number): string | undefined {
  const lines = source.text.split("\n");
  for (let i = Math.min(line, lines.length) - 1; i >= 0; i--) {
    const match = FUNCTION.exec(lines[i] as string);
    if (match) return match[1];
  }
  return undefined;
}

/** The step at or after a line, in the same file. */
export function stepAtOrAfter(source: LeafSource, line: number): number | undefined {
  return source.lines.find((candidate) => candidate >= line);
}

/** File of a leaf's own source: TDH.MEM.PAGE.AUG is src/module/host/tdh-mem-page-aug.ts. */
export function leafPath(name: string): string {
  const folder = name.startsWith("TDG.") ? "guest" : "host";
  return `src/module/${folder}/${name.toLowerCase().replaceAll(".", "-")}.ts`;
}
