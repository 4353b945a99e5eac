import { describe, expect, test } from "vitest";
import { LogFormatError } from "../../../src/runtime/log/fields.ts";
import { mismatchText } from "../../../src/runtime/log/mismatch.ts";
import { replay } from "../../../src/runtime/log/replay.ts";

const HEADER = { tdxlog: 1, name: "test", family: "test", desc: "", platform: {} };

const CPUID = '{"op":"cpuid","lp":-1,"leaf":"0x16","subleaf":"0x0","eax":"0x1","ebx":"0x0","ecx":"0x0","edx":"0x0"}';

/** Bring-up calls whose outputs are facts of test/vectors: RAX alone changes. */
const SYS_INIT = { op: "seamcall", lp: 0, fn: "TDH.SYS.INIT", in: { rax: "0x21" }, out: { rax: "0x0" } };
const LP_INIT_0 = { op: "seamcall", lp: 0, fn: "TDH.SYS.LP.INIT", in: { rax: "0x23" }, out: { rax: "0x0" } };
const LP_INIT = { op: "seamcall", lp: 1, fn: "TDH.SYS.LP.INIT", in: { rax: "0x23" }, out: { rax: "0x0" } };

const log = (...lines: (object | string)[]): Uint8Array =>
  new TextEncoder().encode(
    [HEADER, ...lines].map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"),
  );

const differences = (...lines: (object | string)[]) => replay(log(...lines)).mismatches;

describe("SEAMCALLs", () => {
  test("match", () => {
    expect(replay(log(SYS_INIT, LP_INIT))).toMatchObject({ calls: 2, matches: 2, mismatches: [], crash: undefined });
  });

  test("differ in RAX", () => {
    const wrong = { ...SYS_INIT, out: { rax: "0x8000020200000000" } };
    expect(differences(wrong).map(mismatchText)).toEqual([
      "2: TDH.SYS.INIT: rax: expected 0x8000020200000000 TDX_SYS_BUSY, got 0x0 TDX_SUCCESS",
    ]);
  });

  test("differ in a register that the log says changes", () => {
    const [mismatch] = differences({ ...SYS_INIT, out: { rax: "0x0", rdx: "0x123456789abcdef0" } });
    expect(mismatch).toEqual({
      ...{ line: 2, leaf: "TDH.SYS.INIT", what: "rdx" },
      ...{ expected: "0x123456789abcdef0", got: "0x0" },
    });
  });

  test("differ in a register that has to keep its value", () => {
    // TDH.SYS.RD fails before bring-up and leaves the registers alone; here the log claims that it was called with another R11.
    const call = { op: "seamcall", lp: 0, fn: "TDH.SYS.LP.INIT", in: { rax: "0x23", r11: "0x5" }, out: { rax: "0x0" } };
    expect(differences(SYS_INIT, call)).toEqual([]);
    expect(differences(SYS_INIT, { ...call, out: { rax: "0x0", r11: "0x6" } })).toMatchObject([
      { line: 3, what: "r11", expected: "0x6", got: "0x5" },
    ]);
  });

  test("are read the same from bytes and as JSON", () => {
    const spaced = JSON.stringify(SYS_INIT).replaceAll(",", ", ");
    const masked = { ...LP_INIT, out: { rax: "0x1" }, mask: ["rax"] };
    expect(replay(log(spaced, masked))).toMatchObject({ calls: 2, matches: 2 });
  });

  test("that repeat count as often as they say", () => {
    const again = { ...LP_INIT, out: { rax: "0xc000050300000000" }, repeat: 5 };
    const result = replay(log(SYS_INIT, LP_INIT, again));
    expect(result).toMatchObject({ calls: 7, matches: 7 });
    expect(result.byLeaf.get("TDH.SYS.LP.INIT")).toMatchObject({ calls: 6, matches: 6 });
  });

  test("all but the first differences are only counted", () => {
    const wrong = { ...LP_INIT, out: { rax: "0x1" }, repeat: 5 };
    const result = replay(log(SYS_INIT, wrong), { mismatchLimit: 2 });
    expect(result).toMatchObject({ calls: 6, matches: 1 });
    expect(result.mismatches).toHaveLength(2);
  });
});

describe("memory", () => {
  const write = { op: "write", hpa: "0x2000ffe", hex: "0102030405" };
  const fill = { op: "fill", hpa: "0x2002000", byte: 0xab, len: 5 };

  test("reads back", () => {
    const read = { op: "read", hpa: "0x2000ffd", len: 7, hex: "00010203040500" };
    expect(differences(write, fill, read, { op: "read", hpa: "0x2002004", len: 2, hex: "ab00" })).toEqual([]);
  });

  test("differs at a byte", () => {
    const read = { op: "read", hpa: "0x2000ffd", len: 7, hex: "00010203ff0500" };
    expect(differences(write, read)).toMatchObject([{ line: 3, what: "byte 4", expected: "ff0500", got: "040500" }]);
  });

  const masked = { op: "read", hpa: "0x2000ffd", len: 7, hex: "000102ffff0500", mask: [[3, 2]] };

  test("differs in masked bytes only", () => {
    expect(differences(write, masked)).toEqual([]);
  });

  test("shows masked bytes again, as long as nobody has written them", () => {
    const again = { op: "read", hpa: "0x2000ffe", len: 4, hex: "0102ffff" };
    expect(differences(write, masked, again)).toEqual([]);
    expect(differences(write, masked, { ...again, hex: "0102fffe" })).toHaveLength(1);
    const other = { op: "write", hpa: "0x2001001", hex: "07" };
    expect(differences(write, masked, other, again)).toMatchObject([{ line: 5, what: "byte 3" }]);
    expect(differences(write, again)).toHaveLength(1);
  });
});

describe("what is no log", () => {
  test.each([
    ["an operation that does not exist", '{"op":"sing"}', "unknown operation"],
    ["no JSON", "{op}", "JSON"],
    ["no object", "[]", "object"],
    [
      "a register that does not exist",
      JSON.stringify({ ...SYS_INIT, in: { rax: "0x21", eax: "0x1" } }),
      "register eax",
    ],
    ["a value that is no number", JSON.stringify({ ...SYS_INIT, in: { rax: "33" } }), "hexadecimal"],
    ["an LP that does not exist", JSON.stringify({ ...SYS_INIT, lp: 9 }), "no LP 9"],
    ["a field that is missing", '{"op":"fill","hpa":"0x2000000","len":1}', '"byte" of fill is missing'],
    ["an address past all memory", '{"op":"write","hpa":"0x10000000000000","hex":"00"}', "physical address"],
    ["a finish of nothing", '{"op":"finish","lp":0,"out":{"rax":"0x0"}}', "nothing was begun"],
    ["half a byte", '{"op":"write","hpa":"0x2000000","hex":"123"}', "bytes"],
    [
      "an LP that has no MSR",
      '{"op":"msr","lp":7,"msr":"0x10","value":"0x0"}',
      "the header's packages list 0, 1, 2, 3",
    ],
    [
      "a register as a number",
      JSON.stringify({ ...SYS_INIT, in: { rax: 33 } }),
      "rax is 33, and no 64-bit hexadecimal",
    ],
    ["a call without a result", '{"op":"seamcall","lp":0,"fn":"x","in":{"rax":"0x21"}}', "one of out, enter"],
    ["a call with two", JSON.stringify({ ...SYS_INIT, enter: {} }), "more than one result (out, enter)"],
    ["no calls at all", JSON.stringify({ ...SYS_INIT, repeat: 0 }), "integer from 1"],
    ["a mask of nothing", JSON.stringify({ ...SYS_INIT, mask: [5] }), '["r8"]'],
    ["a byte of nine bits", '{"op":"fill","hpa":"0x2000000","byte":256,"len":1}', "from 0 to 255"],
    ["memory of negative length", '{"op":"read","hpa":"0x2000000","len":-1,"hex":""}', '"len" of read is -1'],
    ["a wide CPUID register", CPUID.replace('"eax":"0x1"', '"eax":"0x100000000"'), "32 bits"],
    ["a guest that sings", '{"op":"guest","lp":0,"action":"sing","resume":{}}', "there are longmode, advance"],
  ])("%s", (_, line, message) => {
    const run = (): unknown => replay(log(SYS_INIT, line));
    expect(run).toThrow(LogFormatError);
    expect(run).toThrow(message);
    expect(run).toThrow(expect.objectContaining({ line: 3 }));
  });

  test.each(["begin", "seamcall", "guest"])("a %s on an LP that stands in a call", (op) => {
    const hold = { lock: "SYS", n: 1 };
    const begin = { op: "begin", lp: 1, fn: "TDH.SYS.LP.INIT", in: { rax: "0x23" }, hold };
    const next = { seamcall: LP_INIT, begin, guest: { op: "guest", lp: 1, action: "cpuid", resume: {} } }[op] ?? {};
    const run = (): unknown => replay(log(SYS_INIT, begin, next));
    expect(run).toThrow("LP 1 stands in a call that was begun; its finish comes first");
    expect(run).toThrow(expect.objectContaining({ line: 4 }));
    expect(differences(SYS_INIT, begin, { op: "finish", lp: 1, out: { rax: "0x0" } })).toEqual([]);
  });

  test("a header that describes no platform", () => {
    const header = (platform: object): Uint8Array => new TextEncoder().encode(JSON.stringify({ ...HEADER, platform }));
    expect(() => replay(header({ lps: 8 }))).toThrow("platform.lps is 8, and not 4, the number of LPs in packages");
    expect(() => replay(header({ packages: [[0, 1], [1]] }))).toThrow("each LP once");
    expect(() => replay(header({ keyids: { total: 64, privateStart: 64 } }))).toThrow("from 1 to 63");
    expect(() => replay(header({ maxpa: 64 }))).toThrow("platform.maxpa is 64, and not an integer from 32 to 52");
    expect(() => replay(header({ integrity: "no" }))).toThrow("true or false");
    expect(() => replay(header({ seamrr: {} }))).toThrow("platform.seamrr");
    expect(() => replay(header({ packages: [["a"]] }))).toThrow("platform.packages");
    expect(() => replay(header({ packages: [] }))).toThrow("platform.packages");
    expect(() => replay(header({ keyids: { total: 48 } }))).toThrow("platform.keyids.total");
    expect(() => replay(header({ cmrs: [{ base: 0 }] }))).toThrow("platform.cmrs");
    expect(replay(header({ lps: 4, unknown: 1, module: {} })).header.platform.module.version).toBe("1.5.01");
  });

  test("no header", () => {
    expect(() => replay(new TextEncoder().encode(JSON.stringify(SYS_INIT)))).toThrow(LogFormatError);
    expect(() => replay(new Uint8Array())).toThrow(LogFormatError);
  });
});

describe("the SEAM range", () => {
  const info = (rcx: string, rax: string) => ({
    ...{
      op: "seamcall",
      lp: 0,
      fn: "TDH.SYS.INFO",
      in: { rax: "0x20", rcx, rdx: "0x400", r8: "0x2001000", r9: "0x20" },
    },
    ...{ out: { rax }, mask: ["rdx", "r9"] },
  });
  const refused = "0xc000010000000001";
  const usual = [info("0x1fe0000000", refused), info("0x1fdffffc00", "0x0"), info("0x1fe2000000", "0x0")];
  const other = [info("0x1fe0000000", "0x0"), info("0x2ffc000000", refused), info("0x2ffffffc00", refused)];
  const run = (platform: object, ...lines: object[]) => {
    const all = [{ ...HEADER, platform }, ...lines];
    return replay(new TextEncoder().encode(all.map((line) => JSON.stringify(line)).join("\n"))).mismatches;
  };

  test("is where the recorder had it", () => {
    expect(run({}, SYS_INIT, LP_INIT_0, ...usual)).toEqual([]);
  });

  test("is where the header says", () => {
    const seamrr = { base: "0x2ffc000000", size: "0x4000000" };
    expect(run({ seamrr }, SYS_INIT, LP_INIT_0, ...other)).toEqual([]);
  });

  test("is where the firmware's registers say", () => {
    const base = { op: "msr", lp: -1, msr: "0x1400", value: "0x2ffc000008" };
    const mask = { op: "msr", lp: -1, msr: "0x1401", value: "0xffffffc000c00" };
    expect(run({}, base, mask, SYS_INIT, LP_INIT_0, ...other)).toEqual([]);
  });
});

test("a log may begin with a byte order mark and have the line ends of any editor", () => {
  const text = [HEADER, SYS_INIT, LP_INIT].map((line) => JSON.stringify(line)).join("\r\n");
  expect(replay(new TextEncoder().encode(`\ufeff${text}\r\n\r\n`))).toMatchObject({ calls: 2, matches: 2 });
});

test("a capture may number its LPs with gaps", () => {
  const header = { ...HEADER, platform: { packages: [[0, 64], [32]] } };
  const lpInit = (lp: number) => ({ ...LP_INIT, lp });
  const config = (out: object) => ({ op: "seamcall", lp: 32, fn: "TDH.SYS.CONFIG", in: { rax: "0x2d" }, out });
  const lines = [header, SYS_INIT, lpInit(0), lpInit(64), config({ rax: "0xc000050c00000000" }), lpInit(32)];
  const wrongArray = config({ rax: "0xc000010000000002" });
  const text = [...lines, wrongArray].map((line) => JSON.stringify(line)).join("\n");
  expect(replay(new TextEncoder().encode(text))).toMatchObject({ calls: 6, mismatches: [] });
  const none = [...lines, lpInit(1)].map((line) => JSON.stringify(line)).join("\n");
  expect(() => replay(new TextEncoder().encode(none))).toThrow("no LP 1");
});

test("results do not depend on history", () => {
  const lines = [SYS_INIT, LP_INIT, { ...LP_INIT, out: { rax: "0x7" } }];
  const { mismatches, ...without } = replay(log(...lines), { recording: false });
  expect(replay(log(...lines), { recording: true })).toEqual({ ...without, mismatches });
});

describe("memory integrity, which a processor with AES-XTS 128 alone has not,", () => {
  const tmeActivate = { op: "msr", lp: -1, msr: "0x982", value: "0x1005600000003" };
  test.each([
    [{}, 0],
    [{ integrity: true }, 0],
    [{ integrity: false }, 1],
    [{ tdxWithoutIntegrity: true }, 1],
    [{ tdxWithoutIntegrity: false }, 0],
  ])("as the header says: %j", (platform, matches) => {
    const lines = [{ ...HEADER, platform }, tmeActivate, SYS_INIT].map((line) => JSON.stringify(line));
    expect(replay(new TextEncoder().encode(lines.join("\n"))).matches).toBe(matches);
  });
});
