/** `tdxflow test`: results, exit codes, and what continuous integration reads. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CommandLineUnderTest, commandLine } from "./support.ts";

const FLOW = `fn twice(n) { return 2 * n }
log "<set up>"
test "twice" { expect twice(2) == 4 }
test "wrong & <odd>" {
    expect twice(2) == 5
}
`;

let cli: CommandLineUnderTest;
let path: string;
beforeAll(async () => {
  cli = await commandLine();
  path = cli.file("tests.tdx", FLOW);
}, 60_000);
afterAll(() => cli.remove());

test("runs each test block, tells where one failed, and fails", () => {
  const { code, out, err } = cli.run("test", path);
  expect(code).toBe(1);
  expect(out).toMatch(/^pass {2}\S+tests\.tdx:3 {2}twice \(\d+ ms\)\nFAIL {2}\S+tests\.tdx:4/);
  expect(out.trim().endsWith("1 passed, 1 failed")).toBe(true);
  expect(err).toContain(`${path}:5:5: error: `);
});

test("runs those that are asked for", () => {
  const { code, out } = cli.run("test", "--name", "twi", "--json", path);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ passed: 1, failed: 0, tests: [{ name: "twice", output: ["<set up>"] }] });
});

test("writes JUnit XML", () => {
  const report = cli.file("report.xml", "");
  cli.run("test", "--junit", report, path);
  const xml = readFileSync(report, "utf8");
  expect(xml).toMatch(/<testsuites tests="2" failures="1" errors="0" time="[\d.]+">/);
  expect(xml).toContain('<testcase name="wrong &amp; &lt;odd&gt;"');
  expect(xml).toMatch(/<failure message="[^"]+">[^<]*tests\.tdx:5:5: error: /);
  expect(xml).toContain("<system-out>&lt;set up&gt;</system-out>");
});

test("says what is wrong with a flow that cannot run", () => {
  const broken = cli.file("broken.tdx", 'test "a" { nothing() }\n');
  expect(cli.run("test", broken)).toMatchObject({ code: 2, out: "0 passed, 0 failed\n" });
});
