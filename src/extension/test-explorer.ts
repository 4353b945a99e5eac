/** `test` blocks in VS Code's Test Explorer. */
import * as vscode from "vscode";
import { DEBUG_TEST_COMMAND, RUN_TEST_COMMAND, testsOf } from "../language/services/outline.ts";
import { positionOf } from "../language/services/places.ts";
import { sourceWords } from "../language/services/tokens.ts";
import { debugTest } from "./debug-test.ts";
import { pathOfUri, readSource, uriOfPath } from "./host.ts";
import { TestFile } from "./test-file.ts";

const FLOWS = "**/*.tdx";

/** Finds tests where flows lie and where they are typed, and runs or debugs those that are asked for. */
export class FlowTests implements vscode.Disposable {
  readonly #controller = vscode.tests.createTestController("tdxflow", "TDX Flows");
  readonly #extension: vscode.Uri;
  readonly #subscriptions: vscode.Disposable[];

  /** @param extension where the shipped flows lie */
  constructor(extension: vscode.Uri) {
    this.#extension = extension;
    const watcher = vscode.workspace.createFileSystemWatcher(FLOWS);
    this.#controller.resolveHandler = (item) => (item === undefined ? this.#discover() : undefined);
    this.#controller.refreshHandler = () => this.#discover();
    this.#controller.createRunProfile(
      "Run",
      vscode.TestRunProfileKind.Run,
      (request, token) => this.#run(request, token),
      true,
    );
    this.#controller.createRunProfile(
      "Debug",
      vscode.TestRunProfileKind.Debug,
      (request, token) => this.#debug(request, token),
      true,
    );
    this.#subscriptions = [
      watcher,
      watcher.onDidCreate((uri) => this.#read(uri)),
      watcher.onDidChange((uri) => this.#read(uri)),
      watcher.onDidDelete((uri) => this.#controller.items.delete(uri.toString())),
      vscode.workspace.onDidOpenTextDocument((document) => this.#opened(document)),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.#opened(document)),
      vscode.commands.registerCommand(RUN_TEST_COMMAND, (uri: string, name: string) => this.#one(uri, name, false)),
      vscode.commands.registerCommand(DEBUG_TEST_COMMAND, (uri: string, name: string) => this.#one(uri, name, true)),
    ];
    for (const document of vscode.workspace.textDocuments) this.#opened(document);
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#controller.dispose();
  }

  async #discover(): Promise<void> {
    const found = await vscode.workspace.findFiles(FLOWS, "**/node_modules/**");
    await Promise.all(found.map((uri) => this.#read(uri)));
  }

  #opened(document: vscode.TextDocument): void {
    if (document.languageId === "tdxflow") this.#update(document.uri, document.getText());
  }

  async #read(uri: vscode.Uri): Promise<void> {
    const text = await readSource(pathOfUri(uri));
    if (text !== undefined) this.#update(uri, text);
  }

  /** Shows the tests that a file has now; one without tests is not shown. */
  #update(uri: vscode.Uri, text: string): void {
    const id = uri.toString();
    const words = sourceWords(id, text);
    const tests = testsOf(words).map(({ name, start, end }) => {
      const item = this.#controller.createTestItem(`${id}#${name}`, name, uri);
      const [from, to] = [positionOf(words.source, start), positionOf(words.source, end)];
      item.range = new vscode.Range(from.line, from.character, to.line, to.character);
      return item;
    });
    if (tests.length === 0) {
      this.#controller.items.delete(id);
      return;
    }
    let file = this.#controller.items.get(id);
    if (!file) {
      file = this.#controller.createTestItem(id, vscode.workspace.asRelativePath(uri), uri);
      this.#controller.items.add(file);
    }
    file.children.replace(tests);
  }

  /** The tests that a request means, by their file. */
  #wanted({ include, exclude }: vscode.TestRunRequest): Map<string, vscode.TestItem[]> {
    const wanted = new Map<string, vscode.TestItem[]>();
    const add = (item: vscode.TestItem): void => {
      if (exclude?.includes(item)) return;
      if (item.parent === undefined) item.children.forEach(add);
      else wanted.set(item.parent.id, [...(wanted.get(item.parent.id) ?? []), item]);
    };
    if (include) include.forEach(add);
    else this.#controller.items.forEach(add);
    return wanted;
  }

  async #run(request: vscode.TestRunRequest, token: vscode.CancellationToken): Promise<void> {
    const run = this.#controller.createTestRun(request);
    try {
      for (const [id, items] of this.#wanted(request)) {
        for (const item of items) run.enqueued(item);
        const file = await TestFile.open(vscode.Uri.parse(id), this.#extension);
        for (const item of items) {
          if (token.isCancellationRequested) run.skipped(item);
          else await this.#runOne(run, file, item, token);
        }
      }
    } finally {
      run.end();
    }
  }

  async #runOne(
    run: vscode.TestRun,
    file: TestFile,
    item: vscode.TestItem,
    token: vscode.CancellationToken,
  ): Promise<void> {
    run.started(item);
    const started = Date.now();
    const result = await file.run(item.label, token);
    if (result === undefined) {
      run.skipped(item);
      return;
    }
    for (const line of result.output) run.appendOutput(`${line}\r\n`, undefined, item);
    const { failure } = result;
    if (failure === undefined) {
      run.passed(item, Date.now() - started);
      return;
    }
    const message = new vscode.TestMessage(
      failure.hint === "" ? failure.message : `${failure.message}\n${failure.hint}`,
    );
    const place = new vscode.Position(failure.line - 1, failure.column - 1);
    message.location = new vscode.Location(uriOfPath(failure.file), place);
    run.failed(item, message, Date.now() - started);
  }

  async #debug(request: vscode.TestRunRequest, token: vscode.CancellationToken): Promise<void> {
    const run = this.#controller.createTestRun(request);
    try {
      for (const item of [...this.#wanted(request).values()].flat()) {
        if (token.isCancellationRequested || !item.uri) continue;
        run.started(item);
        const exitCode = await debugTest(item.uri, item.label, run);
        if (exitCode === 0) run.passed(item);
        else if (exitCode === undefined) run.skipped(item);
        else run.failed(item, new vscode.TestMessage("The test failed: the Debug Console says where."));
      }
    } finally {
      run.end();
    }
  }

  /** What the lens above a test does. */
  async #one(uri: string, name: string, debug: boolean): Promise<void> {
    const id = vscode.Uri.parse(uri).toString();
    const item = this.#controller.items.get(id)?.children.get(`${id}#${name}`);
    if (!item) return;
    const request = new vscode.TestRunRequest([item]);
    const { token } = new vscode.CancellationTokenSource();
    await (debug ? this.#debug(request, token) : this.#run(request, token));
  }
}
