/** How a client counts lines and columns, and what it is told apart from answers: output. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import type { BreakpointRequest } from "../debugger/active-breakpoint.ts";
import type { DataAccess } from "../debugger/data-breakpoints.ts";
import type { Session } from "../debugger/session.ts";
import type { Diagnostic } from "../language/diagnostics.ts";
import { Progress } from "./progress.ts";
import type { Sources } from "./sources.ts";

export type Send = (event: string, body?: unknown) => void;

/** A place in a flow, line and column from 1. */
export interface TextPlace {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/** Select Graphic Rendition (ECMA-48): red, and as usual. */
const RED = "\u001b[31m";
const PLAIN = "\u001b[0m";

export class ClientView {
  readonly send: Send;
  readonly progress: Progress;
  private readonly sources: Sources;
  private hasColours = false;
  private hearsInvalidated = false;
  private linesFrom = 1;
  private columnsFrom = 1;
  /** What a data breakpoint of access type "write" is: VS Code's menu says "Break on Value Change" for it. */
  private writeAccess: DataAccess = "write";

  constructor(send: Send, sources: Sources) {
    this.send = send;
    this.progress = new Progress(send);
    this.sources = sources;
  }

  initialize(args: DebugProtocol.InitializeRequestArguments): void {
    this.linesFrom = args.linesStartAt1 === false ? 0 : 1;
    this.columnsFrom = args.columnsStartAt1 === false ? 0 : 1;
    this.hearsInvalidated = args.supportsInvalidatedEvent === true;
    this.hasColours = args.supportsANSIStyling === true;
    this.progress.isWanted = args.supportsProgressReporting === true;
    this.writeAccess = /^vscode/.test(String(args.clientID ?? "")) ? "change" : "write";
  }

  /** Undefined if there is no such access type. Without one, and as "change", a value has to change. */
  dataAccess(accessType: string): DataAccess | undefined {
    switch (accessType) {
      case "":
      case "change":
        return "change";
      case "write":
        return this.writeAccess;
      case "read":
        return "read";
      case "readWrite":
        return "any";
      default:
        return undefined;
    }
  }

  /** What the client shows is out of date, though the session has not moved. */
  invalidated(): void {
    if (this.hearsInvalidated) this.send("invalidated", { areas: ["all"] });
  }

  // ---- lines and columns ----

  line(line: number): number {
    return line - 1 + this.linesFrom;
  }

  column(column: number): number {
    return column - 1 + this.columnsFrom;
  }

  ownLine(line: number): number {
    return line + 1 - this.linesFrom;
  }

  ownColumn(column: number): number {
    return column + 1 - this.columnsFrom;
  }

  ownRequest(request: DebugProtocol.SourceBreakpoint): BreakpointRequest {
    const { column } = request;
    return {
      ...request,
      line: this.ownLine(request.line),
      ...(column !== undefined && { column: this.ownColumn(column) }),
    };
  }

  breakpoint(answer: DebugProtocol.Breakpoint, source?: DebugProtocol.Source): DebugProtocol.Breakpoint {
    const { line, column } = answer;
    return {
      ...answer,
      ...(!answer.verified && { reason: "failed" as const }),
      ...(source && { source }),
      ...(line !== undefined && { line: this.line(line) }),
      ...(column !== undefined && { column: this.column(column) }),
    };
  }

  // ---- output ----

  print(category: "console" | "stdout" | "stderr", output: string, place?: TextPlace): void {
    const isRed = this.hasColours && category === "stderr";
    this.send("output", {
      category,
      output: isRed ? output.replace(/^(.*?)(\n?)$/s, `${RED}$1${PLAIN}$2`) : output,
      ...(place && {
        source: this.sources.describeFlow(place.path),
        line: this.line(place.line),
        column: this.column(place.column),
      }),
    });
  }

  printDiagnostic(diagnostic: Diagnostic): void {
    const { severity, line, column } = diagnostic;
    if (IN_EDITORS_ONLY.has(diagnostic.code)) return;
    const category = severity === "error" ? "stderr" : "console";
    this.print(category, `${diagnosticText(diagnostic)}\n`, { path: diagnostic.file, line, column });
  }

  printFailure({ failure }: Session): void {
    if (failure === undefined) return;
    const { file, line, column, message, hint } = failure;
    const text = `${file}:${line}:${column}: ${message}${hint ? `\n  ${hint}` : ""}\n`;
    this.print("stderr", text, { path: file, line, column });
  }
}

/** A variable that the flow does not read may be there to be looked at, which somebody is about to do. */
const IN_EDITORS_ONLY: ReadonlySet<string> = new Set(["unused", "ignored"]);

function diagnosticText({ file, line, column, severity, message }: Diagnostic): string {
  return `${file}:${line}:${column}: ${severity}: ${message}`;
}

/** The first error, and how many more there are. */
export function summary(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const first = errors[0];
  if (first === undefined) return "the flow could not be compiled";
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  return diagnosticText(first) + more;
}
