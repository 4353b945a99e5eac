/** The language server: answers the requests of the Language Server Protocol over a connection that somebody else made. */
import { TextDocument } from "langium";
import {
  CodeActionKind,
  type Connection,
  DidChangeWatchedFilesNotification,
  type InitializeParams,
  type InitializeResult,
  ResponseError,
  TextDocumentSyncKind,
  TextDocuments,
} from "vscode-languageserver";
import { Checker } from "./checker.ts";
import { completions, describeCompletion } from "./completion.ts";
import { formatText } from "./format.ts";
import { hoverAt, signatureAt } from "./hover.ts";
import type { Declaration } from "./names.ts";
import { definitionAt, highlightsAt, referencesAt } from "./navigation.ts";
import { foldings, lenses, outline } from "./outline.ts";
import { offsetOf, rangeOf } from "./places.ts";
import { quickFixes } from "./quick-fixes.ts";
import { RenameRefused, renameAt, renameRange } from "./rename.ts";
import { semanticTokens, TOKEN_MODIFIERS, TOKEN_TYPES } from "./semantic-tokens.ts";
import { canonicalUri, type FlowFiles, type FlowSource, importsOf, offeredNames, Sources } from "./sources.ts";

/** JSON-RPC's code for a request that is well formed and cannot be done. */
const REQUEST_FAILED = -32803;

const CAPABILITIES: InitializeResult = {
  serverInfo: { name: "tdxflow" },
  capabilities: {
    textDocumentSync: TextDocumentSyncKind.Incremental,
    completionProvider: { triggerCharacters: [".", "(", ",", '"', "/"], resolveProvider: true },
    hoverProvider: true,
    signatureHelpProvider: { triggerCharacters: ["(", ","] },
    definitionProvider: true,
    referencesProvider: true,
    documentHighlightProvider: true,
    renameProvider: { prepareProvider: true },
    documentSymbolProvider: true,
    foldingRangeProvider: true,
    codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
    codeLensProvider: {},
    documentFormattingProvider: true,
    semanticTokensProvider: {
      legend: { tokenTypes: [...TOKEN_TYPES], tokenModifiers: [...TOKEN_MODIFIERS] },
      full: true,
    },
  },
};

/**
 * Serves a client until the connection closes.
 *
 * @param filesOf how this client's files are reached, once it has said who it is
 */
export function serveLanguage(connection: Connection, filesOf: (params: InitializeParams) => FlowFiles): void {
  const documents = new TextDocuments(TextDocument);
  let sources: Sources | undefined;
  let checker: Checker | undefined;
  let snippets = false;
  let lensCommands = true;

  connection.onInitialize((params) => {
    sources = new Sources(filesOf(params), {
      // Documents are found under our spelling of their URI.
      text: (uri) =>
        documents
          .all()
          .find((open) => canonicalUri(open.uri) === uri)
          ?.getText(),
      uris: () => documents.keys().map(canonicalUri),
    });
    checker = new Checker(sources, (uri, diagnostics) => void connection.sendDiagnostics({ uri, diagnostics }));
    snippets = params.capabilities.textDocument?.completion?.completionItem?.snippetSupport ?? false;
    lensCommands = params.initializationOptions?.runCommands ?? false;
    if (params.capabilities.workspace?.didChangeWatchedFiles?.dynamicRegistration) {
      connection.onInitialized(() => {
        const watchers = [{ globPattern: "**/*.tdx" }];
        void connection.client.register(DidChangeWatchedFilesNotification.type, { watchers });
      });
    }
    return CAPABILITIES;
  });

  documents.onDidOpen(({ document }) => {
    sources?.changed();
    checker?.opened(canonicalUri(document.uri));
  });
  documents.onDidChangeContent(({ document }) => {
    sources?.changed();
    checker?.changed(canonicalUri(document.uri));
  });
  documents.onDidClose(({ document }) => {
    sources?.forget(document.uri);
    checker?.closed(canonicalUri(document.uri));
  });
  connection.onDidChangeWatchedFiles(({ changes }) => {
    for (const { uri } of changes) sources?.forget(uri);
    checker?.changedAll();
  });

  /** Answers a request about a source; undefined if it cannot be read. */
  const about = async <T>(
    uri: string,
    answer: (known: Sources, source: FlowSource) => T | Promise<T>,
  ): Promise<T | undefined> => {
    const source = await sources?.source(uri);
    return sources === undefined || source === undefined ? undefined : answer(sources, source);
  };

  connection.onCompletion(({ textDocument, position }) =>
    about(textDocument.uri, (known, source) =>
      completions(known, source, offsetOf(source.source, position), { snippets }),
    ),
  );
  connection.onCompletionResolve(describeCompletion);
  connection.onHover(({ textDocument, position }) =>
    about(textDocument.uri, (known, source) => hoverAt(known, source, offsetOf(source.source, position))),
  );
  connection.onSignatureHelp(({ textDocument, position }) =>
    about(textDocument.uri, (known, source) => signatureAt(known, source, offsetOf(source.source, position))),
  );
  connection.onDefinition(({ textDocument, position }) =>
    about(textDocument.uri, (known, source) => definitionAt(known, source, offsetOf(source.source, position))),
  );
  connection.onReferences(({ textDocument, position, context }) =>
    about(textDocument.uri, (known, source) =>
      referencesAt(known, source, offsetOf(source.source, position), context.includeDeclaration),
    ),
  );
  connection.onDocumentHighlight(({ textDocument, position }) =>
    about(textDocument.uri, async (known, source) => {
      const ranges = await highlightsAt(known, source, offsetOf(source.source, position));
      return ranges.map((range) => ({ range }));
    }),
  );
  connection.onPrepareRename(({ textDocument, position }) =>
    about(textDocument.uri, (known, source) => refusing(renameRange(known, source, offsetOf(source.source, position)))),
  );
  connection.onRenameRequest(({ textDocument, position, newName }) =>
    about(textDocument.uri, (known, source) =>
      refusing(renameAt(known, source, offsetOf(source.source, position), newName)),
    ),
  );
  connection.onDocumentSymbol(({ textDocument }) => about(textDocument.uri, (_, source) => outline(source)));
  connection.onFoldingRanges(({ textDocument }) => about(textDocument.uri, (_, source) => foldings(source)));
  connection.onCodeAction(({ textDocument, context }) =>
    about(textDocument.uri, (_, source) => quickFixes(source, context.diagnostics)),
  );
  connection.onCodeLens(({ textDocument }) =>
    about(textDocument.uri, (_, source) => (lensCommands ? lenses(source) : [])),
  );
  connection.onDocumentFormatting(({ textDocument, options }) =>
    about(textDocument.uri, (_, { source }) => {
      const indent = options.insertSpaces ? " ".repeat(options.tabSize) : "\t";
      const formatted = formatText(source.text, indent);
      if (formatted === undefined || formatted === source.text) return [];
      return [{ range: rangeOf(source, 0, source.text.length), newText: formatted }];
    }),
  );
  connection.languages.semanticTokens.on(async ({ textDocument }) => {
    const tokens = await about(textDocument.uri, async (known, source) =>
      semanticTokens(source, await importedKinds(known, source)),
    );
    return tokens ?? { data: [] };
  });

  documents.listen(connection);
  connection.listen();
}

/** A refusal is told to the user in its own words. */
async function refusing<T>(answer: Promise<T>): Promise<T | ResponseError> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RenameRefused) return new ResponseError(REQUEST_FAILED, error.message);
    throw error;
  }
}

/** What the names are that a source's imports bring. */
async function importedKinds(sources: Sources, source: FlowSource): Promise<Map<string, Declaration["kind"]>> {
  const kinds = new Map<string, Declaration["kind"]>();
  for (const imported of await importsOf(sources, source)) {
    if (imported.alias !== undefined) continue;
    for (const [name, { declaration }] of await offeredNames(sources, imported.source))
      kinds.set(name, declaration.kind);
  }
  return kinds;
}
