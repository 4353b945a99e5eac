/** Checks the flows that are open while they are typed, and says what is wrong where it stands, in files that they import too. */
import { type Diagnostic, DiagnosticSeverity, DiagnosticTag } from "vscode-languageserver";
import type { Diagnostic as Remark } from "../diagnostics.ts";
import { DIAGNOSTIC_SOURCE } from "./quick-fixes.ts";
import { canonicalUri, type Sources } from "./sources.ts";

/** Long enough that letters typed in a row are checked once, short enough to feel immediate with the check itself behind it. */
const QUIET_MS = 60;

/** What editors show faded. */
const UNNECESSARY = new Set(["unused", "ignored", "unreachable"]);

function shown({ line, column, endLine, endColumn, severity, message, code, suggestion }: Remark): Diagnostic {
  return {
    range: {
      start: { line: line - 1, character: column - 1 },
      end: { line: endLine - 1, character: endColumn - 1 },
    },
    severity: severity === "error" ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning,
    source: DIAGNOSTIC_SOURCE,
    code,
    message,
    ...(suggestion === undefined ? {} : { data: { suggestion } }),
    ...(UNNECESSARY.has(code) ? { tags: [DiagnosticTag.Unnecessary] } : {}),
  };
}

interface Checked {
  /** Every file that the flow is made of. */
  readonly files: ReadonlySet<string>;
  readonly diagnostics: ReadonlyMap<string, readonly Diagnostic[]>;
}

export class Checker {
  readonly #sources: Sources;
  readonly #publish: (uri: string, diagnostics: Diagnostic[]) => void;
  readonly #open = new Set<string>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #checked = new Map<string, Checked>();

  constructor(sources: Sources, publish: (uri: string, diagnostics: Diagnostic[]) => void) {
    this.#sources = sources;
    this.#publish = publish;
  }

  opened(uri: string): void {
    this.#open.add(uri);
    this.changed(uri);
  }

  /** A source has changed: the open flows that it belongs to are checked again. */
  changed(uri: string): void {
    for (const root of this.#open) {
      const checked = this.#checked.get(root);
      // What was never checked is new to the editor: it is not being typed.
      if (checked === undefined) this.#schedule(root, 0);
      else if (root === uri || checked.files.has(uri)) this.#schedule(root, QUIET_MS);
    }
  }

  /** Files have come, gone or changed: imports may find others now. */
  changedAll(): void {
    for (const root of this.#open) this.#schedule(root, QUIET_MS);
  }

  closed(uri: string): void {
    this.#open.delete(uri);
    clearTimeout(this.#timers.get(uri));
    this.#tell(uri, undefined);
    this.changed(uri);
  }

  #schedule(uri: string, delay: number): void {
    clearTimeout(this.#timers.get(uri));
    this.#timers.set(
      uri,
      setTimeout(() => void this.#check(uri), delay),
    );
  }

  async #check(uri: string): Promise<void> {
    const text = await this.#sources.text(uri);
    const { modules, diagnostics } = await this.#sources.analysis(uri);
    if (!this.#open.has(uri) || (await this.#sources.text(uri)) !== text) return;
    const byFile = new Map<string, Diagnostic[]>([[uri, []]]);
    for (const diagnostic of diagnostics) {
      const file = canonicalUri(diagnostic.file);
      byFile.set(file, [...(byFile.get(file) ?? []), shown(diagnostic)]);
    }
    this.#tell(uri, { files: new Set(modules.map(({ source }) => canonicalUri(source.path))), diagnostics: byFile });
  }

  /** Replaces what was said because of one open flow. An open file's own check says more about it than an importer's. */
  #tell(uri: string, checked: Checked | undefined): void {
    const before = this.#checked.get(uri);
    if (checked !== undefined) this.#checked.set(uri, checked);
    else this.#checked.delete(uri);
    for (const file of new Set([...(before?.diagnostics.keys() ?? []), ...(checked?.diagnostics.keys() ?? [])])) {
      const own = this.#checked.get(file)?.diagnostics.get(file);
      const fromImporter = [...this.#checked.values()].find(({ diagnostics }) => diagnostics.has(file));
      this.#publish(file, [...(own ?? fromImporter?.diagnostics.get(file) ?? [])]);
    }
  }
}
