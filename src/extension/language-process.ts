/** The language server as a process of its own, which Node's extension host starts. */
import { createConnection, ProposedFeatures } from "vscode-languageserver/node";
import { clientFiles } from "../language/services/client-files.ts";
import { serveLanguage } from "../language/services/server.ts";

const connection = createConnection(ProposedFeatures.all);
serveLanguage(connection, (params) => clientFiles(connection, params));
