/** `tdxflow test`: runs the `test` blocks of flows. */
import { writeFile } from "node:fs/promises";
import { compileFlow } from "../language/compile.ts";
import { formatDiagnostic } from "../language/diagnostics.ts";
import { type TestResult, testRun } from "../runtime/test-run.ts";
import { type CommandLine, EXIT_FAILED, EXIT_FINE, EXIT_USAGE, parseCommand, UsageError } from "./command.ts";
import { failureText } from "./failure-text.ts";
import { loadOptions } from "./files.ts";
import { junitReport } from "./junit.ts";

export interface RanTest extends TestResult {
  readonly file: string;
  readonly milliseconds: number;
}

export const testCommand: CommandLine = {
  name: "test",
  usage: "tdxflow test [--name TEXT] [--junit FILE] [--json] FLOW…",
  summary: "Run the test blocks of flows (.tdx), each on a machine of its own.",
  options: {
    name: { type: "string", value: "TEXT", help: "run only tests whose name contains this" },
    junit: { type: "string", value: "FILE", help: "also write the results as JUnit XML, for continuous integration" },
  },
  run: async (args) => {
    const { positionals, texts, json } = parseCommand(testCommand, args);
    if (positionals.length === 0) throw new UsageError(`no flow given\nusage: ${testCommand.usage}`);
    const ran: RanTest[] = [];
    let broken = false;
    for (const file of positionals) {
      const { program, diagnostics } = await compileFlow(file, loadOptions());
      for (const diagnostic of diagnostics) console.error(formatDiagnostic(diagnostic));
      broken ||= program === undefined;
      for (const test of program?.tests ?? []) {
        if (program === undefined || !test.name.includes(texts.name ?? "")) continue;
        const result = timed(file, () => toEnd(testRun(program, test)));
        ran.push(result);
        if (!json) tell(result);
      }
    }
    const failed = ran.filter(({ failure }) => failure !== undefined).length;
    if (texts.junit !== undefined) await write(texts.junit, junitReport(ran));
    if (json) console.log(JSON.stringify(summary(ran, failed), undefined, 1));
    else console.log(`${ran.length - failed} passed, ${failed} failed`);
    if (broken) return EXIT_USAGE;
    return failed > 0 ? EXIT_FAILED : EXIT_FINE;
  },
};

function toEnd(run: Generator<undefined, TestResult>): TestResult {
  let next = run.next();
  while (!next.done) next = run.next();
  return next.value;
}

function timed(file: string, run: () => TestResult): RanTest {
  const started = performance.now();
  const result = run();
  return { ...result, file, milliseconds: performance.now() - started };
}

function tell({ file, test, failure, milliseconds }: RanTest): void {
  console.log(
    `${failure === undefined ? "pass" : "FAIL"}  ${file}:${test.line}  ${test.name} (${milliseconds.toFixed(0)} ms)`,
  );
  if (failure !== undefined) console.error(failureText(failure));
}

function summary(ran: readonly RanTest[], failed: number): object {
  const tests = ran.map(({ file, test, failure, output, milliseconds }) => ({
    file,
    line: test.line,
    name: test.name,
    status: failure === undefined ? "passed" : "failed",
    milliseconds: Math.round(milliseconds),
    output,
    failure,
  }));
  return { passed: ran.length - failed, failed, tests };
}

async function write(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (error) {
    throw new UsageError(`${path} cannot be written: ${error instanceof Error ? error.message : error}`);
  }
}
