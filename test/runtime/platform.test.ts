import { expect, it } from "vitest";
import { compileFlow } from "../../src/language/compile.ts";
import { start } from "./support.ts";
import { readShipped } from "./td.ts";

const LIFE = `
import "tdx/host"
import "tdx/guest"
let td = new_td({ attributes: 0, pages: 1 })
let tdvpr = td.vcpus[0].tdvpr
guest tdvpr { accept(0x9000, 4K) write64(0x9000, 1) }
run_vcpu(td, tdvpr)
destroy_td(td)
log "{len(lps())} LPs, {len(packages())} packages, {private_keyids()}"
`;

async function lifeOn(platform: string): Promise<string[]> {
  const { program, diagnostics } = await compileFlow("main.tdx", {
    readSource: (path) => (path === "main.tdx" ? platform + LIFE : readShipped(path)),
    flowsFolder: "flows",
  });
  expect(diagnostics).toEqual([]);
  const { runtime, output } = start(program!);
  runtime.run(100_000);
  expect(runtime.failure).toBeUndefined();
  return output;
}

it.each([
  ["", "4 LPs, 2 packages, {first: 32, count: 32}"],
  ["platform { packages 1 lps 1 }", "1 LPs, 1 packages, {first: 32, count: 32}"],
  ["platform { packages 4 lps 16 }", "16 LPs, 4 packages, {first: 32, count: 32}"],
  ["platform { packages 1 lps 6 keyids 128 private 16 }", "6 LPs, 1 packages, {first: 112, count: 16}"],
  [
    "platform { keyids 16 private 4 maxpa 46 seed 99 integrity false cache_blocks 3 }",
    "4 LPs, 2 packages, {first: 12, count: 4}",
  ],
  ["platform { cmr 16M .. 512M cmr 4G .. 6G }", "4 LPs, 2 packages, {first: 32, count: 32}"],
])("a TD lives on %s", async (platform, expected) => {
  expect(await lifeOn(platform)).toEqual([expected]);
});
