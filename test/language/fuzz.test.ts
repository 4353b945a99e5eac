import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, it } from "vitest";
import { compileFlow } from "../../src/language/compile.ts";
import type { FlowProgram } from "../../src/language/flow-code.ts";
import { formatText } from "../../src/language/services/format.ts";
import { sourceWords } from "../../src/language/services/tokens.ts";
import { start } from "../runtime/support.ts";
import { sentence } from "./sentences.ts";
import { anyText, LIB, mutated } from "./sources.ts";

/** Sources tried; FUZZ_RUNS asks for more. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 300);
/** Units that each runs at most, if it compiles. */
const UNITS = 3000;
/** Milliseconds; a hang is one that takes longer. */
const TIMEOUT = 60_000 + RUNS * 100;

async function survive(source: string): Promise<boolean> {
  const sources: Record<string, string> = { "main.tdx": source, "lib.tdx": LIB };
  const { program, diagnostics } = await compileFlow("main.tdx", { readSource: (path) => sources[path] });
  const lines = source.split("\n").length;
  for (const { file, line, column, message } of diagnostics) {
    if (file === "main.tdx" && (line < 1 || line > lines || column < 1 || message === "")) return false;
  }
  if ((program === undefined) !== diagnostics.some((diagnostic) => diagnostic.severity === "error")) return false;
  if (!(await keepsItsMeaning(source, program))) return false;
  if (program === undefined) return true;
  const { runtime } = start(program, { scheduleSeed: source.length });
  runtime.run(UNITS);
  const { failure } = runtime;
  return (
    failure === undefined || (failure.line >= 1 && failure.column >= 1 && !failure.message.startsWith("internal error"))
  );
}

/** Laid out twice as once, to the same words, and to the same flow code. */
async function keepsItsMeaning(source: string, program: FlowProgram | undefined): Promise<boolean> {
  const formatted = formatText(source);
  if (formatted === undefined) return program === undefined;
  if (formatText(formatted) !== formatted) return false;
  const words = (text: string) => sourceWords("main.tdx", text).words.map((word) => word.text);
  if (words(formatted).join("\n") !== words(source).join("\n")) return false;
  const sources: Record<string, string> = { "main.tdx": formatted, "lib.tdx": LIB };
  const again = await compileFlow("main.tdx", { readSource: (path) => sources[path] });
  const code = (of: FlowProgram | undefined) => of?.functions.map((fn) => fn.code.join(" ")).join("\n");
  return code(again.program) === code(program);
}

it(
  "no source crashes or hangs the parser, the checker, the formatter or the interpreter, and every error has a place",
  async () => {
    await fc.assert(fc.asyncProperty(mutated, survive), { numRuns: RUNS });
  },
  TIMEOUT,
);

it(
  "nor does what the grammar makes",
  async () => {
    await fc.assert(fc.asyncProperty(sentence, survive), { numRuns: RUNS });
  },
  TIMEOUT,
);

it(
  "nor does any text",
  async () => {
    await fc.assert(fc.asyncProperty(anyText(200), survive), { numRuns: RUNS });
  },
  TIMEOUT,
);

it(
  "nor does a scenario that breaks off anywhere",
  async () => {
    const text = readFileSync("scenarios/td-lifecycle.tdx", "utf8");
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length), async (length) => {
        const { diagnostics } = await compileFlow("main.tdx", {
          readSource: (path) => (path === "main.tdx" ? text.slice(0, length) : undefined),
        });
        expect(diagnostics.every(({ line, column }) => line >= 1 && column >= 1)).toBe(true);
      }),
      { numRuns: Math.ceil(RUNS / 20) },
    );
  },
  TIMEOUT,
);
