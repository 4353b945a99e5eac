import { describe, expect, it } from "vitest";
import { run } from "./support.ts";

describe("values and control flow", () => {
  it("computes with 64-bit integers that wrap", async () => {
    expect(
      await run(`
let top = 0xffff_ffff_ffff_ffff
log "{top + 1} {0 - 1 == top} {hex(top * top)} {hex(1 << 63)} {1 << 64} {hex(~0 >> 4)}"
log "{7 / 2} {7 % 4} {4K} {2M / 4K} {hex(0xf0f0 ^ 0xff00)} {0b101 | 2} {hex(0x1_0000_0000_0000 & ~0xfff)}"
log "{9007199254740991 + 1 == 9007199254740992} {9007199254740993 - 9007199254740992}"
`),
    ).toEqual([
      "0 true 1 0x8000000000000000 0 0xfffffffffffffff".replace(" 1 ", " 0x1 "),
      "3 3 0x1000 512 0xff0 7 0x1000000000000",
      "true 1",
    ]);
  });

  it("runs loops, functions, recursion, records and lists", async () => {
    expect(
      await run(`
fn fib(n) {
  if n < 2 { return n }
  return fib(n - 1) + fib(n - 2)
}
fn sum(list) {
  let total = 0
  for x in list { total += x }
  return total
}
let l = [1, 2, 3]
push(l, fib(10))
l[0] = 10
let r = { a: 1, b: { c: "x" } }
r.a += 5
r.b.c = "y"
let n = 0
for i in 0 .. 10 step 3 { if i == 6 { continue } n += i }
while true { n += 1 if n > 20 { break } }
let f = sum
log "{fib(15)} {sum(l)} {r} {l} {n} {f(l)} {len(l)} {fib(3) * 100 + fib(4) * 10 + fib(5)}"
`),
    ).toEqual(['610 70 {a: 6, b: {c: "y"}} [10, 2, 3, 55] 21 70 4 235']);
  });

  it("ends a range at its end or at 2^64, whichever comes first", async () => {
    expect(await run(`for i in 0 - 48 .. 0 - 1 step 32 { log hex(i) }`)).toEqual([
      "0xffffffffffffffd0",
      "0xfffffffffffffff0",
    ]);
  });

  it("makes a SEAMCALL by name", async () => {
    expect(
      await run(`
let r = TDH.SYS.INIT()
log "{r.status} {r.ok}"
let s = TDH.SYS.INIT()
log "{s.name} {s.ok} {s.rax == s.status} {s == TDX_SUCCESS}"
expect fails TDH.SYS.INIT() == s.status
on lp 2 { TDH.SYS.LP.INIT() log "{current_lp()}" }
log "{current_lp()}"
`),
    ).toMatchInlineSnapshot(`
      [
        "TDX_SUCCESS true",
        "TDX_SYS_INIT_NOT_PENDING false true false",
        "2",
        "0",
      ]
    `);
  });
});
