/** Sources by the names that a client knows them by: flows, and the module's own sources where they were shipped. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import { type LeafSource, leafSource } from "../debugger/leaf-sources.ts";
import { baseName } from "../language/paths.ts";
import type { AdapterHost } from "./host.ts";
import { RequestError } from "./request-error.ts";

const MODULE_FOLDER = "src/module/";

/** The same form for all ways in which a path can be written: forward slashes, a drive letter in lower case. */
export function normalPath(path: string): string {
  const slashed = path.replaceAll("\\", "/");
  return /^[A-Za-z]:\//.test(slashed) ? (slashed[0] as string).toLowerCase() + slashed.slice(1) : slashed;
}

export class Sources {
  private readonly host: AdapterHost;
  private readonly leaves = new Map<string, Promise<LeafSource | undefined>>();

  constructor(host: AdapterHost) {
    this.host = host;
  }

  /** The path in the project, src/module/…, of one of the module's sources; undefined for any other file. */
  modulePath(clientPath: string): string | undefined {
    const path = normalPath(clientPath);
    const root = this.host.shippedRoot === undefined ? undefined : `${normalPath(this.host.shippedRoot)}/`;
    if (root !== undefined && path.startsWith(root + MODULE_FOLDER)) return path.slice(root.length);
    return undefined;
  }

  /** A source of the module; undefined if it was not shipped. `path` as step traces name it. */
  leaf(path: string): Promise<LeafSource | undefined> {
    let known = this.leaves.get(path);
    if (known === undefined) {
      known = this.load(path);
      this.leaves.set(path, known);
    }
    return known;
  }

  private async load(path: string): Promise<LeafSource | undefined> {
    if (this.host.shippedRoot === undefined) return undefined;
    try {
      return leafSource(path, await this.host.readFile(`${this.host.shippedRoot}/${path}`));
    } catch {
      // Not shipped: the client is told so when it opens the source.
      return undefined;
    }
  }

  /** Whether a flow came along with this program. */
  isShipped(path: string): boolean {
    const { shippedRoot } = this.host;
    return shippedRoot !== undefined && normalPath(path).startsWith(`${normalPath(shippedRoot)}/flows/`);
  }

  /** Whether it came along with this program: a flow or a source of the module. */
  isOwn(path: string): boolean {
    if (normalPath(path).split("/").includes("..")) return false;
    return this.isShipped(path) || this.modulePath(path) !== undefined;
  }

  /** Text of any source. Throws a RequestError if it cannot be read. */
  async text(path: string): Promise<string> {
    try {
      return await this.host.readFile(path);
    } catch (error) {
      throw new RequestError(error instanceof Error ? error.message : String(error));
    }
  }

  /** How a client is told about one of the module's sources. */
  describeLeaf(path: string): DebugProtocol.Source {
    const { shippedRoot } = this.host;
    return {
      name: baseName(path),
      ...(shippedRoot !== undefined && { path: `${shippedRoot}/${path}` }),
      origin: "TDX module",
      presentationHint: "normal",
    };
  }

  describeFlow(path: string): DebugProtocol.Source {
    return { name: baseName(path), path };
  }
}
