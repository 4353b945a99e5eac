/** The flows that a flow can import. */
import type { FlowSource, Sources } from "./sources.ts";

export interface ImportPath {
  /** As an import names it. */
  readonly name: string;
  /** It comes with the debugger. */
  readonly isShipped: boolean;
}

/** Flows beside this one or in a folder near it, and the shipped ones. */
export async function importPaths(sources: Sources, source: FlowSource): Promise<ImportPath[]> {
  const folder = source.uri.slice(0, source.uri.lastIndexOf("/") + 1);
  const shipped = sources.files.flowsFolder === undefined ? undefined : `${sources.files.flowsFolder}/`;
  const paths = new Map<string, boolean>();
  for (const uri of await sources.all()) {
    if (uri === source.uri) continue;
    const isShipped = shipped !== undefined && uri.startsWith(shipped);
    const path = isShipped ? uri.slice(shipped.length) : relativePath(folder, uri);
    if (path !== undefined) paths.set(path, isShipped);
  }
  return [...paths].map(([path, isShipped]) => ({ name: decodeURIComponent(path.replace(/\.tdx$/, "")), isShipped }));
}

/** Path from a folder to a file in it, or in one of three folders above. */
function relativePath(folder: string, uri: string): string | undefined {
  let base = folder;
  for (let up = 0; up <= 3; up++) {
    if (up > 0) base = base.slice(0, base.lastIndexOf("/", base.length - 2) + 1);
    if (up > 0 && !/\/\/[^/]*\//.test(base)) return undefined;
    if (uri.startsWith(base)) return "../".repeat(up) + uri.slice(base.length);
  }
  return undefined;
}
