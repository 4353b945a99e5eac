/** The language server as a worker of the browser. */
import { BrowserMessageReader, BrowserMessageWriter, createConnection } from "vscode-languageserver/browser";
import { clientFiles } from "../language/services/client-files.ts";
import { serveLanguage } from "../language/services/server.ts";

const connection = createConnection(new BrowserMessageReader(self), new BrowserMessageWriter(self));
serveLanguage(connection, (params) => clientFiles(connection, params));
