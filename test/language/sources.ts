/** Sources to try: pieces of a flow that has everything, with mistakes put in. */
import fc from "fast-check";

export const SEED_FLOW = `
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

export const LIB = "fn accept(gpa) { return TDG.MEM.PAGE.ACCEPT(gpa: gpa) }\nlet shared = { n: 0 }\n";

export const TOKENS =
  SEED_FLOW.match(
    /[A-Za-z_][A-Za-z0-9_]*|0x[0-9a-f_]+|[0-9]+[KMGT]?|"(\\.|[^"\n])*"|\.\.|[=!<>]=|&&|\|\||<<|>>|[^\sA-Za-z0-9]/g,
  ) ?? [];

/** Any text, mostly such as a keyboard gives: fast-check's own strings take seconds to begin with. */
export function anyText(maxLength: number): fc.Arbitrary<string> {
  const code = fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 9, max: 126 }) }, fc.nat(0xffff));
  return fc.array(code, { maxLength }).map((codes) => String.fromCharCode(...codes));
}

/** A piece of the seed flow with some of its tokens dropped, doubled, swapped, replaced by others or by junk. */
export const mutated = fc
  .record({
    from: fc.nat(TOKENS.length),
    length: fc.integer({ min: 1, max: TOKENS.length }),
    edits: fc.array(
      fc.tuple(
        fc.nat(TOKENS.length),
        fc.constantFrom("drop", "double", "replace", "insert", "junk"),
        fc.nat(TOKENS.length - 1),
        anyText(4),
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
