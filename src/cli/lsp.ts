/** `tdxflow lsp`: the language server for any client of the Language Server Protocol, on standard input and output. */
import { type CommandLine, EXIT_FINE, parseCommand, UsageError } from "./command.ts";
import { workspaceFiles } from "./language-files.ts";

export const lspCommand: CommandLine = {
  name: "lsp",
  usage: "tdxflow lsp [--stdio]",
  summary: "Serve a client of the Language Server Protocol, on standard input and output.",
  options: { stdio: { type: "boolean", help: "use standard input and output, as it always does" } },
  run: async (args) => {
    const { positionals } = parseCommand(lspCommand, args);
    if (positionals.length > 0) throw new UsageError(`what is ${positionals[0]}?\nusage: ${lspCommand.usage}`);
    // Loaded here, so that the other commands start without it.
    const [{ createConnection, ProposedFeatures }, { serveLanguage }] = await Promise.all([
      import("vscode-languageserver/node"),
      import("../language/services/server.ts"),
    ]);
    const connection = createConnection(ProposedFeatures.all, process.stdin, process.stdout);
    serveLanguage(connection, workspaceFiles);
    await new Promise<void>((resolve) => process.stdin.on("close", resolve));
    return EXIT_FINE;
  },
};
