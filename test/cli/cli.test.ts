import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CommandLineUnderTest, commandLine, ROOT } from "./support.ts";

let cli: CommandLineUnderTest;
beforeAll(async () => {
  cli = await commandLine();
}, 60_000);
afterAll(() => cli.remove());

describe("help", () => {
  test("names every command and exits with 0", () => {
    const { code, out, err } = cli.run("--help");
    expect(code).toBe(0);
    expect(err).toBe("");
    for (const name of ["run", "check", "replay", "decode", "dap"]) expect(out).toContain(`  ${name} `);
  });

  test.each(["run", "check", "replay", "decode", "dap"])("of %s shows usage and --json where it has it", (name) => {
    const { code, out } = cli.run(name, "--help");
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^usage: tdxflow ${name}`));
    expect(out).toContain("--help");
  });
});

describe("bad usage ends with 2 and says why on standard error", () => {
  test.each([
    [[], "no command"],
    [["sing"], "unknown command sing"],
    [["replay"], "no log given"],
    [["replay", "--volume", "x"], "--volume"],
    [["replay", "--jobs", "many", "x"], "--jobs takes a number"],
    [["decode"], "no status given"],
    [["decode", "0xzz"], "0xzz"],
    [["run"], "usage"],
    [["check"], "usage"],
  ])("%j", (args, message) => {
    const { code, out, err } = cli.run(...args);
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toContain(message);
  });
});

describe("decode", () => {
  test("explains a status", () => {
    const { code, out } = cli.run("decode", "0xc0000b0800000001");
    expect(code).toBe(0);
    expect(out).toContain("TDX_TLB_TRACKING_NOT_DONE");
    expect(out).toMatch(/operand +RCX/);
    expect(out).toContain("TDH.MEM.TRACK");
    expect(out).toMatch(/leaves +.*TDH\.MEM\.PAGE\.REMOVE/);
  });

  test("says who takes the lock that a busy status names", () => {
    const { out } = cli.run("decode", "0x8000020000000092");
    expect(out).toMatch(/operand +SEPT_TREE/);
    expect(out).toMatch(/lock of +.*TDH\.MEM\.PAGE\.AUG \(shared\).*TDH\.MEM\.RANGE\.BLOCK \(exclusive\)/);
  });

  test("gives JSON", () => {
    const { code, out } = cli.run("decode", "--json", "TDX_OPERAND_BUSY");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      ...{ value: "0x8000020000000000", name: "TDX_OPERAND_BUSY", error: true, recoverable: true, fatal: false },
      ...{ class: "resource busy", detailKind: "operand", detail: "RAX" },
    });
  });

  test("ends with 1 for a number that is no status", () => {
    expect(cli.run("decode", "0xc00001ff00000000")).toMatchObject({ code: 1, err: "" });
  });
});

describe("replay", () => {
  const header = '{"tdxlog":1,"name":"x","family":"leaf","desc":"","platform":{}}';
  const init = (rax: string): string =>
    `{"op":"seamcall","lp":0,"fn":"TDH.SYS.INIT","in":{"rax":"0x21"},"out":{"rax":"${rax}"}}`;
  const again = '{"op":"seamcall","lp":0,"fn":"TDH.SYS.INIT","in":{"rax":"0x21"},"out":{"rax":"0xc000050000000000"}}';
  const dispatch = "test/vectors/dev/leaf-sys-dispatch.jsonl.gz";

  test("of logs that match, plain and gzip", () => {
    const plain = cli.file("dispatch.jsonl", gunzipSync(readFileSync(join(ROOT, dispatch))));
    const { code, out, err } = cli.run("replay", plain, dispatch);
    expect(err).toBe("");
    expect(out).toMatch(/^2 of 2 files whole, (\d+) of \1 calls match\n$/);
    expect(code).toBe(0);
  });

  test("prints a line for each file that differs, and what was expected and got, decoded", () => {
    const good = cli.file("good.jsonl", [header, init("0x0"), again].join("\n"));
    const bad = cli.file("bad.jsonl", [header, init("0x8000020200000000"), again].join("\n"));
    const { code, out } = cli.run("replay", good, bad);
    expect(code).toBe(1);
    expect(out.split("\n")).toEqual([
      `${bad}:2: TDH.SYS.INIT: rax: expected 0x8000020200000000 TDX_SYS_BUSY, got 0x0 TDX_SUCCESS`,
      "1 of 2 files whole, 3 of 4 calls match",
      "",
    ]);
  });

  test("shows what came before, and more differences", () => {
    const bad = cli.file("both.jsonl", [header, init("0x1"), init("0x2")].join("\n"));
    const { out } = cli.run("replay", "--context", "1", "--mismatches", "5", bad);
    expect(out).toContain(`${bad}:2: `);
    expect(out).toContain(`${bad}:3: `);
    expect(out).toContain(`    1: ${header}`);
  });

  test("tells the calls by family and by leaf", () => {
    const { out } = cli.run("replay", "--table", dispatch);
    expect(out).toMatch(/^family +files +whole +calls +match/m);
    expect(out).toMatch(/^leaf +1 +1 +\d+ +\d+ +100\.00 %$/m);
    expect(out).toMatch(/^TDH\.SYS\.LP\.INIT +\d+ +\d+ +100\.00 %$/m);
  });

  test("gives JSON", () => {
    const bad = cli.file("json.jsonl", [header, init("0x1")].join("\n"));
    const { code, out } = cli.run("replay", "--json", bad);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      ...{ files: 1, whole: 0, calls: 1, matches: 0, seamcalls: 1, guestActions: 0 },
      reports: [
        { file: bad, mismatches: [{ line: 2, leaf: "TDH.SYS.INIT", what: "rax", expected: "0x1", got: "0x0" }] },
      ],
    });
  });

  test("ends with 2 for what is no log, with file, line and column", () => {
    const garbled = cli.file("garbled.jsonl", `${header}\n{"op":"sing"}\n`);
    const sings = `${garbled}:2:1: unknown operation "sing"; there are write, fill, read, `;
    expect(cli.run("replay", garbled)).toMatchObject({ code: 2, err: expect.stringContaining(sings) });
    const missing = cli.run("replay", join(ROOT, "no-such-file"));
    expect(missing.code).toBe(2);
    expect(missing.err).toContain("ENOENT");
  });
});
