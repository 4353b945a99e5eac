/** Files by asking the client for them: it reaches those that no disk has, as in a browser. */
import type { Connection, InitializeParams } from "vscode-languageserver";
import { canonicalUri, type FlowFiles } from "./sources.ts";

/** Requests that our own clients answer: the text of a file (null if it cannot be read), and the URIs of all flows. */
export const READ_REQUEST = "tdxflow/read";
export const LIST_REQUEST = "tdxflow/list";

/** What our own clients say when they start the server. */
export interface ClientOptions {
  /** They have the commands that run and debug flows. */
  readonly runCommands: true;
  /** URI of the folder of the shipped flows. */
  readonly flowsFolder: string;
}

export function clientFiles(connection: Connection, { initializationOptions }: InitializeParams): FlowFiles {
  const folder = (initializationOptions as ClientOptions | undefined)?.flowsFolder;
  return {
    flowsFolder: folder === undefined ? undefined : canonicalUri(folder),
    async read(uri) {
      return (await connection.sendRequest<string | null>(READ_REQUEST, { uri })) ?? undefined;
    },
    async list() {
      return (await connection.sendRequest<string[]>(LIST_REQUEST)).map(canonicalUri);
    },
  };
}
