/** The language server: how long an editor waits in a flow of 5,000 lines. */
import { PassThrough } from "node:stream";
import {
  createConnection,
  createProtocolConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-languageserver/node";
import { formatText } from "../src/language/services/format.ts";
import { serveLanguage } from "../src/language/services/server.ts";
import type { Figure } from "./figures.ts";

const URI = "file:///main.tdx";
const FUNCTIONS = 1000;
const ROUNDS = 20;

function flow(): string {
  const body = "    let r = TDH.MEM.PAGE.ADD(gpa: 0, tdr: t, hpa: 4K, source: 4K)\n    log r.status\n";
  return Array.from({ length: FUNCTIONS }, (_, at) => `fn f${at}(t) {\n${body}    f${at}(t)\n}\n`).join("");
}

async function milliseconds(work: () => unknown, rounds = ROUNDS): Promise<number> {
  const started = performance.now();
  for (let round = 0; round < rounds; round++) await work();
  return (performance.now() - started) / rounds;
}

export async function run(): Promise<Figure[]> {
  const up = new PassThrough();
  const down = new PassThrough();
  const none = { read: async () => undefined, list: async () => [], flowsFolder: undefined };
  const started = performance.now();
  serveLanguage(createConnection(new StreamMessageReader(up), new StreamMessageWriter(down)), () => none);
  const client = createProtocolConnection(new StreamMessageReader(down), new StreamMessageWriter(up));
  client.listen();
  await client.sendRequest("initialize", { processId: null, rootUri: null, capabilities: {} });
  const text = flow();
  let version = 1;
  let told: () => void = () => undefined;
  client.onNotification("textDocument/publishDiagnostics", () => told());
  const checked = () =>
    new Promise<void>((resolve) => {
      told = resolve;
    });
  const first = checked();
  const item = { uri: URI, languageId: "tdxflow", version, text };
  await client.sendNotification("textDocument/didOpen", { textDocument: item });
  await first;
  const cold = performance.now() - started;
  const textDocument = { uri: URI };
  const position = { line: (FUNCTIONS / 2) * 5 + 2, character: 10 };
  const figure = (name: string, value: number): Figure => ({ name, value, unit: "ms" });
  const touch = async (): Promise<void> => {
    const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };
    await client.sendNotification("textDocument/didChange", {
      textDocument: { uri: URI, version: ++version },
      contentChanges: [{ range, text: " " }],
    });
  };
  const typed = await milliseconds(async () => {
    await touch();
    await client.sendRequest("textDocument/completion", { textDocument, position });
  });
  const hover = await milliseconds(() => client.sendRequest("textDocument/hover", { textDocument, position }));
  const tokens = await milliseconds(() => client.sendRequest("textDocument/semanticTokens/full", { textDocument }));
  const renamed = await milliseconds(
    () =>
      client.sendRequest("textDocument/references", {
        textDocument,
        position: { line: 0, character: version + 3 },
        context: { includeDeclaration: true },
      }),
    3,
  );
  const diagnosed = async (text: string): Promise<number> => {
    const range = { start: { line: FUNCTIONS, character: 0 }, end: { line: FUNCTIONS, character: 0 } };
    const published = checked();
    const pressed = performance.now();
    await client.sendNotification("textDocument/didChange", {
      textDocument: { uri: URI, version: ++version },
      contentChanges: [{ range, text }],
    });
    await published;
    return performance.now() - pressed;
  };
  await diagnosed(" ");
  const whole: number[] = [];
  const mistaken: number[] = [];
  for (let round = 0; round < 5; round++) {
    whole.push(await diagnosed(" "));
    mistaken.push(await diagnosed("("));
    await diagnosed(")");
  }
  const median = (times: number[]): number => times.sort((a, b) => a - b)[times.length >> 1] as number;
  const figures = [
    figure("start, and first diagnostics", cold),
    figure("a letter typed, then completion behind a dot", typed),
    figure("a letter typed, then diagnostics", median(whole)),
    figure("a letter typed that is a mistake, then diagnostics", median(mistaken)),
    figure("hover", hover),
    figure("colours", tokens),
    figure("references", renamed),
    figure("format", await milliseconds(() => formatText(text), 3)),
  ];
  client.dispose();
  return figures;
}
