import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, it } from "vitest";
import { compileFlow } from "../../src/language/compile.ts";
import type { FlowProgram } from "../../src/language/flow-code.ts";
import { formatText } from "../../src/language/services/format.ts";
import { start } from "../runtime/support.ts";

/** Sources tried; FUZZ_RUNS asks for more. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 500);
/** Units that each runs at most, if it compiles. */
const UNITS = 3000;

const SEED_FLOW = `
import "lib"
platform { packages 2 lps 4 keyids 64 private 32 cmr 1M .. 3G cmr 4G .. 8G }
fn f(a, b) { if a < b { return a } else if a == b { return [a, b] } return { a: a, b: b } }
let x = 0xffff_ffff_ffff_ffff
let l = [1, 2, "three", null, true]
let r = { a: 1, b: f(1, 2), c: l }
for i in 0 .. 10 step 3 { r.a += i * 4K - (x >> 3 & ~0xff) if i == 6 { break } else { continue } }
for e in l { log "e {e} {hex(5)} \\{" }
while r.a > 0 && !(r.a == 1 || false) { r.a = r.a / 2 }
let s = TDH.SYS.INIT()
expect s == TDX_SUCCESS
expect fails TDH.SYS.INIT() == TDX_SYS_INIT_NOT_PENDING
on lp 1 { let q = TDH.SYS.LP.INIT() log q.status }
let m = mutex("m")
let w = rwlock()
spawn t on lp 2 { with m { yield } with w.read { write64(alloc_page(), 3) } }
join t
guest alloc_page() { accept(0x1000) TDG.VP.VMCALL(r10: 0, r11: 3) } on_exception (v, i) { log v }
l[0] = read(0x2000, 4)
let h = seamcall(rax: 33)
push(l, pop(l)) fail "end {x}"
`;

const LIB = "fn accept(gpa) { return TDG.MEM.PAGE.ACCEPT(gpa: gpa) }\nlet shared = { n: 0 }\n";

const TOKENS =
  SEED_FLOW.match(
    /[A-Za-z_][A-Za-z0-9_]*|0x[0-9a-f_]+|[0-9]+[KMGT]?|"(\\.|[^"\n])*"|\.\.|[=!<>]=|&&|\|\||<<|>>|[^\sA-Za-z0-9]/g,
  ) ?? [];

/** A piece of the seed flow with some of its tokens dropped, doubled, swapped, replaced by others or by junk. */
const mutated = fc
  .record({
    from: fc.nat(TOKENS.length),
    length: fc.integer({ min: 1, max: TOKENS.length }),
    edits: fc.array(
      fc.tuple(
        fc.nat(TOKENS.length),
        fc.constantFrom("drop", "double", "replace", "insert", "junk"),
        fc.nat(TOKENS.length - 1),
        fc.string({ maxLength: 4 }),
      ),
      {
        maxLength: 12,
      },
    ),
    glue: fc.constantFrom(" ", "\n", ""),
  })
  .map(({ from, length, edits, glue }) => {
    const tokens: string[] = TOKENS.slice(from, from + length);
    for (const [at, kind, other, junk] of edits) {
      const index = at % Math.max(1, tokens.length);
      if (kind === "drop") tokens.splice(index, 1);
      else if (kind === "double") tokens.splice(index, 0, tokens[index] ?? "");
      else if (kind === "replace") tokens[index] = TOKENS[other] as string;
      else tokens.splice(index, 0, kind === "junk" ? junk : (TOKENS[other] as string));
    }
    return tokens.join(glue === "" ? " " : glue);
  });

async function survive(source: string): Promise<boolean> {
  const sources: Record<string, string> = { "main.tdx": source, "lib.tdx": LIB };
  const { program, diagnostics } = await compileFlow("main.tdx", { readSource: (path) => sources[path] });
  const lines = source.split("\n").length;
  for (const { file, line, column, message } of diagnostics) {
    if (file === "main.tdx" && (line < 1 || line > lines || column < 1 || message === "")) return false;
  }
  if ((program === undefined) !== diagnostics.some((diagnostic) => diagnostic.severity === "error")) return false;
  if (!(await keepsItsMeaning(source, program))) return false;
  if (program === undefined) return true;
  const { runtime } = start(program, { scheduleSeed: source.length });
  runtime.run(UNITS);
  const { failure } = runtime;
  return (
    failure === undefined || (failure.line >= 1 && failure.column >= 1 && !failure.message.startsWith("internal error"))
  );
}

/** Laid out twice as once, and to the same flow code. */
async function keepsItsMeaning(source: string, program: FlowProgram | undefined): Promise<boolean> {
  const formatted = formatText(source);
  if (formatted === undefined) return program === undefined;
  if (formatText(formatted) !== formatted) return false;
  const sources: Record<string, string> = { "main.tdx": formatted, "lib.tdx": LIB };
  const again = await compileFlow("main.tdx", { readSource: (path) => sources[path] });
  const code = (of: FlowProgram | undefined) => of?.functions.map((fn) => fn.code.join(" ")).join("\n");
  return code(again.program) === code(program);
}

it("no source crashes or hangs the parser, the checker, the formatter or the interpreter, and every error has a place", async () => {
  await fc.assert(fc.asyncProperty(mutated, survive), { numRuns: RUNS });
}, 600_000);

it("nor does any text", async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string({ unit: "binary", maxLength: 60 }), fc.string({ maxLength: 200 })), survive),
    { numRuns: RUNS },
  );
}, 600_000);

it("nor does a scenario that breaks off anywhere", async () => {
  const text = readFileSync("scenarios/td-lifecycle.tdx", "utf8");
  await fc.assert(
    fc.asyncProperty(fc.nat(text.length), async (length) => {
      const { diagnostics } = await compileFlow("main.tdx", {
        readSource: (path) => (path === "main.tdx" ? text.slice(0, length) : undefined),
      });
      expect(diagnostics.every(({ line, column }) => line >= 1 && column >= 1)).toBe(true);
    }),
    { numRuns: Math.ceil(RUNS / 20) },
  );
}, 600_000);
