/** Paths and URIs of sources. */

/** The name of a file without its folder. */
export function baseName(path: string): string {
  return path.slice(endOfFolder(path) + 1);
}

function endOfFolder(path: string): number {
  return Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
}

/** Where an import of `name` is looked for, in this order. Paths or URIs, with forward slashes. */
export function candidatePaths(name: string, from: string, flowsFolder: string | undefined): string[] {
  const file = name.endsWith(".tdx") ? name : `${name}.tdx`;
  const slash = endOfFolder(from);
  const paths = [normalize(slash < 0 ? file : `${from.slice(0, slash)}/${file}`)];
  if (flowsFolder !== undefined) paths.push(normalize(`${flowsFolder}/${file}`));
  return paths;
}

/** Resolves "." and ".." in a path; that of a Windows drive gets forward slashes, which Windows takes as well. */
function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of (/^[A-Za-z]:\\/.test(path) ? path.replaceAll("\\", "/") : path).split("/")) {
    if (part === "..") {
      const last = parts.at(-1);
      if (last !== undefined && last !== "" && last !== "..") {
        parts.pop();
        continue;
      }
    }
    if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}
