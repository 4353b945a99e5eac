/** The table of capabilities in docs/dap.md is whole and true. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { CAPABILITIES } from "../../src/adapter/capabilities.ts";
import { ROOT } from "./support.ts";

/** Names of all capabilities that the protocol has. */
function known(): string[] {
  const text = readFileSync(join(ROOT, "node_modules/@vscode/debugprotocol/lib/debugProtocol.d.ts"), "utf8");
  const body = /\n\tinterface Capabilities \{\n(.*?)\n\t\}/s.exec(text)?.[1] ?? "";
  return [...body.matchAll(/^\t\t(\w+)\??:/gm)].map(([, name]) => name as string);
}

it("the table says of each of the protocol's capabilities whether it is there", () => {
  const rows = [...readFileSync(join(ROOT, "docs/dap.md"), "utf8").matchAll(/^\| ([\w, ]+) \| (yes|no)\b/gm)];
  const told = new Map(
    rows.flatMap(([, names = "", is]) => names.split(", ").map((name) => [name, is === "yes"] as const)),
  );
  const names = known();
  expect(names).toHaveLength(42);
  for (const name of names) {
    const declared = CAPABILITIES[name as keyof typeof CAPABILITIES];
    expect(told.get(name), name).toBe(declared !== undefined && declared !== false);
  }
});
