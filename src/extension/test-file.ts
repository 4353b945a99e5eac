import type * as vscode from "vscode";
import { breathe } from "../adapter/breathe.ts";
import { compileFlow } from "../language/compile.ts";
import type { FlowProgram } from "../language/flow-code.ts";
import type { FlowFailure } from "../runtime/flow-error.ts";
import { testRun } from "../runtime/test-run.ts";
import { loadOptions, pathOfUri } from "./host.ts";

export interface FileTestResult {
  readonly output: readonly string[];
  readonly failure: FlowFailure | undefined;
}

/** A flow with tests, compiled once for all of them that are run together. */
export class TestFile {
  readonly #path: string;
  readonly #program: FlowProgram | undefined;
  /** Why there is no program. */
  readonly #mistake: FlowFailure | undefined;

  private constructor(path: string, program: FlowProgram | undefined, mistake: FlowFailure | undefined) {
    this.#path = path;
    this.#program = program;
    this.#mistake = mistake;
  }

  static async open(uri: vscode.Uri, extension: vscode.Uri): Promise<TestFile> {
    const path = pathOfUri(uri);
    const { program, diagnostics } = await compileFlow(path, loadOptions(extension));
    const error = diagnostics.find(({ severity }) => severity === "error");
    return new TestFile(path, program, error && { ...error, hint: "", stack: [] });
  }

  /** Undefined if it was cancelled. */
  async run(name: string, token: vscode.CancellationToken): Promise<FileTestResult | undefined> {
    const test = this.#program?.tests.find((candidate) => candidate.name === name);
    if (this.#program === undefined || test === undefined) {
      const gone = { file: this.#path, line: 1, column: 1, message: `there is no test "${name}"`, hint: "", stack: [] };
      return { output: [], failure: this.#mistake ?? gone };
    }
    const running = testRun(this.#program, test);
    for (;;) {
      const next = running.next();
      if (next.done) return next.value;
      if (token.isCancellationRequested) return undefined;
      // The editor's other requests come in between.
      await breathe();
    }
  }
}
