import { describe, expect, it } from "vitest";
import { Heap } from "../../src/runtime/heap.ts";
import { Store } from "../../src/state/store.ts";
import { session } from "./support.ts";

const CASES: readonly (readonly [source: string, line: number, column: number, message: RegExp])[] = [
  ["let x = 1\nlog x + true", 2, 5, /\+ takes integers, not an integer and a boolean/],
  ['let x = 1\nlog "a" + x', 2, 5, /\+ takes integers.*to put values into text/],
  ["let x = 0\nlog 5 / x", 2, 5, /division by zero/],
  ["let x = 0\nlog 5 % x", 2, 5, /division by zero/],
  ["if 1 { }", 1, 4, /a condition is true or false, not an integer \(compare it/],
  ["let r = { alpha: 1 }\nlog r.alhpa", 2, 5, /no field "alhpa" \(did you mean "alpha"\?\)/],
  ["let r = { a: 1 }\nr.b = 2", 2, 1, /has no field "b"/],
  ["let l = [1]\nlog l[1]", 2, 5, /index 1 is past the end of a list of 1/],
  ["let l = [1]\nl[5] = 1", 2, 1, /past the end/],
  ["log late\nlet late = 1", 1, 5, /"late" has no value yet/],
  ["let f = 3\nf(1)", 2, 1, /only a function can be called, not an integer/],
  ["fn f(a) { return a }\nlet g = f\ng()", 3, 1, /takes 1 argument, not 0/],
  ["for i in 0 .. 10 step 0 { }", 1, 1, /the step of a range must not be 0/],
  ["for i in 5 { }", 1, 1, /for goes over a list or a range, not an integer/],
  ["on lp 99 { }", 1, 7, /"lp" must be from 0 to 3, not 99/],
  ["TDH.SYS.LP.INIT()", 1, 1, /TDH.SYS.LP.INIT failed: TDX_SYS_/],
  ["fn init() { return TDH.SYS.LP.INIT() }\ninit()", 2, 1, /TDH.SYS.LP.INIT failed/],
  ["expect 1 + 1 == 3", 1, 1, /expected 1 \+ 1 == 3; the left side is 2, the right side 3/],
  ["expect TDH.SYS.LP.INIT()", 1, 1, /expected TDH.SYS.LP.INIT\(\) to succeed; it returned TDX_/],
  ["expect fails TDH.SYS.INIT()", 1, 1, /to fail; it returned TDX_SUCCESS/],
  ["expect fails TDH.SYS.LP.INIT() == TDX_OPERAND_BUSY", 1, 1, /the left side is TDX_SYS_/],
  ['let n = 3\nfail "n is {n}"', 2, 1, /^n is 3$/],
  [
    'let r = { }\nr["r"] = r\nlet s = { }\ns["r"] = s\nexpect r == s',
    5,
    1,
    /nest more than 16 deep cannot be compared/,
  ],
  ["read64(0xffff_ffff_ffff_ffff)", 1, 1, /"hpa" must be from 0 to 0xf\w+, not 0xf{16} \(integers have no sign/],
  ["TDH.MEM.TRACK(tdr: [1])", 1, 1, /the operand "tdr" \(RCX\) takes an integer, not a list/],
  ["TDH.MEM.SEPT.RD(gpa: 0, level: 9, tdr: 0)", 1, 1, /the operand "level" has 3 bits; 9 does not fit/],
  ["fill(0, 1, 1G)", 1, 1, /"bytes" must be from 0 to 0x1000000, not 0x40000000/],
  ["cpuid(1 << 32)", 1, 1, /"leaf" must be from 0 to 0xffffffff/],
  ["clflush(alloc_page(), 1G)", 1, 1, /"bytes" must be from 0 to 0x1000000/],
  ["free_page(0x1001)", 1, 1, /not the address of a page/],
  ["let p = alloc_page()\nfree_page(p)\nfree_page(p)", 3, 1, /is free already/],
  ["free_page(with_keyid(alloc_page(), 3))", 1, 1, /has a KeyID in it/],
  ["let a = null\nlog a.tdr", 2, 5, /null has no field "tdr" \(a function without return gives null\)/],
  ["fn f() { }\nlog f() + 1", 2, 5, /\+ takes integers, not null and an integer \(a function without return/],
  ["if TDH.SYS.INIT() { }", 1, 4, /a condition is true or false, not a result \(.*field ok\)/],
  ["log [1][0 - 1]", 1, 5, /index 0xffffffffffffffff is past the end of a list of 1 \(.*have no sign\)/],
  ["for k in { a: 1 } { }", 1, 1, /not a record \(for name in keys\(record\)/],
  ["expect 1 == 1 && 2 == 3 && 4 == 5", 1, 18, /^expected 2 == 3; the left side is 2, the right side 3/],
  ["let r = TDH.SYS.LP.INIT()\nexpect r.ok && 1 == 1", 2, 8, /^expected r\.ok; it returned TDX_SYS_.* \(.+\)$/],
  ["let r = TDH.SYS.INIT()\nexpect !r.ok", 2, 1, /^expected !r\.ok; it returned TDX_SUCCESS/],
  ["let r = { ok: false }\nexpect r.ok", 2, 1, /^expected r\.ok$/],
  ["expect lps() == [] || false", 1, 1, /; it is false$/],
  ["TDH.MEM.TRACK(tdr: 4G)", 1, 1, /TDX_SYS_NOT_READY \(The module is not initialised yet\. .*let r = …\)/],
  ["let t = one()\njoin t\nfn one() { return 1 }", 2, 1, /join waits for a task, not an integer \(spawn/],
  ["min(true, 1)", 1, 1, /"a" must be an integer, not a boolean/],
  ["push(3, 4)", 1, 1, /"list" must be a list/],
  ["let l = []\npop(l)", 2, 1, /the list is empty/],
  ["write(4G, [256])", 1, 1, /bytes in it: 0 to 255/],
  ["movdir64b(4G + 8, 4G)", 1, 1, /not aligned to 64 bytes/],
  ['let s = "abcdefgh"\nwhile true { s += s }', 2, 14, /a string has at most 16777216 characters/],
  ['let s = "abcdefgh"\nwhile true { s = "{s}{s}" }', 2, 18, /a string has at most/],
  ["alloc_pages(1, 3)", 1, 1, /an alignment is a power of two/],
];

describe("an error of the flow ends it, with its place", () => {
  it.each(CASES)("%s", async (source, line, column, message) => {
    const { runtime } = await session(source);
    runtime.run(1000);
    expect(runtime.status).toBe("failed");
    const failure = runtime.failure!;
    expect(`${failure.message}${failure.hint === "" ? "" : ` (${failure.hint})`}`).toMatch(message);
    expect([failure.line, failure.column]).toEqual([line, column]);
    // What the flow itself says needs no hint.
    if (!/^(expected|n is)/.test(failure.message)) expect(failure.hint).not.toBe("");
  });

  it("with where a recursion began, however deep it went", async () => {
    const { runtime } = await session("fn f(n) {\n  return f(n + 1)\n}\nlog f(0)");
    runtime.run(100_000);
    const { stack, message } = runtime.failure!;
    expect(message).toBe("calls nest 10000 deep");
    expect(stack).toHaveLength(50);
    expect(stack.at(-1)).toBe("main.tdx (main.tdx:4:1)");
  });

  it("before it takes all memory", async () => {
    const { runtime } = await session("let n = 0\nwhile true { n += 1 spawn t { } }");
    runtime.run(1_000_000);
    expect(runtime.failure).toMatchObject({ line: 2, column: 21, message: "there are 4096 tasks and guests already" });
    const store = new Store();
    const top = store.allocate(1);
    store.writeNumber(top, 2 ** 24 - 8);
    const heap = new Heap(store, top);
    heap.list([1, 2, 3], 0, 3);
    expect(() => heap.list([1, 2, 3, 4, 5], 0, 5)).toThrow(/more than 16777216 fields and elements/);
  });

  it("with the calls that led there", async () => {
    const { runtime } = await session(
      "fn a(n) {\n  return 1 / n\n}\nfn b(n) {\n  let x = a(n) + 1\n  return x\n}\nlog b(0)",
    );
    runtime.run(1000);
    expect(runtime.failure?.stack).toEqual(["a (main.tdx:2:10)", "b (main.tdx:5:3)", "main.tdx (main.tdx:8:1)"]);
  });
});
