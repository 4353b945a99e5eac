import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Hits, parseHitCondition } from "../../src/debugger/hit-condition.ts";

describe("hit conditions", () => {
  it.each([
    ["3", [3]],
    [" == 3 ", [3]],
    [">=4", [4, 5, 6]],
    ["> 4", [5, 6]],
    ["<=2", [1, 2]],
    ["<2", [1]],
    ["%3", [3, 6]],
  ])("%s", (text, holds) => {
    const condition = parseHitCondition(text);
    expect([1, 2, 3, 4, 5, 6].filter((count) => condition?.(count))).toEqual(holds);
  });

  it.each(["", "often", "3 times", "%0", "-1", "=>3"])("none: %s", (text) => {
    expect(parseHitCondition(text)).toBeUndefined();
  });

  it("numbers hits by their place in time, in whatever order they are met", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(20), fc.nat(3))), (places) => {
        const hits = new Hits();
        for (const [step, sub] of places) hits.count(step, sub);
        const sorted = [...new Set(places.map(([step, sub]) => step * 4 + sub))].sort((a, b) => a - b);
        for (const [step, sub] of places) expect(hits.count(step, sub)).toBe(sorted.indexOf(step * 4 + sub) + 1);
      }),
    );
  });
});
