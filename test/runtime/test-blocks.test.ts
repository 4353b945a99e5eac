import { expect, it } from "vitest";
import { compileSources, start } from "./support.ts";

const FLOW = `import "lib"
let n = 1
log "set up {n}"
fn add(x) { n += x return n }
test "adds" {
  let test = add(2)
  expect test == 3
}
test "each on a machine of its own" {
  expect n == 1
  log "ran {from_lib()}"
}
test "fails" { expect n == 2 }
`;

const LIB = 'fn from_lib() { return 7 }\ntest "of the library" { fail "not run here" }';

it("tests run by themselves: the file's statements first, then the block", async () => {
  const { program } = await compileSources({ "main.tdx": FLOW, "lib.tdx": LIB });
  expect(program?.tests.map(({ name, line }) => [name, line])).toEqual([
    ["adds", 5],
    ["each on a machine of its own", 9],
    ["fails", 13],
  ]);
  const results = program!.tests.map(({ fn }) => {
    const { runtime, output } = start(program!, { entry: fn });
    runtime.run(1000);
    return [runtime.status, output, runtime.failure?.line];
  });
  expect(results).toEqual([
    ["done", ["set up 1"], undefined],
    ["done", ["set up 1", "ran 7"], undefined],
    ["failed", ["set up 1"], 13],
  ]);
});

it("a run of the flow leaves them out", async () => {
  const { program } = await compileSources({ "main.tdx": FLOW, "lib.tdx": LIB });
  const { runtime, output } = start(program!);
  runtime.run(1000);
  expect([runtime.status, output]).toEqual(["done", ["set up 1"]]);
});

it("two tests have two names", async () => {
  const { diagnostics } = await compileSources({ "main.tdx": 'test "a" { }\ntest "a" { }' });
  expect(diagnostics).toMatchObject([{ line: 2, message: 'there is a test "a" already' }]);
});
