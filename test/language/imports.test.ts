import { expect, it } from "vitest";
import { compileSources, start } from "../runtime/support.ts";

async function output(sources: Record<string, string>): Promise<string[]> {
  const { program, diagnostics } = await compileSources(sources);
  expect(diagnostics).toEqual([]);
  const session = start(program!);
  session.runtime.run(1000);
  expect(session.runtime.failure).toBeUndefined();
  return session.output;
}

it("runs an imported file once, before the statements behind its first import", async () => {
  expect(
    await output({
      "main.tdx":
        'log "start"\nimport "base"\nlog "{count()}"\nimport "left"\nimport "right"\nlog "{count()} {count()}"',
      "base.tdx": 'log "base"\nlet n = 0\nfn count() { n += 1 return n }',
      "left.tdx": 'import "base"\nlog "left {count()}"',
      "right.tdx": 'import "base"\nlog "right {count()}"',
    }),
  ).toEqual(["start", "base", "1", "left 2", "right 3", "4 5"]);
});

it("gives an import a name of its own", async () => {
  expect(
    await output({
      "main.tdx":
        'import "sub/lib" as lib\nlet n = 1\nlib.bump(4)\nlog "{n} {lib.n} {lib.twice(3)}"\nlet f = lib.twice\nlog "{f(5)}"',
      "sub/lib.tdx": 'import "more"\nlet n = 10\nfn bump(by) { n += by }\nfn twice(x) { return more(x) * 2 }',
      "sub/more.tdx": "fn more(x) { return x + 1 }",
    }),
  ).toEqual(["1 14 8", "12"]);
});

it("finds what is not beside the file among the shipped flows", async () => {
  expect(
    await output({
      "main.tdx": 'import "tdx/x"\nlog x()',
      "flows/tdx/x.tdx": 'import "y"\nfn x() { return y() }',
      "flows/tdx/y.tdx": "fn y() { return 7 }",
    }),
  ).toEqual(["7"]);
});
