import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CommandLineUnderTest, commandLine } from "./support.ts";

const SCENARIO = "scenarios/td-lifecycle.tdx";

let cli: CommandLineUnderTest;
beforeAll(async () => {
  cli = await commandLine();
}, 60_000);
afterAll(() => cli.remove());

describe("run", () => {
  test("a flow to its end, with what it logs", () => {
    const flow = cli.file("fine.tdx", 'let a = 2\nlog "twice two is {a * 2}"\n');
    expect(cli.run("run", flow)).toEqual({ code: 0, out: "twice two is 4\n", err: "" });
  });

  test("the life of a TD, and the log of it replays whole", () => {
    const log = cli.file("life.jsonl", "");
    const { code, err } = cli.run("run", "--log", log, SCENARIO);
    expect(err).toBe("");
    expect(code).toBe(0);
    const replayed = cli.run("replay", log);
    expect(replayed.out).toMatch(/^1 of 1 files whole, (\d{3,}) of \1 calls match\n$/);
    expect(replayed.code).toBe(0);
  });

  test("a flow that fails: its place, the status decoded, exit code 1", () => {
    const flow = cli.file("fails.tdx", "let a = 1\nTDH.SYS.KEY.CONFIG()\n");
    const { code, out, err } = cli.run("run", flow);
    expect(code).toBe(1);
    expect(out).toBe("");
    expect(err).toMatch(/fails\.tdx:2:1: error: TDH\.SYS\.KEY\.CONFIG failed: TDX_SYS_KEY_CONFIG_NOT_PENDING/);
  });

  test("an endless loop ends with its place", () => {
    const flow = cli.file("loop.tdx", "let i = 0\nwhile true {\n  i = i + 1\n}\n");
    const { code, err } = cli.run("run", "--statements", "100000", flow);
    expect(code).toBe(1);
    expect(err).toMatch(/loop\.tdx:[23]:\d+: error: the flow has not ended after 100000 statements/);
  });

  test("gives JSON", () => {
    const fine = cli.run("run", "--json", cli.file("json.tdx", 'log "x"\n'));
    expect(JSON.parse(fine.out)).toEqual({ status: "done", output: ["x"] });
    const failed = cli.run("run", "--json", cli.file("json-fails.tdx", "let a = 0\nlet b = 1 / a\n"));
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.out)).toMatchObject({ status: "failed", output: [], failure: { line: 2 } });
  });

  test("a flow that does not compile, or is not there, ends with 2", () => {
    const flow = cli.file("wrong.tdx", "let a = TDH.SYS.INITT()\n");
    const wrong = cli.run("run", flow);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toMatch(/wrong\.tdx:1:9: error: .*TDH\.SYS\.INIT/);
    const missing = cli.run("run", "no-such-flow.tdx");
    expect(missing.code).toBe(2);
    expect(missing.err).toContain("no-such-flow.tdx");
  });

  test("a log that cannot be written ends with 2", () => {
    const flow = cli.file("nolog.tdx", 'log "x"\n');
    const { code, err } = cli.run("run", "--log", "no/such/folder/log", flow);
    expect(code).toBe(2);
    expect(err).toContain("cannot be written");
    expect(existsSync("no")).toBe(false);
  });
});

describe("check", () => {
  test("of flows without a mistake", () => {
    expect(cli.run("check", SCENARIO)).toEqual({ code: 0, out: "1 flow, 0 errors, 0 warnings\n", err: "" });
  });

  test("tells each mistake with file, line and column", () => {
    const syntax = cli.file("syntax.tdx", "let = 3\n");
    const operand = cli.file("operand.tdx", "let a = 4K\nTDH.MNG.CREATE(tdr: a, hkit: 33)\n");
    const { code, out, err } = cli.run("check", syntax, operand, SCENARIO);
    expect(code).toBe(2);
    expect(err).toMatch(/syntax\.tdx:1:5: error: /);
    expect(err).toMatch(/operand\.tdx:2:\d+: error: .*hkit/);
    expect(out).toMatch(/^3 flows, \d+ errors, 0 warnings\n$/);
  });

  test("gives JSON", () => {
    const { code, out } = cli.run("check", "--json", cli.file("one.tdx", "let a = b\n"));
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ files: 1, errors: 1, diagnostics: [{ line: 1, column: 9 }] });
  });
});
