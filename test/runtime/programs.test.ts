import fc from "fast-check";
import { expect, it } from "vitest";
import { compileSources, start } from "./support.ts";

/** Programs tried; FUZZ_RUNS asks for more. */
const RUNS = Math.ceil(Number(process.env.FUZZ_RUNS ?? 500) / 5);
const UNITS = 400;

const PRELUDE = `
fn twice(x) { return x + x }
fn down(n) { if n == 0 { return 0 } return 1 + down(n - 1) }
let a = 1
let b = 0xffff_ffff_ffff_fff0
let r = { n: 0, list: [1, 2, 3], inner: { s: "x" } }
let m = mutex("m")
let page = alloc_page()
`;

const expression: fc.Arbitrary<string> = fc.letrec<{ e: string }>((tie) => ({
  e: fc.oneof(
    { maxDepth: 3, depthIdentifier: "e" },
    fc.constantFrom(
      "a",
      "b",
      "r.n",
      "7",
      "4K",
      "0x8000_0000_0000_0000",
      "len(r.list)",
      "r.list[0]",
      "current_lp()",
      "read64(page)",
      "down(5)",
    ),
    fc
      .tuple(tie("e"), fc.constantFrom("+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"), tie("e"))
      .map(([x, o, y]) => `(${x} ${o} ${y})`),
    tie("e").map((x) => `twice(${x})`),
    tie("e").map((x) => `~${x}`),
    fc.tuple(tie("e"), tie("e")).map(([x, y]) => `min(${x}, ${y})`),
  ),
})).e;

const conditions = fc
  .tuple(expression, fc.constantFrom("<", ">=", "==", "!="), expression)
  .map(([x, o, y]) => `${x} ${o} ${y}`);

const statement: fc.Arbitrary<string> = fc.letrec<{ s: string }>((tie) => ({
  s: fc.oneof(
    { maxDepth: 3, depthIdentifier: "s" },
    fc
      .tuple(fc.constantFrom("a", "b", "r.n", "r.list[1]"), fc.constantFrom("=", "+=", "^="), expression)
      .map(([t, o, e]) => `${t} ${o} ${e}`),
    expression.map((e) => `push(r.list, ${e})`),
    expression.map((e) => `log "{${e}}"`),
    expression.map((e) => `write64(page, ${e})`),
    fc.constantFrom(
      "yield",
      "free_page(alloc_page())",
      "TDH.SYS.INIT() ",
      "let q = TDH.SYS.LP.INIT() log q",
      "page = alloc_page()",
      'fail "stop"',
      'r.inner.s = "{r.inner}"',
    ),
    fc.tuple(conditions, tie("s"), tie("s")).map(([c, x, y]) => `if ${c} { ${x} } else { ${y} }`),
    fc.tuple(fc.nat(5), tie("s")).map(([n, x]) => `for i in 0 .. ${n} { ${x} a += i }`),
    tie("s").map((x) => `for item in r.list { ${x} if a > 9 { break } }`),
    fc.tuple(fc.nat(5), tie("s")).map(([lp, x]) => `on lp ${lp} { ${x} }`),
    tie("s").map((x) => `with m { ${x} }`),
    fc.tuple(fc.nat(99_999), tie("s")).map(([n, x]) => `spawn t${n} { ${x} yield }`),
    fc.tuple(tie("s"), tie("s")).map(([x, y]) => `${x}\n${y}`),
  ),
})).s;

const programs = fc
  .array(statement, { minLength: 1, maxLength: 8 })
  .map((statements) => PRELUDE + statements.map((each) => `{ ${each} }`).join("\n"));

it("any program runs, fails with a place or can be stopped; undone and run again it does the same", async () => {
  await fc.assert(
    fc.asyncProperty(programs, fc.nat(3), async (source, scheduleSeed) => {
      const { program, diagnostics } = await compileSources({ "main.tdx": source });
      expect(diagnostics.filter(({ severity, code }) => severity === "error" && code !== "redefinition")).toEqual([]);
      if (program === undefined) return;
      const { runtime, store } = start(program, { scheduleSeed });
      const before = store.hash();
      runtime.run(UNITS);
      const after = store.hash();
      const { failure } = runtime;
      expect(failure?.message ?? "").not.toMatch(/^internal error/);
      expect(failure === undefined || failure.line >= 1).toBe(true);
      store.undo(runtime.start);
      runtime.rewound();
      expect(store.hash()).toBe(before);
      for (let unit = 0; unit < UNITS && runtime.status === "running"; unit++) runtime.step();
      expect(store.hash()).toBe(after);
    }),
    { numRuns: RUNS },
  );
}, 600_000);
