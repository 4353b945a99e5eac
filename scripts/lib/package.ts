import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createVSIX } from "@vscode/vsce";
import { buildBundles, sourcesDigest } from "./build.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const PACKED_BESIDES = ["package.json", "README.md", "CHANGELOG.md", "LICENSE", ".vscodeignore"];

/** Packs the extension as it would be published, unless nothing has changed since. @returns path of the .vsix */
export async function packageExtension(): Promise<string> {
  await buildBundles();
  const vsix = join(ROOT, "dist", "tdx-flow-debugger.vsix");
  const stamp = `${vsix}.stamp`;
  const hash = createHash("sha256").update(sourcesDigest());
  for (const file of PACKED_BESIDES) hash.update(readFileSync(join(ROOT, file)));
  const digest = hash.digest("hex");
  if (!existsSync(vsix) || !existsSync(stamp) || readFileSync(stamp, "utf8") !== digest) {
    const started = performance.now();
    await createVSIX({
      cwd: ROOT,
      packagePath: vsix,
      dependencies: false,
      allowMissingRepository: true,
      rewriteRelativeLinks: false,
    });
    writeFileSync(stamp, digest);
    const size = (statSync(vsix).size / 1024).toFixed(0);
    console.log(
      `package: dist/tdx-flow-debugger.vsix ${size} KiB, ${((performance.now() - started) / 1000).toFixed(1)} s`,
    );
  }
  return vsix;
}
