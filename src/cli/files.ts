/** Files for flows, as the language and the debug adapter ask for them. */
import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AdapterHost } from "../adapter/host.ts";
import type { LoadOptions } from "../language/load.ts";

/** The folder above the bundle that has the shipped flows; undefined if they did not come along. */
export function shippedRoot(): string | undefined {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (let up = 0; up < 3; up++) {
    folder = dirname(folder);
    if (existsSync(join(folder, "flows"))) return folder;
  }
  return undefined;
}

/** Reads sources from the disk; undefined for what cannot be read. */
export function loadOptions(): LoadOptions {
  const root = shippedRoot();
  return {
    readSource: (path) => {
      try {
        return readFileSync(path, "utf8");
      } catch {
        return undefined;
      }
    },
    ...(root === undefined ? {} : { flowsFolder: join(root, "flows").replaceAll("\\", "/") }),
  };
}

export function adapterHost(): AdapterHost {
  const root = shippedRoot();
  return { readFile: (path) => readFile(path, "utf8"), ...(root === undefined ? {} : { shippedRoot: root }) };
}
