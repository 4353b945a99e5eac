import * as vscode from "vscode";
import { analyseFlow, type FlowAnalysis } from "../language/compile.ts";
import { placeOf, type SourceFile, type Span } from "../language/diagnostics.ts";
import { type Completion, completionsAt } from "../language/editor/completion.ts";
import { hoverAt } from "../language/editor/hover.ts";
import {
  definitionAt,
  isDeclaration,
  type OutlineItem,
  outlineOf,
  referencesAt,
  renameAt,
} from "../language/editor/navigation.ts";
import { signatureAt } from "../language/editor/signature.ts";
import type { Use } from "../language/scope.ts";
import { readSource } from "./diagnostics.ts";
import { pathOfUri, uriOfPath } from "./host.ts";

const SELECTOR: vscode.DocumentSelector = { language: "tdxflow" };

const COMPLETION_KINDS: Readonly<Record<Completion["kind"], vscode.CompletionItemKind>> = {
  leaf: vscode.CompletionItemKind.Event,
  operand: vscode.CompletionItemKind.Property,
  constant: vscode.CompletionItemKind.Constant,
  field: vscode.CompletionItemKind.Field,
  function: vscode.CompletionItemKind.Function,
  variable: vscode.CompletionItemKind.Variable,
  builtin: vscode.CompletionItemKind.Function,
  keyword: vscode.CompletionItemKind.Keyword,
  module: vscode.CompletionItemKind.Module,
};

const SYMBOL_KINDS: Readonly<Record<OutlineItem["kind"], vscode.SymbolKind>> = {
  function: vscode.SymbolKind.Function,
  variable: vscode.SymbolKind.Variable,
  task: vscode.SymbolKind.Event,
  guest: vscode.SymbolKind.Module,
  platform: vscode.SymbolKind.Object,
};

function rangeIn(source: SourceFile, { start, end }: Span): vscode.Range {
  const from = placeOf(source, start);
  const to = placeOf(source, end);
  return new vscode.Range(from.line - 1, from.column - 1, to.line - 1, to.column - 1);
}

function locationOf(declared: Span & { readonly source: SourceFile }): vscode.Location {
  return new vscode.Location(uriOfPath(declared.source.path), rangeIn(declared.source, declared));
}

/** Help while one writes a flow: what a name is, what can stand here, where else it is used. All answers come from src/language. */
export class FlowLanguageFeatures
  implements
    vscode.HoverProvider,
    vscode.CompletionItemProvider,
    vscode.SignatureHelpProvider,
    vscode.DefinitionProvider,
    vscode.ReferenceProvider,
    vscode.RenameProvider,
    vscode.DocumentSymbolProvider,
    vscode.CodeActionProvider,
    vscode.Disposable
{
  readonly #flowsFolder: string;
  readonly #analyses = new Map<string, { readonly version: number; readonly analysis: Promise<FlowAnalysis> }>();
  readonly #subscriptions: vscode.Disposable[];

  /** @param extension where the shipped flows lie */
  constructor(extension: vscode.Uri) {
    this.#flowsFolder = pathOfUri(vscode.Uri.joinPath(extension, "flows"));
    this.#subscriptions = [
      vscode.languages.registerHoverProvider(SELECTOR, this),
      vscode.languages.registerCompletionItemProvider(SELECTOR, this, ".", "(", ","),
      vscode.languages.registerSignatureHelpProvider(SELECTOR, this, "(", ",", ":"),
      vscode.languages.registerDefinitionProvider(SELECTOR, this),
      vscode.languages.registerReferenceProvider(SELECTOR, this),
      vscode.languages.registerRenameProvider(SELECTOR, this),
      vscode.languages.registerDocumentSymbolProvider(SELECTOR, this),
      vscode.languages.registerCodeActionsProvider(SELECTOR, this, {
        providedCodeActionKinds: [vscode.CodeActionKind.QuickFix],
      }),
      // What a file offers changes what is known about those that import it.
      vscode.workspace.onDidChangeTextDocument(() => this.#analyses.clear()),
      vscode.workspace.onDidCloseTextDocument(() => this.#analyses.clear()),
    ];
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  async provideHover(document: vscode.TextDocument, position: vscode.Position): Promise<vscode.Hover | undefined> {
    const analysis = await this.#analyse(document);
    const hover = hoverAt(document.getText(), document.offsetAt(position), analysis, pathOfUri(document.uri));
    if (hover === undefined) return undefined;
    const range = new vscode.Range(document.positionAt(hover.span.start), document.positionAt(hover.span.end));
    return new vscode.Hover(new vscode.MarkdownString(hover.text), range);
  }

  async provideCompletionItems(
    document: vscode.TextDocument,
    position: vscode.Position,
  ): Promise<vscode.CompletionItem[]> {
    const analysis = await this.#analyse(document);
    return completionsAt(document.getText(), document.offsetAt(position), analysis, pathOfUri(document.uri)).map(
      (completion, index) => {
        const item = new vscode.CompletionItem(completion.label, COMPLETION_KINDS[completion.kind]);
        item.detail = completion.detail;
        item.documentation = new vscode.MarkdownString(completion.documentation);
        item.insertText = completion.snippet ? new vscode.SnippetString(completion.insert) : completion.insert;
        item.sortText = String(index).padStart(5, "0");
        // A path such as MEM.PAGE.ADD replaces no more than what was typed behind the last dot.
        item.filterText = completion.label;
        return item;
      },
    );
  }

  async provideSignatureHelp(
    document: vscode.TextDocument,
    position: vscode.Position,
  ): Promise<vscode.SignatureHelp | undefined> {
    const analysis = await this.#analyse(document);
    const found = signatureAt(document.getText(), document.offsetAt(position), analysis, pathOfUri(document.uri));
    if (found === undefined) return undefined;
    const signature = new vscode.SignatureInformation(found.label, new vscode.MarkdownString(found.documentation));
    signature.parameters = found.parameters.map(
      ({ label, documentation }) => new vscode.ParameterInformation(label, documentation),
    );
    const help = new vscode.SignatureHelp();
    help.signatures = [signature];
    help.activeParameter = found.active < 0 ? found.parameters.length : found.active;
    return help;
  }

  async provideDefinition(
    document: vscode.TextDocument,
    position: vscode.Position,
  ): Promise<vscode.Location | undefined> {
    const declared = definitionAt(await this.#analyse(document), pathOfUri(document.uri), document.offsetAt(position));
    return declared === undefined ? undefined : locationOf(declared);
  }

  async provideReferences(
    document: vscode.TextDocument,
    position: vscode.Position,
    context: vscode.ReferenceContext,
  ): Promise<vscode.Location[]> {
    const analysis = await this.#analyseAll(document);
    const uses = referencesAt(analysis, pathOfUri(document.uri), document.offsetAt(position));
    return uses.filter((use) => context.includeDeclaration || !isDeclaration(use)).map(locationOf);
  }

  async provideRenameEdits(
    document: vscode.TextDocument,
    position: vscode.Position,
    newName: string,
  ): Promise<vscode.WorkspaceEdit> {
    const uses = renameAt(
      await this.#analyseAll(document),
      pathOfUri(document.uri),
      document.offsetAt(position),
      newName,
    );
    if (typeof uses === "string") throw new Error(uses);
    const shipped = uses.find((use) => use.source.path.startsWith(`${this.#flowsFolder}/`));
    if (shipped !== undefined) throw new Error(`${shipped.source.path} comes with the debugger and is not changed`);
    const edit = new vscode.WorkspaceEdit();
    for (const use of uses) edit.replace(uriOfPath(use.source.path), rangeIn(use.source, use), newName);
    return edit;
  }

  async provideDocumentSymbols(document: vscode.TextDocument): Promise<vscode.DocumentSymbol[]> {
    const range = ({ start, end }: Span) => new vscode.Range(document.positionAt(start), document.positionAt(end));
    const items = outlineOf(await this.#analyse(document), pathOfUri(document.uri));
    return items.map(
      ({ name, kind, span, nameSpan }) =>
        new vscode.DocumentSymbol(name, "", SYMBOL_KINDS[kind], range(span), range(nameSpan)),
    );
  }

  /** For a name with a slip: the nearest one that exists. */
  async provideCodeActions(document: vscode.TextDocument, range: vscode.Range): Promise<vscode.CodeAction[]> {
    const { diagnostics } = await this.#analyse(document);
    const path = pathOfUri(document.uri);
    return diagnostics.flatMap((diagnostic) => {
      const { line, column, endLine, endColumn, suggestion } = diagnostic;
      const place = new vscode.Range(line - 1, column - 1, endLine - 1, endColumn - 1);
      if (diagnostic.file !== path || suggestion === undefined || place.intersection(range) === undefined) return [];
      const action = new vscode.CodeAction(`Change to "${suggestion}"`, vscode.CodeActionKind.QuickFix);
      action.edit = new vscode.WorkspaceEdit();
      action.edit.replace(document.uri, place, suggestion);
      action.isPreferred = true;
      action.diagnostics = vscode.languages.getDiagnostics(document.uri).filter((shown) => shown.range.isEqual(place));
      return [action];
    });
  }

  #analyse(document: vscode.TextDocument): Promise<FlowAnalysis> {
    const path = pathOfUri(document.uri);
    const known = this.#analyses.get(path);
    if (known?.version === document.version) return known.analysis;
    const analysis = analyseFlow(path, { readSource, flowsFolder: this.#flowsFolder });
    this.#analyses.set(path, { version: document.version, analysis });
    return analysis;
  }

  /** The uses of names in all flows of the workspace: those that import the document too. */
  async #analyseAll(document: vscode.TextDocument): Promise<FlowAnalysis> {
    const own = await this.#analyse(document);
    const uses: Use[] = [...own.uses];
    const names = new Map(own.names);
    for (const uri of await vscode.workspace.findFiles("**/*.tdx", "**/node_modules/**")) {
      const path = pathOfUri(uri);
      if (own.modules.some((module) => module.source.path === path)) continue;
      const other = await analyseFlow(path, { readSource, flowsFolder: this.#flowsFolder });
      uses.push(...other.uses);
      for (const [file, offered] of other.names) if (!names.has(file)) names.set(file, offered);
    }
    return { ...own, uses, names };
  }
}
