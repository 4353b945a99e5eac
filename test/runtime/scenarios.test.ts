import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compileFlow } from "../../src/language/compile.ts";
import { start } from "./support.ts";

const readSource = (path: string) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
};

/** Most units that a scenario may take. */
const BUDGET = 1_000_000;

describe.each(readdirSync("scenarios").filter((name) => name.endsWith(".tdx")))("scenarios/%s", (name) => {
  it("runs to its end", async () => {
    const { program, diagnostics } = await compileFlow(`scenarios/${name}`, { readSource, flowsFolder: "flows" });
    expect(diagnostics).toEqual([]);
    const { runtime, output } = start(program!);
    runtime.run(BUDGET);
    expect(runtime.failure).toBeUndefined();
    expect(runtime.status).toBe("done");
    expect(output.length).toBeGreaterThan(0);
  });
});
