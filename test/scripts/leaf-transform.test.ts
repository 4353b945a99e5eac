import { describe, expect, it } from "vitest";
import { transformLeaf } from "../../scripts/leaf-transform.ts";

const step = (source: string) => transformLeaf(source, "step", "src/module/x.ts", "./step.ts", () => false);
const run = (source: string, hasVariants = (_specifier: string) => false) =>
  transformLeaf(source, "run", "src/module/x.ts", "./step.ts", hasVariants);
const lines = (text: string) => text.split("\n").length;

describe("the step variant", () => {
  it("puts file and line in front of each label", () => {
    expect(step('// é\nfunction* leaf(): Steps {\n  yield "lock the TDR";\n}')).toContain(
      'yield "src/module/x.ts:3:" + ("lock the TDR");',
    );
  });

  it("wraps each delegation, nested ones and ones over several lines too", () => {
    const source =
      "function* leaf() {\n  const t = yield* lock(\n    call,\n    yield* operand(call, f(')')),\n  );\n}";
    const out = step(source);
    expect(out).toContain('yield* $at("src/module/x.ts:2", lock(');
    expect(out).toContain(`yield* $at("src/module/x.ts:4", operand(call, f(')'))),`);
    expect(lines(out)).toBe(lines(source));
  });
});

describe("the run variant", () => {
  it("is a plain function without steps, line for line", () => {
    const source =
      "export function* leaf(call: Call): Steps<number> {\n" +
      '  yield "check";\n' +
      "  if (call.x) yield `$" +
      "{call.x} of\n  two lines`;\n" +
      "  const t = yield* lock(call);\n" +
      "  return t * (yield* weight(t));\n}";
    const out = run(source);
    expect(out).not.toMatch(/yield|function\*/);
    expect(out).toContain("const t = lock(call);");
    expect(out).toContain("return t * (weight(t));");
    expect(lines(out)).toBe(lines(source));
  });

  it("leaves strings and comments alone", () => {
    const source = 'function* leaf() { log("yield* not me"); /* function* nor me */ }';
    expect(run(source)).toBe('function leaf() { log("yield* not me"); /* function* nor me */ }');
  });

  it("imports the run variant of files that have one, and shares the others", () => {
    const source =
      'import { a } from "./a.ts";\nimport { b } from "./b.ts";\nexport * from "./a.ts";\nfunction* f() {}';
    const out = run(source, (specifier) => specifier === "./a.ts");
    expect(out).toContain('import { a } from "./a.ts?run";\nimport { b } from "./b.ts";\nexport * from "./a.ts?run";');
  });

  it("refuses a yield whose value is used, with its place", () => {
    expect(() => run('function* f() {\n  const x = yield "label";\n}')).toThrow("src/module/x.ts:2");
  });
});
