import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compileFlow } from "../../src/language/compile.ts";
import { start } from "../runtime/support.ts";
import { readShipped } from "../runtime/td.ts";

/** The guide's examples, each with its section and its number there. */
function examples(): { readonly title: string; readonly source: string }[] {
  const found: { title: string; source: string }[] = [];
  let section = "";
  let number = 0;
  const guide = readFileSync("docs/language.md", "utf8");
  for (const [, title, source] of guide.matchAll(/^## (.+?)$|^```tdx\n([\s\S]*?)^```$/gm)) {
    if (title !== undefined) [section, number] = [title, 0];
    else found.push({ title: `${section}, ${++number}`, source: source ?? "" });
  }
  return found;
}

describe("each example of the language guide runs to its end", () => {
  it.each(examples())("$title", async ({ source }) => {
    const { program, diagnostics } = await compileFlow("main.tdx", {
      readSource: (path) => (path === "main.tdx" ? source : readShipped(path)),
      flowsFolder: "flows",
    });
    expect(diagnostics).toEqual([]);
    for (const entry of [program!.entry, ...program!.tests.map(({ fn }) => fn)]) {
      const { runtime } = start(program!, { entry });
      runtime.run(100_000);
      expect(runtime.failure).toBeUndefined();
      expect(runtime.status).toBe("done");
    }
  });
});
