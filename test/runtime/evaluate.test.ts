import { expect, it } from "vitest";
import { session } from "./support.ts";

const FLOW = `
let top = { n: 5, list: [1, 2, 3] }
fn f(a) {
  let b = a * 2
  { let inner = 7 }
  for i in 0 .. 3 {
    log "{i}"
  }
  return b
}
f(21)
`;

async function inside() {
  const { runtime, store } = await session(FLOW);
  while (runtime.frames()[0]?.line !== 7) runtime.step();
  return { runtime, store, frame: runtime.frames()[0]! };
}

it("shows the variables that are in scope, and no others", async () => {
  const { runtime, frame } = await inside();
  expect(frame.variables().map(({ name, value }) => [name, value])).toEqual([
    ["a", 21],
    ["b", 42],
    ["i", 0],
  ]);
  expect(runtime.globals().map(({ name }) => name)).toEqual(["top"]);
  expect(runtime.format(runtime.globals()[0]?.value)).toBe("{n: 5, list: [1, 2, 3]}");
});

it("evaluates expressions in a frame without changing anything", async () => {
  const { runtime, store, frame } = await inside();
  const before = store.hash();
  const value = (text: string) => {
    const result = runtime.evaluate(text, frame);
    return "value" in result ? runtime.format(result.value) : result.error;
  };
  expect(value("a + b * i")).toBe("21");
  expect(value("top.list[1] == 2 && !(b < a) || nothing")).toBe('"nothing" is not defined');
  expect(value("top.list[1] == 2 && b > a")).toBe("true");
  expect(value('"a is {a}"')).toBe('"a is 21"');
  expect(value("{ x: a, y: -1 }")).toBe("{x: 21, y: 0xffffffffffffffff}");
  expect(value("hex(len(top.list) << 40)")).toBe('"0x30000000000"');
  expect(value("status(0x8000020000000080)")).toBe("TDX_OPERAND_BUSY(TDR)");
  expect(value("TD_FIELD.TSC_OFFSET")).toBe("0x111000030000000a");
  expect(value("f(1)")).toMatch(/can only call functions that change nothing/);
  expect(value("alloc_page()")).toMatch(/change nothing/);
  expect(value("TDH.SYS.INIT()")).toMatch(/change nothing/);
  expect(value("inner")).toBe('"inner" is not defined');
  expect(value("a +")).toMatch(/text ends/);
  expect(value("top.nn")).toMatch(/no field "nn"/);
  expect(store.hash()).toBe(before);
});

it("sets a variable", async () => {
  const { runtime, store, frame } = await inside();
  runtime.setVariable(frame.variables()[0]!, 100);
  store.mark();
  expect(runtime.evaluate("a", frame)).toEqual({ value: 100 });
});
