/** A client of the language server in memory: what an editor sends and gets, over the protocol itself. */
import { PassThrough } from "node:stream";
import {
  type ClientCapabilities,
  type CompletionItem,
  type CompletionList,
  createConnection,
  createProtocolConnection,
  type Diagnostic,
  type Position,
  type ProtocolConnection,
  type PublishDiagnosticsParams,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-languageserver/node";
import { serveLanguage } from "../../../src/language/services/server.ts";
import type { FlowFiles } from "../../../src/language/services/sources.ts";

export const FOLDER = "file:///flows";

/** Files of a workspace by their name in {@link FOLDER}. */
function filesIn(files: Readonly<Record<string, string>>): FlowFiles {
  return {
    flowsFolder: `${FOLDER}/shipped`,
    read: async (uri) => {
      if (uri.endsWith("/locked.tdx")) throw new Error("EACCES");
      return files[uri.slice(FOLDER.length + 1)];
    },
    list: async () => Object.keys(files).map((name) => `${FOLDER}/${name}`),
  };
}

/** Where `|` stands in a text, and the text without it. */
export function marked(text: string): { text: string; position: Position } {
  const before = text.slice(0, text.indexOf("|"));
  const lines = before.split("\n");
  return {
    text: text.replace("|", ""),
    position: { line: lines.length - 1, character: (lines.at(-1) as string).length },
  };
}

export class LanguageClient {
  readonly connection: ProtocolConnection;
  readonly #told = new Map<string, Diagnostic[]>();
  readonly #waiting: ((told: PublishDiagnosticsParams) => void)[] = [];

  private constructor(files: Readonly<Record<string, string>>) {
    const up = new PassThrough();
    const down = new PassThrough();
    serveLanguage(createConnection(new StreamMessageReader(up), new StreamMessageWriter(down)), () => filesIn(files));
    this.connection = createProtocolConnection(new StreamMessageReader(down), new StreamMessageWriter(up));
    this.connection.onNotification("textDocument/publishDiagnostics", (told: PublishDiagnosticsParams) => {
      this.#told.set(told.uri, told.diagnostics);
      for (const look of this.#waiting) look(told);
    });
    this.connection.listen();
  }

  static async start(files: Readonly<Record<string, string>> = {}): Promise<LanguageClient> {
    const client = new LanguageClient(files);
    const capabilities: ClientCapabilities = {
      textDocument: { completion: { completionItem: { snippetSupport: true } } },
    };
    const initializationOptions = { runCommands: true };
    await client.connection.sendRequest("initialize", {
      processId: null,
      rootUri: FOLDER,
      capabilities,
      initializationOptions,
    });
    await client.connection.sendNotification("initialized", {});
    return client;
  }

  stop(): void {
    this.connection.dispose();
  }

  /** Opens a source under a name; `|` in it is the place that is asked about. */
  async open(text: string, name = "main.tdx"): Promise<{ uri: string; position: Position }> {
    const at = marked(text.includes("|") ? text : `${text}|`);
    const uri = `${FOLDER}/${name}`;
    const textDocument = { uri, languageId: "tdxflow", version: 1, text: at.text };
    await this.connection.sendNotification("textDocument/didOpen", { textDocument });
    return { uri, position: at.position };
  }

  async change(uri: string, text: string, version = 2): Promise<void> {
    await this.connection.sendNotification("textDocument/didChange", {
      textDocument: { uri, version },
      contentChanges: [{ text }],
    });
  }

  /** Waits until what is said about a source is as `wanted`. */
  diagnostics(
    uri: string,
    wanted: (list: readonly Diagnostic[]) => boolean = () => true,
  ): Promise<readonly Diagnostic[]> {
    const known = this.#told.get(uri);
    if (known !== undefined && wanted(known)) return Promise.resolve(known);
    return new Promise((resolve) => {
      this.#waiting.push((told) => {
        if (told.uri === uri && wanted(told.diagnostics)) resolve(told.diagnostics);
      });
    });
  }

  /** Asks about the place that `|` marks in `text`. */
  async ask<T>(method: string, text: string, more: object = {}): Promise<T> {
    const { uri, position } = await this.open(text);
    return this.connection.sendRequest<T>(method, { textDocument: { uri }, position, ...more });
  }

  async completions(text: string): Promise<CompletionItem[]> {
    const answer = await this.ask<CompletionItem[] | CompletionList>("textDocument/completion", text);
    return Array.isArray(answer) ? answer : answer.items;
  }
}
