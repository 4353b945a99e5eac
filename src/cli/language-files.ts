/** Files of a language client's workspace, from the disk. */
import type { Dirent } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { InitializeParams } from "vscode-languageserver";
import { canonicalUri, type FlowFiles } from "../language/services/sources.ts";
import { shippedRoot } from "./files.ts";

/** A workspace with more folders than this is searched only so far. */
const MAX_FOLDERS = 2000;

const uriOf = (path: string): string => canonicalUri(pathToFileURL(path).href);

export function workspaceFiles({ workspaceFolders, rootUri }: InitializeParams): FlowFiles {
  const root = shippedRoot();
  const folders = workspaceFolders?.map(({ uri }) => uri) ?? (rootUri ? [rootUri] : []);
  const flowsFolder = root === undefined ? undefined : uriOf(join(root, "flows"));
  return {
    flowsFolder,
    async read(uri) {
      try {
        return await readFile(fileURLToPath(uri), "utf8");
      } catch {
        return undefined;
      }
    },
    async list() {
      const found = new Set<string>();
      const searched = [...folders, ...(flowsFolder === undefined ? [] : [flowsFolder])].filter((uri) =>
        uri.startsWith("file:"),
      );
      for (const uri of searched) for (const path of await flowsIn(fileURLToPath(uri))) found.add(uriOf(path));
      return [...found];
    },
  };
}

/** Paths of the flows in a folder and the folders in it, except hidden ones and installed packages. */
async function flowsIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  const folders = [folder];
  for (let next = 0; next < Math.min(folders.length, MAX_FOLDERS); next++) {
    const at = folders[next] as string;
    for (const entry of await entriesOf(at)) {
      if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
      if (entry.isDirectory()) folders.push(join(at, entry.name));
      else if (entry.name.endsWith(".tdx")) found.push(join(at, entry.name));
    }
  }
  return found;
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
