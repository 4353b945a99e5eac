import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compileFlow } from "../../src/language/compile.ts";
import { start } from "../runtime/support.ts";
import { readShipped } from "../runtime/td.ts";

const examples = [...readFileSync("docs/language.md", "utf8").matchAll(/^## (.+?)$|^```tdx\n([\s\S]*?)^```$/gm)].reduce<
  { title: string; source: string }[]
>((found, [, title, source]) => {
  if (title !== undefined) found.push({ title, source: "" });
  else found[found.length - 1] = { title: found.at(-1)!.title, source: source ?? "" };
  return found;
}, []);

describe("each example of the language guide runs to its end", () => {
  it.each(examples.filter(({ source }) => source !== ""))("$title", async ({ source }) => {
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
